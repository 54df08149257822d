import { type Architecture, InputError, noCacheMaintenance } from "@cmodx/core";
import { x86Cpu } from "./cpu.js";
import { fetchModels, intel } from "./fetch-models.js";
import { x86InstructionSet } from "./isa/index.js";

/** How the x86 of a simulation is chosen. */
export type X86Options = {
  /** The fetch model: `intel` (default, the weakest), `intel-otc`, `amd` or `coherent`. */
  readonly fetch?: string;
};

const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"] as const;

/** x86-64 for a simulation. Throws {@link InputError} when no fetch model has that id. */
export const x86 = ({ fetch = intel.id }: X86Options = {}): Architecture => {
  const model = fetchModels.find((candidate) => candidate.id === fetch);
  if (model === undefined) {
    throw new InputError(`x86 has no fetch model ${fetch}; it has ${fetchModels.map(({ id }) => id).join(", ")}.`, {
      place: "fetch",
    });
  }
  return {
    id: "x86",
    instructionSet: x86InstructionSet as Architecture["instructionSet"],
    fetch: model,
    fetchModels,
    cache: noCacheMaintenance,
    cpu: x86Cpu,
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
};
