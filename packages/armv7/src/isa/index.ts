import type { InstructionSet } from "@cmodx/core";
import { assemble } from "./assemble.js";
import { inputs } from "./dataflow.js";
import { decode, maxLength, modeOf } from "./decode.js";
import { exceptionVectors } from "./exceptions.js";
import { execute } from "./execute.js";
import { format } from "./format.js";
import type { Armv7Instruction, Mode } from "./instruction.js";
import { flagRegisters, generalRegisters } from "./registers.js";

export { outputs } from "./dataflow.js";
export * from "./exceptions.js";
export type * from "./instruction.js";
export { conditions } from "./instruction.js";
export { type FlagRegister, flagRegisters, type GeneralRegister } from "./registers.js";

/**
 * The modelled subset of ARMv7-A in modes `a32`, which is also meant where none is named, and `t32`.
 *
 * Registers are `r0` to `r12`, `sp`, `lr`, and the flags `n`, `z`, `c`, `v`. BX, BLX, and loads of pc choose the mode by the
 * lowest bit of the address; so does a result in pc in A32. IT blocks are outside the subset. A function is entered behind its
 * prologue: its return address, in A32, is in `lr` and on top of the stack, and `r11` is its frame pointer, one word above.
 */
export const armv7InstructionSet: InstructionSet<Armv7Instruction> = {
  maxLength,
  alignment: 2,
  undefinedVector: "und",
  vectors: exceptionVectors,
  modes: ["a32", "t32"],
  registers: [...generalRegisters.filter((name) => name !== "pc"), ...flagRegisters],
  decode: (bytes, mode) => decode(bytes, modeOf(mode)),
  assemble: (text, at, mode = "") => assemble(text, at, modeOf(mode)),
  format,
  inputs,
  execute,
  enter: (home, stackTop) => ({
    registers: { sp: stackTop - 4n, lr: home, r11: stackTop },
    stores: [{ address: stackTop - 4n, size: 4, value: home, tags: [] }],
  }),
};

/** {@link armv7InstructionSet} where code that names no mode is in this one. */
export const instructionSetIn = (state: Mode): InstructionSet<Armv7Instruction> => ({
  ...armv7InstructionSet,
  modes: state === "a32" ? ["a32", "t32"] : ["t32", "a32"],
  alignment: state === "a32" ? 4 : 2,
  decode: (bytes, mode) => armv7InstructionSet.decode(bytes, mode || state),
  assemble: (text, at, mode) => armv7InstructionSet.assemble(text, at, mode || state),
});
