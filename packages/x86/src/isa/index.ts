import type { InstructionSet } from "@cmodx/core";
import { assemble } from "./assemble.js";
import { decode, maxLength } from "./decode.js";
import { vectors } from "./effect.js";
import { execute } from "./execute.js";
import { format } from "./format.js";
import { inputs } from "./inputs.js";
import type { X86Instruction } from "./instruction.js";
import { generalRegisters } from "./registers.js";

export { type Vector, vectors } from "./effect.js";
export type * from "./instruction.js";
export { arithmeticFlags, flag, type GeneralRegister } from "./registers.js";

/**
 * The modelled subset of x86-64 in 64-bit mode. Modes are not told apart.
 *
 * Registers are `rax` to `r15`, `rflags` with the arithmetic flags alone, and `fs_base` and `gs_base`.
 * A function is entered with its return address on top of the stack.
 */
export const x86InstructionSet: InstructionSet<X86Instruction> = {
  maxLength,
  alignment: 1,
  vectors,
  registers: [...generalRegisters, "rflags", "fs_base", "gs_base"],
  decode: (bytes) => decode(bytes),
  assemble: (text, at) => assemble(text, at),
  format,
  inputs,
  execute,
  enter: (home, stackTop) => {
    const address = BigInt.asUintN(64, stackTop - 8n);
    return { registers: { rsp: address }, stores: [{ address, size: 8, value: home, tags: [] }] };
  },
};
