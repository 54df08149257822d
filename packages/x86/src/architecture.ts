import { type Architecture, type FetchModel, InputError, noCacheMaintenance } from "@cmodx/core";
import { flag, optional, text, withOptions } from "@cmodx/core/schema";
import { x86Cpu } from "./cpu.js";
import { fetchModels, intel, lateTrap as late } from "./fetch-models.js";
import { x86InstructionSet } from "./isa/index.js";
import { tso } from "./memory.js";

/** How the x86 of a simulation is chosen. */
export type X86Options = {
  /** The fetch model: `intel` (default, the weakest), `intel-otc`, `amd`, `amd-ordered` or `coherent`; each also with `+late-trap` behind it. */
  readonly fetch?: string;
  /** The delivery of a trap may lag, as with `+late-trap`. Default false. */
  readonly lateTrap?: boolean;
};

const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"] as const;

/** The fetch model of this id. */
const fetchModel = (id: string, lateTrap: boolean): FetchModel => {
  const plain = fetchModels.find((model) => model.id === id);
  if (plain !== undefined) return lateTrap ? late.apply(plain) : plain;
  const varied = fetchModels.map(late.apply).find((model) => model.id === id);
  if (varied !== undefined) return varied;
  const known = fetchModels.map((model) => model.id).join(", ");
  throw new InputError(`x86 has no fetch model ${id}; it has ${known}, and each of them with +${late.id} behind it.`, {
    place: "fetch",
    code: "unknown-name",
  });
};

/** x86-64 for a simulation. Throws {@link InputError} when no fetch model has that id. */
export const x86 = withOptions(
  "x86",
  { fetch: optional(text), lateTrap: optional(flag) },
  ({ fetch = intel.id, lateTrap = false }: X86Options): Architecture => {
    const model = fetchModel(fetch, lateTrap);
    return {
      id: "x86",
      instructionSet: x86InstructionSet as Architecture["instructionSet"],
      fetch: model,
      fetchModels,
      fetchVariants: [late],
      cache: noCacheMaintenance,
      cpu: x86Cpu,
      // Intel SDM vol. 3, "Guaranteed Atomic Operations"; AMD APM vol. 2, 7.3.2: within an aligned quadword also what is not aligned.
      stores: { aligned: 8, block: 8 },
      memory: tso,
      returns: "ret",
      branches: {
        call: "callee",
        jmp: "target",
        jmp8: "target",
        jmp32: "target",
        ...Object.fromEntries(
          CONDITIONS.flatMap((c) => [`j${c}`, `j${c}8`, `j${c}32`].map((name) => [name, "target" as const])),
        ),
      },
      reach: { target: 0x40, callee: 0x1000 },
      base: 0xffff_ffff_8100_0000n,
    };
  },
);
