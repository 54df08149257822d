import { type Architecture, InputError, noCacheMaintenance } from "@cmodx/core";
import { optional, text, withOptions } from "@cmodx/core/schema";
import { riscvCpu } from "./cpu.js";
import { fetchModels, zifencei } from "./fetch-models.js";
import { riscvInstructionSet } from "./isa/index.js";
import { rvwmoFor } from "./memory.js";

/** How the RISC-V of a simulation is chosen. */
export type RiscvOptions = {
  /** The fetch model: `zifencei` (default, the weakest), `ziccif` or `ziccid`. */
  readonly fetch?: string;
};

/** RV64 for a simulation. Throws {@link InputError} when no fetch model has that id. */
export const riscv = withOptions(
  "riscv",
  { fetch: optional(text) },
  ({ fetch = zifencei.id }: RiscvOptions): Architecture => {
    const model = fetchModels.find(({ id }) => id === fetch);
    if (model === undefined) {
      const known = fetchModels.map(({ id }) => id).join(", ");
      throw new InputError(`riscv has no fetch model ${fetch}; it has ${known}.`, {
        place: "fetch",
        code: "unknown-name",
      });
    }
    return {
      id: "riscv",
      instructionSet: riscvInstructionSet,
      fetch: model,
      fetchModels,
      cache: noCacheMaintenance,
      cpu: riscvCpu,
      // RVWMO: a naturally aligned access is one memory operation, another one may be a set of them of any granularity.
      stores: { aligned: 8, block: 1 },
      memory: rvwmoFor(model),
      returns: "ret",
      branches: {
        j: "target",
        jal: "callee",
        "jal zero": "target",
        "jal t0": "callee",
        "c.j": "target",
        call: "callee",
        "call t0": "callee",
        "call t1": "callee",
        tail: "target",
      },
      // The low part of the distance to a callee is not 0, so that a torn JALR goes somewhere else.
      reach: { target: 0x40, callee: 0x1640 },
      base: 0xffff_ffff_8020_0000n,
    };
  },
);
