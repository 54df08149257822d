import type { Bytes, InstructionSet } from "@cmodx/core";
import type { Arm64Instruction } from "../isa/index.js";

/* What strategies read off the code of their sites. */

/** The instruction that is all of some code, or undefined where it is not one of the modelled subset. */
export const instructionOf = (code: Bytes, isa: InstructionSet): Arm64Instruction | undefined => {
  if (code.length !== 4) return undefined;
  const insn = isa.decode(code, "");
  return typeof insn === "string" ? undefined : (insn as Arm64Instruction);
};

/** Where an unconditional immediate branch at `address` goes; undefined for anything else. */
export const branchTarget = (insn: Arm64Instruction | undefined, address: bigint): bigint | undefined => {
  const [operand] = insn?.operands ?? [];
  if (insn?.op !== "b" && insn?.op !== "bl") return undefined;
  return operand?.kind === "relative" ? address + operand.displacement : undefined;
};
