import type { Condition, Width } from "./instruction.js";
import { conditions } from "./instruction.js";
import { arithmeticFlags, flag } from "./registers.js";

/** A result and the arithmetic flags after it. The result is truncated to the operand size. */
export type Computed = { readonly value: bigint; readonly flags: bigint };

const bit = (set: boolean, mask: bigint): bigint => (set ? mask : 0n);

const isNegative = (value: bigint, size: Width): boolean => value >> BigInt(size * 8 - 1) === 1n;

/** Whether the lowest byte has an even number of set bits. */
export const hasEvenParity = (value: bigint): boolean => {
  let byte = Number(value & 0xffn);
  byte ^= byte >> 4;
  byte ^= byte >> 2;
  byte ^= byte >> 1;
  return byte % 2 === 0;
};

/** SF, ZF and PF of a result (Intel SDM vol. 1, 3.4.3.1). */
const resultFlags = (value: bigint, size: Width): bigint =>
  bit(isNegative(value, size), flag.sign) | bit(value === 0n, flag.zero) | bit(hasEvenParity(value), flag.parity);

const add = (left: bigint, right: bigint, carry: bigint, size: Width): Computed => {
  const sum = left + right + carry;
  const value = BigInt.asUintN(size * 8, sum);
  const flags =
    resultFlags(value, size) |
    bit(sum !== value, flag.carry) |
    ((left ^ right ^ value) & flag.adjust) |
    bit(isNegative((left ^ value) & (right ^ value), size), flag.overflow);
  return { value, flags };
};

const subtract = (left: bigint, right: bigint, borrow: bigint, size: Width): Computed => {
  const difference = left - right - borrow;
  const value = BigInt.asUintN(size * 8, difference);
  const flags =
    resultFlags(value, size) |
    bit(difference < 0n, flag.carry) |
    ((left ^ right ^ value) & flag.adjust) |
    bit(isNegative((left ^ right) & (left ^ value), size), flag.overflow);
  return { value, flags };
};

// The manual leaves AF undefined; AMD processors clear it.
const logic = (value: bigint, size: Width): Computed => ({ value, flags: resultFlags(value, size) });

const keepCarry = ({ value, flags }: Computed, before: bigint): Computed => ({
  value,
  flags: (flags & ~flag.carry) | (before & flag.carry),
});

type Shift = "shl" | "shr" | "sar";

/**
 * CF is the last bit shifted out. OF tells whether two top bits differ: carry and result's (SHL), the result's two (SHR);
 * SAR clears it. The manual defines it for a count of 1 alone, and never AF, which AMD processors set.
 */
const shift = (kind: Shift, operand: bigint, rawCount: bigint, size: Width, before: bigint): Computed => {
  const count = rawCount & (size === 8 ? 0x3fn : 0x1fn);
  if (count === 0n) return { value: operand, flags: before };
  const bits = BigInt(size * 8);
  const wide = kind === "sar" ? BigInt.asIntN(size * 8, operand) : operand;
  const value = BigInt.asUintN(size * 8, kind === "shl" ? wide << count : wide >> count);
  const lost = kind === "shl" ? (operand << count) >> bits : wide >> (count - 1n);
  const carry = (lost & 1n) === 1n;
  const below = isNegative(BigInt.asUintN(size * 8, value << 1n), size);
  const overflow = kind !== "sar" && isNegative(value, size) !== (kind === "shl" ? carry : below);
  const flags = resultFlags(value, size) | bit(carry, flag.carry) | bit(overflow, flag.overflow) | flag.adjust;
  return { value, flags };
};

/**
 * ROL and ROR: CF is the bit that came round, where the count is not 0; ROL's OF tells whether the two ends of the result differ, ROR's
 * whether its two top bits do. The manual defines OF for a count of 1 alone.
 */
const rotate = (left: boolean, operand: bigint, rawCount: bigint, size: Width, before: bigint): Computed => {
  const masked = rawCount & (size === 8 ? 0x3fn : 0x1fn);
  if (masked === 0n) return { value: operand, flags: before };
  const bits = BigInt(size * 8);
  const up = left ? masked % bits : (bits - (masked % bits)) % bits;
  const value = BigInt.asUintN(size * 8, (operand << up) | (operand >> (bits - up)));
  const carry = left ? (value & 1n) === 1n : isNegative(value, size);
  const other = left ? isNegative(value, size) : isNegative(BigInt.asUintN(size * 8, value << 1n), size);
  return { value, flags: withCarries(before, carry, carry !== other) };
};

/** RCL and RCR: the same with CF as one more bit. */
const rotateCarry = (left: boolean, operand: bigint, rawCount: bigint, size: Width, before: bigint): Computed => {
  const width = BigInt(size * 8) + 1n;
  const count = (rawCount & (size === 8 ? 0x3fn : 0x1fn)) % width;
  if (count === 0n) return { value: operand, flags: before };
  const whole = ((before & flag.carry) << BigInt(size * 8)) | operand;
  const up = left ? count : width - count;
  const turned = BigInt.asUintN(size * 8 + 1, (whole << up) | (whole >> (width - up)));
  const value = BigInt.asUintN(size * 8, turned);
  const carry = turned >> BigInt(size * 8) === 1n;
  const top = isNegative(value, size);
  const overflow = left ? top !== carry : top !== isNegative(BigInt.asUintN(size * 8, value << 1n), size);
  return { value, flags: withCarries(before, carry, overflow) };
};

const withCarries = (before: bigint, carry: boolean, overflow: boolean): bigint =>
  (before & ~(flag.carry | flag.overflow)) | bit(carry, flag.carry) | bit(overflow, flag.overflow);

/** Only CF and OF are defined; AMD processors leave the others as they were. */
const multiply = (left: bigint, right: bigint, size: Width, before: bigint): Computed => {
  const product = BigInt.asIntN(size * 8, left) * BigInt.asIntN(size * 8, right);
  const overflows = BigInt.asIntN(size * 8, product) !== product;
  const changed = flag.carry | flag.overflow;
  return { value: BigInt.asUintN(size * 8, product), flags: (before & ~changed) | bit(overflows, changed) };
};

type Arithmetic = (left: bigint, right: bigint, size: Width, flags: bigint) => Computed;

/**
 * The arithmetic operations on unsigned operands of `size` bytes. `flags` are the arithmetic flags before; operations of one
 * operand ignore `right`. Source: the instructions' pages in Intel SDM vol. 2. Flags that it leaves undefined are
 * given as an AMD EPYC processor sets them.
 */
export const arithmetic = {
  add: (left, right, size) => add(left, right, 0n, size),
  adc: (left, right, size, flags) => add(left, right, flags & flag.carry, size),
  sub: (left, right, size) => subtract(left, right, 0n, size),
  sbb: (left, right, size, flags) => subtract(left, right, flags & flag.carry, size),
  cmp: (left, right, size) => subtract(left, right, 0n, size),
  and: (left, right, size) => logic(left & right, size),
  or: (left, right, size) => logic(left | right, size),
  xor: (left, right, size) => logic(left ^ right, size),
  test: (left, right, size) => logic(left & right, size),
  inc: (operand, _, size, flags) => keepCarry(add(operand, 1n, 0n, size), flags),
  dec: (operand, _, size, flags) => keepCarry(subtract(operand, 1n, 0n, size), flags),
  neg: (operand, _, size) => subtract(0n, operand, 0n, size),
  not: (operand, _, size, flags) => ({ value: BigInt.asUintN(size * 8, ~operand), flags }),
  shl: (operand, count, size, flags) => shift("shl", operand, count, size, flags),
  shr: (operand, count, size, flags) => shift("shr", operand, count, size, flags),
  sar: (operand, count, size, flags) => shift("sar", operand, count, size, flags),
  rol: (operand, count, size, flags) => rotate(true, operand, count, size, flags),
  ror: (operand, count, size, flags) => rotate(false, operand, count, size, flags),
  rcl: (operand, count, size, flags) => rotateCarry(true, operand, count, size, flags),
  rcr: (operand, count, size, flags) => rotateCarry(false, operand, count, size, flags),
  imul: (left, right, size, flags) => multiply(left, right, size, flags),
} as const satisfies { readonly [op: string]: Arithmetic };

/** An operation of {@link arithmetic}. */
export type ArithmeticOperation = keyof typeof arithmetic;

/** Whether a condition holds (Intel SDM vol. 1, appendix B). */
export const holds = (condition: Condition, rflags: bigint): boolean => {
  const flags = rflags & arithmeticFlags;
  const isSet = (mask: bigint) => (flags & mask) !== 0n;
  const less = isSet(flag.sign) !== isSet(flag.overflow);
  const number = conditions.indexOf(condition);
  const positive = [
    isSet(flag.overflow),
    isSet(flag.carry),
    isSet(flag.zero),
    isSet(flag.carry | flag.zero),
    isSet(flag.sign),
    isSet(flag.parity),
    less,
    less || isSet(flag.zero),
  ][number >> 1]!;
  // The lowest bit of the encoding negates.
  return positive !== (number % 2 === 1);
};
