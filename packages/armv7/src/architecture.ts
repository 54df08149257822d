import { type Architecture, InputError } from "@cmodx/core";
import { optional, text, whole, withOptions } from "@cmodx/core/schema";
import { cacheMaintenance } from "./cache.js";
import { armv7Cpu } from "./cpu.js";
import { fetchModelsFor } from "./fetch-models.js";
import { conditions, instructionSetIn, type Mode } from "./isa/index.js";
import { armv7Memory } from "./memory.js";

/** How the ARMv7 of a simulation is chosen. */
export type Armv7Options = {
  /** The instruction set state of the code that is changed: `a32` (default) or `t32`. Code that names no mode is in it. */
  readonly fetch?: string;
  /** Bytes of the smallest cache line, a power of two from 4; default 32. */
  readonly line?: number;
};

const suffixes = ["", ".n", ".w"];

/** ARMv7-A for a simulation. Throws {@link InputError} when there is no such instruction set state. */
export const armv7 = withOptions(
  "armv7",
  { fetch: optional(text), line: optional(whole(4)) },
  ({ fetch = "a32", line = 32 }: Armv7Options): Architecture => {
    const fetchModels = fetchModelsFor(line);
    const model = fetchModels.find(({ id }) => id === fetch);
    if (model === undefined) {
      const known = fetchModels.map(({ id }) => id).join(", ");
      throw new InputError(`armv7 has no fetch model ${fetch}; it has ${known}.`, {
        place: "fetch",
        code: "unknown-name",
      });
    }
    const jumps = ["", ...conditions].flatMap((condition) => suffixes.map((suffix) => `b${condition}${suffix}`));
    return {
      id: "armv7",
      instructionSet: instructionSetIn(model.id as Mode),
      fetch: model,
      fetchModels,
      cache: cacheMaintenance(line),
      cpu: armv7Cpu,
      // Arm ARM DDI 0406C, A3.5.3: STRD and STM are rows of stores of words, but for what walks translation tables.
      stores: { aligned: 4, block: 1 },
      memory: armv7Memory(model.id as Mode),
      returns: "bx lr",
      // A site may have changed lr and the stack pointer.
      epilogue: "ldr pc, [r11, #-4]",
      branches: { ...Object.fromEntries(jumps.map((name) => [name, "target" as const])), bl: "callee" },
      reach: { target: 0x40, callee: 0x1000 },
      base: 0xc010_0000n,
    };
  },
);
