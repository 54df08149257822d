import { decodeBitmask, encodeBitmask } from "./bitmask.js";
import type { Codec, Encoding, OperandText } from "./codec.js";
import type { ImmediateOperand, Width } from "./instruction.js";
import type { Fields } from "./layout.js";
import { widthOf } from "./registers-codec.js";

const constant = (value: bigint | number, shift = 0): ImmediateOperand => ({
  kind: "immediate",
  value: BigInt(value),
  ...(shift > 0 && { shift }),
});

/** The number of an operand without a shift. */
const numberOf = (text: OperandText | undefined): bigint | undefined =>
  text?.kind === "number" && text.modifier === undefined ? text.value : undefined;

/** A number as a constant of `size` bytes, which may be written with or without a sign. */
const constantOf = (text: OperandText, size: Width): bigint | undefined => {
  const value = numberOf(text);
  if (value === undefined) return undefined;
  const fits = BigInt.asUintN(size * 8, value) === value || BigInt.asIntN(size * 8, value) === value;
  return fits ? BigInt.asUintN(size * 8, value) : undefined;
};

/** An unsigned constant of a field of `width` bits. */
export const unsigned = (field: string, width: number): Codec => ({
  read: (fields) => constant(fields[field]!),
  write: (text) => {
    const value = numberOf(text);
    return value === undefined || BigInt.asUintN(width, value) !== value ? undefined : { [field]: Number(value) };
  },
});

/** The constant of an addition or subtraction: 12 bits, shifted left by 12 or not. */
export const addend: Codec = {
  read: ({ sh, imm12 }) => constant(imm12!, sh === 1 ? 12 : 0),
  write: (text) => {
    if (text.kind !== "number") return undefined;
    const { value, modifier } = text;
    if (modifier && (modifier.by !== "lsl" || (modifier.amount !== 0 && modifier.amount !== 12))) return undefined;
    const sh = modifier ? modifier.amount === 12 : value !== 0n && value % 0x1000n === 0n;
    const imm12 = sh && !modifier ? value >> 12n : value;
    return BigInt.asUintN(12, imm12) === imm12 ? { sh: sh ? 1 : 0, imm12: Number(imm12) } : undefined;
  },
};

/** Sixteen bits of a constant and where they stand. */
export const wide: Codec = {
  read: (fields) => {
    const shift = fields.hw! * 16;
    return shift >= widthOf(fields) * 8 ? undefined : constant(fields.imm16!, shift);
  },
  write: (text, { fields }) => {
    if (text.kind !== "number") return undefined;
    const { by, amount = -1 } = text.modifier ?? { by: "lsl", amount: 0 };
    const fits = by === "lsl" && amount % 16 === 0 && amount >= 0 && amount < widthOf(fields) * 8;
    return fits && BigInt.asUintN(16, text.value) === text.value
      ? { hw: amount / 16, imm16: Number(text.value) }
      : undefined;
  },
};

/** The fields of MOVZ for a constant, with the lowest shift that does. */
const wideFields = (value: bigint): Fields | undefined => {
  const hw = [0, 1, 2, 3].find((position) => (value & ~(0xffffn << BigInt(position * 16))) === 0n);
  return hw === undefined ? undefined : { hw, imm16: Number(value >> BigInt(hw * 16)) };
};

const inverted = (value: bigint, size: Width): bigint => BigInt.asUintN(size * 8, ~value);

/** Fields of MOVN whose constant MOVZ cannot give: only then `mov` stands for MOVN (Arm ARM, MOV (inverted wide immediate)). */
const inverseFields = (value: bigint, size: Width): Fields | undefined =>
  wideFields(value) ? undefined : wideFields(inverted(value, size));

const same = (left: Fields | undefined, right: Fields): boolean =>
  left !== undefined && Object.entries(left).every(([name, value]) => right[name] === value);

const moveCodec = (
  toValue: (fields: Fields, size: Width) => bigint | undefined,
  fieldsOf: (value: bigint, size: Width) => Fields | undefined,
): Codec => ({
  read: (fields) => {
    const size = widthOf(fields);
    const value = toValue(fields, size);
    return value === undefined || !same(fieldsOf(value, size), fields) ? undefined : constant(value);
  },
  write: (text, { fields }) => {
    const value = constantOf(text, widthOf(fields));
    return value === undefined ? undefined : fieldsOf(value, widthOf(fields));
  },
});

const wideValue = (fields: Fields, size: Width): bigint | undefined => {
  const shift = fields.hw! * 16;
  return shift >= size * 8 ? undefined : BigInt(fields.imm16!) << BigInt(shift);
};

/** The constant of `mov` in the encoding of MOVZ. */
export const movedWide: Codec = moveCodec(wideValue, (value) => wideFields(value));

/** The constant of `mov` in the encoding of MOVN. */
export const movedInverse: Codec = moveCodec((fields, size) => {
  const value = wideValue(fields, size);
  return value === undefined ? undefined : inverted(value, size);
}, inverseFields);

const bitmaskValue = (fields: Fields, size: Width): bigint | undefined =>
  decodeBitmask(fields as { N: number; immr: number; imms: number }, size);

/** The constant of a logical instruction. Bits of `immr` and `imms` without effect do not change it. */
export const bitmask: Codec = {
  read: (fields) => {
    const value = bitmaskValue(fields, widthOf(fields));
    return value === undefined ? undefined : constant(value);
  },
  write: (text, { fields }) => {
    const value = constantOf(text, widthOf(fields));
    return value === undefined ? undefined : encodeBitmask(value, widthOf(fields));
  },
};

/** The constant of `mov` in the encoding of ORR, which neither MOVZ nor MOVN can give. */
export const movedBitmask: Codec = {
  read: (fields) => {
    const size = widthOf(fields);
    const value = bitmaskValue(fields, size);
    const preferred = value !== undefined && (wideFields(value) ?? inverseFields(value, size));
    return value === undefined || preferred ? undefined : constant(value);
  },
  write: bitmask.write,
};

/** The fields of a bitfield move or EXTR, nothing where they are reserved: `N` is a copy of `sf`, positions are in the width. */
const bitfield = (
  fields: Fields,
): { readonly immr: number; readonly imms: number; readonly bits: number } | undefined => {
  const { N, sf, immr = 0, imms = 0 } = fields;
  const bits = widthOf(fields) * 8;
  return N === sf && immr < bits && imms < bits ? { immr, imms, bits } : undefined;
};

/** A number from `least` to one below the width of the registers and `more`. */
const bitCount = (text: OperandText, { fields }: Encoding, least: number, more = 0): number | undefined => {
  const value = numberOf(text);
  const inRange = value !== undefined && value >= BigInt(least) && value < BigInt(widthOf(fields) * 8 + more);
  return inRange ? Number(value) : undefined;
};

/** A bit position of EXTR. */
export const position: Codec = {
  read: (fields) => {
    const { imms } = bitfield(fields) ?? {};
    return imms === undefined ? undefined : constant(imms);
  },
  write: (text, encoding) => {
    const imms = bitCount(text, encoding, 0);
    return imms === undefined ? undefined : { imms, N: encoding.fields.sf! };
  },
};

/** The amount of a right shift in the encoding of a bitfield move: the field reaches up to the top bit. */
export const rightShift: Codec = {
  read: (fields) => {
    const { immr, imms, bits } = bitfield(fields) ?? {};
    return immr !== undefined && imms === bits! - 1 ? constant(immr) : undefined;
  },
  write: (text, encoding) => {
    const immr = bitCount(text, encoding, 0);
    return immr === undefined ? undefined : { immr, imms: widthOf(encoding.fields) * 8 - 1, N: encoding.fields.sf! };
  },
};

/** The amount of a left shift in the encoding of a bitfield move. */
export const leftShift: Codec = {
  read: (fields) => {
    const { immr, imms, bits } = bitfield(fields) ?? {};
    return imms !== undefined && imms + 1 === immr ? constant(bits! - immr) : undefined;
  },
  write: (text, encoding) => {
    const amount = bitCount(text, encoding, 0);
    const bits = widthOf(encoding.fields) * 8;
    return amount === undefined
      ? undefined
      : { immr: (bits - amount) % bits, imms: bits - 1 - amount, N: encoding.fields.sf! };
  },
};

/** The lowest bit of what a bitfield move takes out of its source. */
export const extractedFrom: Codec = {
  read: (fields) => {
    const { immr, imms } = bitfield(fields) ?? {};
    return immr !== undefined && imms! >= immr ? constant(immr) : undefined;
  },
  write: (text, encoding) => {
    const immr = bitCount(text, encoding, 0);
    return immr === undefined ? undefined : { immr, N: encoding.fields.sf! };
  },
};

/** The number of bits behind {@link extractedFrom}. */
export const extractedBits: Codec = {
  read: ({ immr, imms }) => constant(imms! - immr! + 1),
  write: (text, encoding) => {
    const width = bitCount(text, encoding, 1, 1);
    const imms = encoding.fields.immr! + (width ?? 0) - 1;
    return width === undefined || imms >= widthOf(encoding.fields) * 8 ? undefined : { imms };
  },
};

/** The lowest bit of where a bitfield move puts the low bits of its source. */
export const insertedAt: Codec = {
  read: (fields) => {
    const { immr, imms, bits } = bitfield(fields) ?? {};
    return immr !== undefined && imms! < immr ? constant(bits! - immr) : undefined;
  },
  write: (text, encoding) => {
    const lsb = bitCount(text, encoding, 0);
    const bits = widthOf(encoding.fields) * 8;
    return lsb === undefined ? undefined : { immr: (bits - lsb) % bits, N: encoding.fields.sf! };
  },
};

/** The number of bits behind {@link insertedAt}. */
export const insertedBits: Codec = {
  read: ({ imms }) => constant(imms! + 1),
  write: (text, encoding) => {
    const width = bitCount(text, encoding, 1, 1);
    const bits = widthOf(encoding.fields) * 8;
    const lsb = (bits - encoding.fields.immr!) % bits;
    return width === undefined || lsb + width > bits ? undefined : { imms: width - 1 };
  },
};

/** The bit number of TBZ and TBNZ. */
export const bitNumber: Codec = {
  read: ({ b5, b40 }) => constant(b5! * 32 + b40!),
  write: (text, { fields }) => {
    const value = numberOf(text);
    if (value === undefined || BigInt.asUintN(fields.b5 === 0 ? 5 : 6, value) !== value) return undefined;
    return { b5: Number(value >> 5n), b40: Number(value & 31n) };
  },
};
