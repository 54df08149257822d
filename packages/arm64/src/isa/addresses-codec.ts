import { InputError } from "@cmodx/core";
import type { Codec, Encoding, OperandText } from "./codec.js";
import type { MemoryOperand } from "./instruction.js";
import { type Fields, signed } from "./layout.js";
import { registerNumber, registerOperand } from "./registers.js";
import { readIndex, writeIndex } from "./registers-codec.js";

const base = ({ rn }: Fields) => registerOperand(rn!, 8, "sp");

const place = (fields: Fields, mode: MemoryOperand["mode"], offset: number): MemoryOperand => ({
  kind: "memory",
  base: base(fields),
  mode,
  offset: BigInt(offset),
});

/** The base of an address of this mode that has no index. */
const baseFields = (text: OperandText, mode: MemoryOperand["mode"]): Fields | undefined =>
  text.kind === "memory" && text.mode === mode && text.index === undefined
    ? { rn: registerNumber(text.base) }
    : undefined;

/** The base register alone. */
export const atBase: Codec = {
  read: (fields) => place(fields, "offset", 0),
  write: (text) => (text.kind === "memory" && text.offset === 0n ? baseFields(text, "offset") : undefined),
};

/** Base and unsigned offset, a multiple of the access's size in bytes. */
export const scaledOffset = (size: number): Codec => ({
  read: (fields) => place(fields, "offset", fields.imm12! * size),
  write: (text) => {
    const fields = baseFields(text, "offset");
    if (fields === undefined || text.kind !== "memory") return undefined;
    const scaled = text.offset / BigInt(size);
    const fits = scaled * BigInt(size) === text.offset && BigInt.asUintN(12, scaled) === scaled;
    return fits ? { ...fields, imm12: Number(scaled) } : undefined;
  },
});

/** Base and signed offset in a field, in units of `scale` bytes. */
export const signedOffset = (mode: MemoryOperand["mode"], field: "imm7" | "imm9", scale: number): Codec => {
  const width = field === "imm7" ? 7 : 9;
  return {
    read: (fields) => place(fields, mode, signed(fields[field]!, width) * scale),
    write: (text) => {
      const fields = baseFields(text, mode);
      if (fields === undefined || text.kind !== "memory") return undefined;
      const scaled = text.offset / BigInt(scale);
      const fits = scaled * BigInt(scale) === text.offset && BigInt.asIntN(width, scaled) === scaled;
      return fits ? { ...fields, [field]: Number(scaled) & (2 ** width - 1) } : undefined;
    },
  };
};

/**
 * An address that is written back to its base. Where that is also a register that the instruction transfers the architecture
 * leaves the effect open (Arm ARM, C6.2, LDR); one of the effects it allows is that the instruction is UNDEFINED.
 */
export const writtenBack = (codec: Codec, transferred: readonly string[]): Codec => ({
  read: (fields) =>
    fields.rn !== 31 && transferred.some((name) => fields[name] === fields.rn) ? undefined : codec.read(fields),
  write: codec.write,
});

/** Base and index register, for an access of `size` bytes. */
export const indexed = (size: number): Codec => ({
  read: (fields) => {
    const index = readIndex(fields, size);
    return index && { ...place(fields, "offset", 0), index };
  },
  write: (text) => {
    if (text.kind !== "memory" || text.index === undefined || text.mode !== "offset") return undefined;
    const index = writeIndex(text.index, size);
    return index && { ...index, rn: registerNumber(text.base) };
  },
});

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

/** The distance from the instruction to what the text names. */
const distanceTo = (text: OperandText, at: bigint): bigint | undefined => {
  if (text.kind === "relative") return text.displacement;
  if (text.kind !== "number" || text.modifier) return undefined;
  return text.hash ? text.value : BigInt.asIntN(64, text.value - at);
};

/** The distance in units of `unit` bytes, if it fits `width` bits. */
const inUnits = (distance: bigint, unit: bigint, width: number, { at, mnemonic }: Encoding): number => {
  const scaled = distance / unit;
  if (scaled * unit === distance && BigInt.asIntN(width, scaled) === scaled) return Number(scaled);
  const limit = unit << BigInt(width - 1);
  const allowed = unit === 1n ? "" : `multiples of ${unit} from `;
  throw new InputError(
    `"${mnemonic}" at ${hex(at)} cannot reach ${hex(at + distance)}: the target lies ${distance} bytes away, allowed are ` +
      `${allowed}${-limit} to ${limit - unit}.`,
    { code: "out-of-range" },
  );
};

/** A place whose distance in words is in a field of `width` bits. */
export const label = (field: "imm14" | "imm19" | "imm26", width: number): Codec => ({
  read: (fields) => ({ kind: "relative", displacement: BigInt(signed(fields[field]!, width)) * 4n }),
  write: (text, encoding) => {
    const distance = distanceTo(text, encoding.at);
    return distance === undefined ? undefined : { [field]: inUnits(distance, 4n, width, encoding) & (2 ** width - 1) };
  },
});

const split = (value: number): Fields => ({ immlo: value & 3, immhi: (value >> 2) & 0x7ffff });

const joined = ({ immlo, immhi }: Fields): bigint => BigInt(signed(immhi! * 4 + immlo!, 21));

/** A place whose distance in bytes ADR has in 21 bits. */
export const near: Codec = {
  read: (fields) => ({ kind: "relative", displacement: joined(fields) }),
  write: (text, encoding) => {
    const distance = distanceTo(text, encoding.at);
    return distance === undefined ? undefined : split(inUnits(distance, 1n, 21, encoding));
  },
};

const pageOf = (address: bigint): bigint => address & ~0xfffn;

/** The page whose distance from the instruction's own ADRP has in 21 bits. */
export const page: Codec = {
  read: (fields) => ({ kind: "page", displacement: joined(fields) * 0x1000n }),
  write: (text, encoding) => {
    const distance = distanceTo(text, encoding.at);
    if (distance === undefined) return undefined;
    const isOffset = text.kind === "number" && text.hash;
    const pages = isOffset ? distance : pageOf(encoding.at + distance) - pageOf(encoding.at);
    return split(inUnits(pages, 0x1000n, 21, encoding));
  },
};
