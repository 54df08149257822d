import type { Bytes } from "@cmodx/core";
import { type Form, forms } from "./encodings.js";
import type { Arm64Instruction, Operand } from "./instruction.js";
import { readFields } from "./layout.js";
import { kindOf } from "./outside.js";

/** Why bytes are not an instruction of the subset; see `InstructionSet.decode`. */
export type Undecoded = "short" | "undefined" | "unsupported";

/** Bits 28 to 25, by which the manual divides the encodings (Arm ARM, C4.1). */
const groupOf = (word: number): number => (word >>> 25) & 15;

const groups: readonly (readonly Form[])[] = Array.from({ length: 16 }, (_, group) =>
  forms.filter(({ layout: { mask, value } }) => (groupOf(value) & groupOf(mask)) === (group & groupOf(mask))),
);

/** An instruction of this form, nothing when an operand's bits are not of it. */
const inForm = ({ op, layout, operands }: Form, word: number): Arm64Instruction | undefined => {
  const fields = readFields(layout, word);
  if (fields === undefined) return undefined;
  const read: Operand[] = [];
  for (const { read: operandOf } of operands) {
    const operand = operandOf(fields);
    if (operand === undefined) return undefined;
    read.push(operand);
  }
  return { length: 4, op, operands: read };
};

/** The instruction that a word encodes. */
export const decodeWord = (word: number): Arm64Instruction | Exclude<Undecoded, "short"> => {
  for (const form of groups[groupOf(word)]!) {
    const insn = inForm(form, word);
    if (insn !== undefined) return insn;
  }
  const kind = kindOf(word);
  return kind === "opaque" ? { length: 4, op: "opaque", operands: [], opaque: true, word } : kind;
};

/**
 * Decodes the instruction that starts at the first byte (Arm ARM, C4.1); instructions are little-endian whatever the data are.
 *
 * `undefined` is what the architecture does not allocate, and also what it leaves CONSTRAINED UNPREDICTABLE with UNDEFINED among
 * the effects: a load of two registers that are one, and a base that is written back and transferred.
 */
export const decode = (bytes: Bytes): Arm64Instruction | Undecoded => {
  const [first, second, third, fourth] = bytes;
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) return "short";
  return decodeWord((first | (second << 8) | (third << 16) | (fourth << 24)) >>> 0);
};
