import { type Bytes, InputError } from "@cmodx/core";
import type { Encoding, OperandText } from "./codec.js";
import { conditionByName } from "./conditions.js";
import { decodeWord } from "./decode.js";
import { type Form, forms } from "./encodings.js";
import { writeFields } from "./layout.js";
import { parseNumber, parseOperandText } from "./parse.js";

const formsByMnemonic = new Map<string, Form[]>();
for (const form of forms) formsByMnemonic.set(form.op, [...(formsByMnemonic.get(form.op) ?? []), form]);

const littleEndian = (word: number): Bytes => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);

/** The word in this form, nothing when the operands do not fit it or would make it another instruction or none. */
const encode = (form: Form, operands: readonly OperandText[], at: bigint, mnemonic: string): number | undefined => {
  if (operands.length !== form.operands.length) return undefined;
  let encoding: Encoding = { at, mnemonic, fields: {} };
  for (const [position, { write }] of form.operands.entries()) {
    const fields = write(operands[position]!, encoding);
    if (fields === undefined) return undefined;
    const known = encoding.fields;
    if (Object.entries(fields).some(([name, value]) => (known[name] ?? value) !== value)) return undefined;
    encoding = { ...encoding, fields: { ...known, ...fields } };
  }
  const word = writeFields(form.layout, encoding.fields);
  return typeof decodeWord(word) === "string" ? undefined : word;
};

/** `b.eq` and the older `beq` are one operation, whose first operand is the condition. */
const conditional = (mnemonic: string): string | undefined => {
  const [, name] = /^b\.?([a-z]{2})$/.exec(mnemonic) ?? [];
  return name !== undefined && !formsByMnemonic.has(mnemonic) && conditionByName(name) ? name : undefined;
};

const word = (text: string): Bytes => {
  const value = parseNumber(text);
  if (value === undefined || BigInt.asUintN(32, value) !== value)
    throw new InputError(`".inst ${text}" needs a number from 0 to 0xffffffff.`, { code: "out-of-range" });
  return littleEndian(Number(value));
};

/**
 * Encodes one instruction of assembler text, in upper or lower case, to lie at `at`; the inverse of `format`.
 *
 * - A branch target or literal is an absolute address; `.+n` and `.-n`, and `#n` as disassemblers write it, are n bytes from the
 *   start of the instruction.
 * - Of several encodings the preferred one is chosen; `mov` with a constant is MOVZ, MOVN or ORR, the first that can give it.
 * - `.inst 0xd503201f` gives the word as it is.
 *
 * Throws {@link InputError} for text that is no instruction of the subset and for a target out of range.
 */
export const assemble = (text: string, at: bigint): Bytes => {
  const line = text.trim().toLowerCase().replace(/\s+/g, " ");
  const [first = "", ...words] = line.split(" ");
  const rest = words.join(" ");
  if (first === ".inst") return word(rest);
  const condition = conditional(first);
  const mnemonic = condition === undefined ? first : "b.cond";
  const candidates = formsByMnemonic.get(mnemonic);
  if (candidates === undefined || first === "b.cond")
    throw new InputError(`"${text}" is not an instruction known here: no "${first}".`, { code: "unknown-name" });
  const operands = parseOperandText(rest);
  if (operands === undefined)
    throw new InputError(`"${text}" has an operand that is no register, number, address or place in memory.`, {
      code: "wrong-type",
    });
  const all: readonly OperandText[] =
    condition === undefined ? operands : [{ kind: "name", name: condition }, ...operands];
  for (const form of candidates) {
    const encoded = encode(form, all, at, first);
    if (encoded !== undefined) return littleEndian(encoded);
  }
  throw new InputError(`"${text}" has no encoding with these operands.`, { code: "impossible" });
};
