import type { Bytes, InstructionSet } from "@cmodx/core";
import type { X86Instruction } from "../isa/instruction.js";

/* What strategies read off the code of their sites. */

/** The opcode of the breakpoint. */
export const INT3 = 0xcc;

/** The first instruction of some code, or undefined where that is none of the modelled subset. */
export const firstOf = (code: Bytes, isa: InstructionSet): X86Instruction | undefined => {
  const insn = isa.decode(code, "");
  return typeof insn === "string" ? undefined : (insn as X86Instruction);
};

/** The instruction that is all of some code, or undefined where it is not one. */
export const only = (code: Bytes, isa: InstructionSet): X86Instruction | undefined => {
  const insn = firstOf(code, isa);
  return insn?.length === code.length ? insn : undefined;
};
