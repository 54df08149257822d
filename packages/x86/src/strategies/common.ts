import type { Bytes, InstructionSet, PropertyId } from "@cmodx/core";
import type { X86Instruction } from "../isa/instruction.js";

/* What the strategies of this package share. */

/** The opcode of the breakpoint. */
export const INT3 = 0xcc;

/** What a patcher of code that traps promises. */
export const trapPromises: readonly PropertyId[] = [
  "mid-sequence",
  "old-or-new",
  "trap-owned",
  "emulation",
  "done",
  "lifetime",
  "exclusive",
  "progress",
  "rule",
];

/** What a patcher promises that sets no traps. */
export const storePromises: readonly PropertyId[] = trapPromises.filter((id) => id !== "emulation");

/** The id of a step that is done for each of `count` sites. */
export const siteStep = (name: string, index: number, count: number): string =>
  count === 1 ? name : `${name}.${index}`;

/** An address as it is printed. */
export const hex = (address: bigint): string => `0x${address.toString(16)}`;

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
