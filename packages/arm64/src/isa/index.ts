import type { InstructionSet } from "@cmodx/core";
import { assemble } from "./assemble.js";
import { decode } from "./decode.js";
import { vectors } from "./exceptions.js";
import { execute } from "./execute.js";
import { format } from "./format.js";
import { inputs } from "./inputs.js";
import type { Arm64Instruction } from "./instruction.js";
import { systemRegisters } from "./names-codec.js";
import { generalRegisters } from "./registers.js";

export type { Condition } from "./conditions.js";
export { exceptionEntry, type Vector, vectors } from "./exceptions.js";
export { type Input, outputs, selectedInputs } from "./inputs.js";
export type * from "./instruction.js";
export type { Operation } from "./operations.js";
export { conditionFlags, flag, type GeneralRegister } from "./registers.js";

/**
 * The modelled subset of A64 at EL1. Modes are not told apart.
 *
 * Registers are `x0` to `x30`, `sp`, `nzcv` with the condition flags at bits 31 to 28, and the system registers `elr_el1`,
 * `spsr_el1`, `sp_el0`, `tpidr_el0`, `tpidr_el1` and `ctr_el0` by name. A function is entered with its return address in `x30`.
 */
export const arm64InstructionSet: InstructionSet<Arm64Instruction> = {
  maxLength: 4,
  vectors,
  registers: [...generalRegisters, "sp", ...Object.keys(systemRegisters)],
  alignment: 4,
  decode: (bytes) => decode(bytes),
  assemble: (text, at) => assemble(text, at),
  format,
  inputs,
  execute,
  enter: (home, stackTop) => ({ registers: { x30: home, sp: stackTop }, stores: [] }),
};
