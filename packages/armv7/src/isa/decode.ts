import { type Bytes, InputError } from "@cmodx/core";
import { type Form, formsFor } from "./forms.js";
import { type Armv7Instruction, conditions, type Mode, type Operand } from "./instruction.js";
import { extract, type Fields, matches } from "./pattern.js";

type Undecoded = "short" | "undefined" | "unsupported";

/** Length of the longest instruction in bytes. */
export const maxLength = 4;

/** The mode of this name; a32 where none is named. Throws {@link InputError} for any other name. */
export const modeOf = (mode: string): Mode => {
  if (mode === "a32" || mode === "t32") return mode;
  if (mode === "") return "a32";
  throw new InputError(`armv7 has no mode ${mode}; it has a32 and t32.`, { place: "mode", code: "unknown-name" });
};

const halfword = (bytes: Bytes, offset: number): number => bytes[offset]! | (bytes[offset + 1]! << 8);

/** Whether a halfword is the first of two (DDI 0406C, A6.1). */
const isWide = (first: number): boolean => first >>> 11 >= 0b11101;

const instruction = (form: Form, fields: Fields, word: number): Armv7Instruction | Undecoded => {
  if (form.op === "undefined") return "undefined";
  if (form.op === "outside" || form.isUnpredictable(fields)) return "unsupported";
  const length = form.pattern.bits === 32 ? 4 : 2;
  if (form.op === "opaque") return { length, mode: form.mode, op: "opaque", operands: [], opaque: true, word };
  const operands: Operand[] = [];
  for (const code of form.codes) {
    const operand = code.decode(fields);
    if (operand === undefined) return "unsupported";
    operands.push(operand);
  }
  const condition = conditions[fields.c ?? 14]!;
  const setsFlags = form.flags === "always" || (form.flags === "field" && fields.S === 1);
  return {
    length,
    mode: form.mode,
    op: form.op,
    ...(condition !== "al" && { condition }),
    ...(setsFlags && { setsFlags }),
    operands,
  };
};

const decodeWord = (word: number, mode: Mode, length: 2 | 4): Armv7Instruction | Undecoded => {
  for (const form of formsFor(word, mode, length)) {
    if (!matches(form.pattern, word)) continue;
    const fields = extract(form.pattern, word);
    if (form.applies(fields)) return instruction(form, fields, word);
  }
  return "undefined";
};

/**
 * Decodes the instruction that starts at the first byte (DDI 0406C, A5 and A6). Two bytes decide in T32 unless they are the first half
 * of a 32-bit instruction. UNPREDICTABLE encodings are `unsupported`: nothing is said of what they do.
 */
export const decode = (bytes: Bytes, mode: Mode): Armv7Instruction | Undecoded => {
  if (bytes.length < 2) return "short";
  const first = halfword(bytes, 0);
  if (mode === "t32" && !isWide(first)) return decodeWord(first, mode, 2);
  if (bytes.length < 4) return "short";
  const second = halfword(bytes, 2);
  return decodeWord((mode === "t32" ? (first << 16) | second : (second << 16) | first) >>> 0, mode, 4);
};
