import type { Field, FieldName, Form, Meaning, Values } from "./form.js";
import { integerRegisters, type Register } from "./registers.js";

const FIRST_COMPRESSED = 8;

const FENCE_LETTERS = [..."iorw"];

const fenceSet = (bits: number): string =>
  FENCE_LETTERS.filter((_, position) => (bits >> (FENCE_LETTERS.length - 1 - position)) & 1).join("") || "0";

const fenceBits = (set: string): number =>
  FENCE_LETTERS.reduce((bits, letter) => (bits << 1) | (set.includes(letter) ? 1 : 0), 0);

const ones = (width: number): number => (1 << width) - 1;

const widthOf = ({ pieces }: Field): number => Math.max(...pieces.map(({ low, width }) => low + width));

const fieldValue = (field: Field, word: number): Values[FieldName] => {
  const bits = field.pieces.reduce((all, { at, width, low }) => all | (((word >>> at) & ones(width)) << low), 0);
  switch (field.name) {
    case "imm":
      return field.signed ? BigInt.asIntN(widthOf(field), BigInt(bits)) : BigInt(bits);
    case "pred":
    case "succ":
      return fenceSet(bits);
    case "aq":
    case "rl":
      return bits === 1;
    default:
      return integerRegisters[field.compressed ? bits + FIRST_COMPRESSED : bits];
  }
};

/** The values that an encoding holds in its fields. */
export const readFields = (form: Form, word: number): Values =>
  Object.fromEntries(form.fields.map((field) => [field.name, fieldValue(field, word)]));

/** The values together with those that a mnemonic fixes. */
export const withFixed = ({ fixed }: Meaning, values: Values): Values => ({
  ...values,
  ...Object.fromEntries(
    Object.entries(fixed).map(([name, text]) => [
      name,
      name === "imm" ? BigInt(text) : (values[text as FieldName] ?? text),
    ]),
  ),
});

const bitsOf = (field: Field, values: Values): number => {
  const value = values[field.name];
  if (typeof value === "bigint") return Number(BigInt.asIntN(32, value));
  if (typeof value !== "string") return value ? 1 : 0;
  if (field.name === "pred" || field.name === "succ") return fenceBits(value);
  return integerRegisters.indexOf(value as Register) - (field.compressed ? FIRST_COMPRESSED : 0);
};

/** The encoding with these values, each of which fits its field; ignored bits are zero. */
export const writeFields = (form: Form, values: Values): number =>
  form.fields.reduce((word, field) => {
    const bits = bitsOf(field, values);
    return field.pieces.reduce((all, { at, width, low }) => all | (((bits >> low) & ones(width)) << at), word);
  }, form.bits) >>> 0;

/** What fits an immediate field: the multiples of `step` from `least` to `greatest`. */
export const rangeOf = (field: Field): { readonly least: bigint; readonly greatest: bigint; readonly step: bigint } => {
  const step = 1n << BigInt(Math.min(...field.pieces.map(({ low }) => low)));
  const size = 1n << BigInt(widthOf(field));
  const least = field.signed ? -size / 2n : 0n;
  return { least, greatest: least + size - step, step };
};

/** Whether a register field can name a register. */
export const canName = ({ compressed }: Field, register: Register): boolean => {
  const number = integerRegisters.indexOf(register) - FIRST_COMPRESSED;
  return !compressed || (number >= 0 && number < 8);
};
