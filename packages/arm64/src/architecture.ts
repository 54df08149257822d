import { type Architecture, InputError } from "@cmodx/core";
import { oneOf, optional, text, whole, withOptions } from "@cmodx/core/schema";
import { type CacheType, cacheMaintenance } from "./cache.js";
import { cmodxLists } from "./cmodx.js";
import { arm64Cpu } from "./cpu.js";
import { fetchModelsFor, fetchVariants } from "./fetch-models.js";
import { arm64InstructionSet } from "./isa/index.js";
import { armMemory } from "./memory.js";

/** How the AArch64 of a simulation is chosen. */
export type Arm64Options = {
  /**
   * The cache type: `none` (default, the weakest), `idc`, `idc+dic` or `neoverse-n1`; each also with `+linux` or `+herd` behind it, which
   * is the same as {@link cmodx}.
   */
  readonly fetch?: string;
  /** The list of instructions that may be modified while they are executed: `arm` (default), `linux` or `herd`. */
  readonly cmodx?: keyof typeof cmodxLists;
  /** Bytes of the smallest cache line, a power of two from 4; default 64. */
  readonly line?: number;
};

/** AArch64 for a simulation. Throws {@link InputError} when no cache type has that id. */
export const arm64 = withOptions(
  "arm64",
  { fetch: optional(text), cmodx: optional(oneOf({ arm: true, linux: true, herd: true })), line: optional(whole(4)) },
  ({ fetch = "none", cmodx, line = 64 }: Arm64Options): Architecture => {
    const variant = fetchVariants.find(({ id }) => fetch.endsWith(`+${id}`));
    const list = cmodxLists[cmodx ?? (variant?.id as keyof typeof cmodxLists | undefined) ?? "arm"];
    const fetchModels = fetchModelsFor(list);
    const type = variant === undefined ? fetch : fetch.slice(0, -variant.id.length - 1);
    const found = fetchModels.find(({ id }) => id === type);
    if (found === undefined) {
      const known = fetchModels.map(({ id }) => id).join(", ");
      const behind = fetchVariants.map(({ id }) => `+${id}`).join(" or ");
      throw new InputError(
        `arm64 has no cache type ${fetch}; it has ${known}, and each of them with ${behind} behind it.`,
        {
          place: "fetch",
          code: "unknown-name",
        },
      );
    }
    const model = variant === undefined ? found : variant.apply(found);
    return {
      id: "arm64",
      instructionSet: arm64InstructionSet,
      fetch: model,
      fetchModels,
      fetchVariants,
      cache: cacheMaintenance(found.id as CacheType, line),
      cpu: arm64Cpu,
      // Arm ARM DDI 0487, B2.2.1, without FEAT_LSE2; what is not aligned is a set of accesses of bytes.
      stores: { aligned: 8, block: 1 },
      memory: armMemory(list),
      returns: "ret",
      branches: { b: "target", bl: "callee" },
      reach: { target: 0x40, callee: 0x1000 },
      base: 0xffff_8000_0801_0000n,
    };
  },
);
