import { rotateRight } from "./constants.js";
import type { ShiftType } from "./instruction.js";
import type { FlagRegister } from "./registers.js";

/** Flags that an operation sets; those left out keep their value. */
export type Flags = { readonly [flag in FlagRegister]?: 0 | 1 };

/** A result of 32 bits with its flags. */
type Result = { readonly value: number; readonly flags: Flags };

/** A value of 32 bits and a carry. */
export type Carried = { readonly value: number; readonly carry: 0 | 1 };

const bit = (value: number, place: number): 0 | 1 => ((value >>> place) & 1) as 0 | 1;

/** Flags N and Z of a value. */
export const signAndZero = (value: number): Flags => ({ n: bit(value, 31), z: value === 0 ? 1 : 0 });

/** AddWithCarry of DDI 0406C, A2.2.1. */
const addWithCarry = (left: number, right: number, carry: 0 | 1): Result => {
  const sum = left + right + carry;
  const value = sum >>> 0;
  const overflow = bit(~(left ^ right) & (left ^ value), 31);
  return { value, flags: { ...signAndZero(value), c: sum > 0xffff_ffff ? 1 : 0, v: overflow } };
};

/** Shift_C of DDI 0406C, A2.2.1: by 0 to 255; by 0 value and carry stay as they are, but RRX always shifts by 1. */
export const shift = (value: number, type: ShiftType, amount: number, carry: 0 | 1): Carried => {
  if (type === "rrx") return { value: ((carry << 31) | (value >>> 1)) >>> 0, carry: bit(value, 0) };
  if (amount === 0) return { value, carry };
  switch (type) {
    case "lsl":
      if (amount > 32) return { value: 0, carry: 0 };
      return { value: amount === 32 ? 0 : (value << amount) >>> 0, carry: bit(value, 32 - amount) };
    case "lsr":
      if (amount > 32) return { value: 0, carry: 0 };
      return { value: amount === 32 ? 0 : value >>> amount, carry: bit(value, amount - 1) };
    case "asr": {
      const places = Math.min(amount, 32);
      return { value: (value >> Math.min(places, 31)) >>> 0, carry: bit(value, places - 1) };
    }
    case "ror": {
      const rotated = rotateRight(value, amount % 32);
      return { value: rotated, carry: bit(rotated, 31) };
    }
  }
};

type Binary = (left: number, right: number, carry: 0 | 1) => Result;

const add: Binary = (left, right) => addWithCarry(left, right, 0);
const subtract: Binary = (left, right) => addWithCarry(left, ~right >>> 0, 1);
const subtractWithCarry: Binary = (left, right, carry) => addWithCarry(left, ~right >>> 0, carry);

/** Operations that set all four flags from their operands. */
export const arithmetic = {
  adc: addWithCarry as Binary,
  add,
  addw: add,
  cmn: add,
  cmp: subtract,
  rsb: ((left, right) => subtract(right, left, 0)) as Binary,
  rsc: ((left, right, carry) => subtractWithCarry(right, left, carry)) as Binary,
  sbc: subtractWithCarry,
  sub: subtract,
  subw: subtract,
} as const;

/** Bitwise operations, which set N and Z, and take C from the shifter. */
export const logical = {
  and: (left: number, right: number) => (left & right) >>> 0,
  bic: (left: number, right: number) => (left & ~right) >>> 0,
  eor: (left: number, right: number) => (left ^ right) >>> 0,
  orn: (left: number, right: number) => (left | ~right) >>> 0,
  orr: (left: number, right: number) => (left | right) >>> 0,
  teq: (left: number, right: number) => (left ^ right) >>> 0,
  tst: (left: number, right: number) => (left & right) >>> 0,
} as const;

const reverseHalves = (value: number): number => (((value & 0xff00ff) << 8) | ((value >>> 8) & 0xff00ff)) >>> 0;

/** Operations on one operand; MOV, MOVW and MVN may set N and Z, and take C from the shifter. */
export const unary = {
  clz: (value: number) => Math.clz32(value),
  mov: (value: number) => value,
  movw: (value: number) => value,
  mvn: (value: number) => ~value >>> 0,
  rbit: (value: number) => Number.parseInt(value.toString(2).padStart(32, "0").split("").reverse().join(""), 2),
  rev: (value: number) => rotateRight(reverseHalves(value), 16),
  rev16: reverseHalves,
  revsh: (value: number) => ((reverseHalves(value) << 16) >> 16) >>> 0,
  sxtb: (value: number) => ((value << 24) >> 24) >>> 0,
  sxth: (value: number) => ((value << 16) >> 16) >>> 0,
  uxtb: (value: number) => value & 0xff,
  uxth: (value: number) => value & 0xffff,
} as const;

/** Whether a condition holds for the flags (DDI 0406C, A8.3.1), by its number without the lowest bit, which inverts it. */
export const conditionTests: readonly {
  readonly reads: readonly FlagRegister[];
  readonly holds: (flags: { readonly [flag in FlagRegister]: boolean }) => boolean;
}[] = [
  { reads: ["z"], holds: ({ z }) => z },
  { reads: ["c"], holds: ({ c }) => c },
  { reads: ["n"], holds: ({ n }) => n },
  { reads: ["v"], holds: ({ v }) => v },
  { reads: ["z", "c"], holds: ({ z, c }) => c && !z },
  { reads: ["n", "v"], holds: ({ n, v }) => n === v },
  { reads: ["n", "z", "v"], holds: ({ n, z, v }) => n === v && !z },
];
