import type { InstructionSet } from "@cmodx/core";
import { assemble } from "./assemble.js";
import { decode, maxLength } from "./decode.js";
import { execute } from "./execute.js";
import { format } from "./format.js";
import { inputs } from "./inputs.js";
import type { RiscvInstruction } from "./instruction.js";
import { integerRegisters } from "./registers.js";
import { vectors } from "./vectors.js";

export type { AmoOperation, ArithmeticOperation, BranchOperation, ImmediateOperation } from "./arithmetic.js";
export { type Input, outputs } from "./inputs.js";
export type * from "./instruction.js";
export type { LoadOperation, StoreOperation } from "./memory-operations.js";
export { pcRelative } from "./patching.js";
export { integerRegisters, isLink, type Register, registersByName } from "./registers.js";
export { type Vector, vectors } from "./vectors.js";

/**
 * The modelled subset of RV64GC: RV64I, the compressed instructions, Zifencei and the atomic memory operations. Multiplication,
 * `lr` and `sc`, floating point, Zicsr and the privileged instructions are outside. There are no modes.
 *
 * Registers are `ra`, `sp`, …, by their names in the calling convention. A function is entered with its return address in `ra`.
 */
export const riscvInstructionSet: InstructionSet<RiscvInstruction> = {
  maxLength,
  vectors,
  registers: integerRegisters,
  alignment: 2,
  decode: (bytes) => decode(bytes),
  assemble: (text, at) => assemble(text, at),
  format,
  inputs,
  execute,
  enter: (home, stackTop) => ({ registers: { ra: home, sp: stackTop }, stores: [] }),
};
