import { atBase, indexed, label, near, page, scaledOffset, signedOffset, writtenBack } from "./addresses-codec.js";
import type { Codec } from "./codec.js";
import { controlRows } from "./control-rows.js";
import { dataRows } from "./data-rows.js";
import {
  addend,
  bitmask,
  bitNumber,
  extractedBits,
  extractedFrom,
  insertedAt,
  insertedBits,
  leftShift,
  movedBitmask,
  movedInverse,
  movedWide,
  position,
  rightShift,
  unsigned,
  wide,
} from "./immediates-codec.js";
import { type Layout, parseLayout } from "./layout.js";
import { memoryRows } from "./memory-rows.js";
import {
  barrierDomain,
  condition,
  dataCacheOperation,
  inverted,
  literal,
  readableRegister,
  writableRegister,
} from "./names-codec.js";
import type { Operation } from "./operations.js";
import { extended, moved, other, register, shifted, tested, twice, type WidthLetter } from "./registers-codec.js";

/** One encoding: where its bits are, and what its operands are, in the order of the text. */
export type Form = { readonly op: Operation; readonly layout: Layout; readonly operands: readonly Codec[] };

const codecs: { readonly [code: string]: Codec } = {
  addend,
  barrier: barrierDomain,
  bit: bitNumber,
  bitmask,
  cond: condition,
  "!cond": inverted,
  dcop: dataCacheOperation,
  far: label("imm26", 26),
  label: label("imm19", 19),
  label14: label("imm14", 14),
  lsl: leftShift,
  imms: position,
  "lsb:extract": extractedFrom,
  "lsb:insert": insertedAt,
  "width:extract": extractedBits,
  "width:insert": insertedBits,
  "mov:bitmask": movedBitmask,
  "mov:inverse": movedInverse,
  "mov:register": moved,
  "mov:wide": movedWide,
  mrs: readableRegister,
  msr: writableRegister,
  near,
  page,
  "Rm:extended": extended,
  "Rm:shifted": shifted(3),
  "Rm:rotated": shifted(4),
  "Rn=Rm": twice("rn", "rm"),
  shift: rightShift,
  "Rt:tested": tested,
  wide,
  "[base]": atBase,
};

/** Widths in bits of the fields that stand for themselves. */
const constants: { readonly [field: string]: number } = { nzcv: 4, CRm: 4, imm5: 5, hint: 7, imm16: 16 };

/**
 * The meaning of an operand's code.
 *
 * `Rd`, `Wt`, `Xn`, …: a register; with `|SP` number 31 is the stack pointer. `Rt2≠`: it must not be `rt`.
 * `[imm12/4]` base and scaled offset, `[imm9]`, `[imm7/8]` signed offset, `!` and `+` before a bracket: written back before and
 * after; `[index/8]` base and index. `'word`: the word itself. The rest are the names of {@link codecs} and {@link constants}.
 */
const codecOf = (code: string): Codec => {
  const known = codecs[code];
  if (known) return known;
  if (code.startsWith("'")) return literal(code.slice(1));
  const width = constants[code];
  if (width !== undefined) return unsigned(code, width);
  const [, letter, field, stack, distinct] = /^([RWX])([a-z]2?)(\|SP)?(≠)?$/.exec(code) ?? [];
  if (letter !== undefined && field !== undefined) {
    const codec = register(letter as WidthLetter, `r${field}`, stack ? "sp" : "zr");
    return distinct ? other(codec, `r${field}`, ["rt"]) : codec;
  }
  const [, mode = "", kind, size = "1"] = /^([!+])?\[(imm12|imm9|imm7|index)(?:\/(\d+))?\]$/.exec(code) ?? [];
  if (kind === "imm12") return scaledOffset(Number(size));
  if (kind === "index") return indexed(Number(size));
  if (kind !== "imm9" && kind !== "imm7") throw new Error(`No operand is encoded as "${code}".`);
  if (mode === "") return signedOffset("offset", kind, Number(size));
  const codec = signedOffset(mode === "!" ? "pre" : "post", kind, Number(size));
  return writtenBack(codec, kind === "imm7" ? ["rt", "rt2"] : ["rt"]);
};

const parse = (row: string): Form => {
  const [bits = "", text = ""] = row.split("|>");
  const [op, ...codes] = text.trim().split(/\s+/);
  return { op: op as Operation, layout: parseLayout(bits), operands: codes.map(codecOf) };
};

const rowsOf = (rows: string): readonly string[] => rows.split("\n").filter((row) => row.trim() !== "");

/** Every encoding; of several that fit a word the first is the preferred one. */
export const forms: readonly Form[] = [dataRows, memoryRows, controlRows].flatMap(rowsOf).map(parse);
