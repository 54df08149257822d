import type { Modifier, Width } from "./instruction.js";
import { flag } from "./registers.js";

/** A result, truncated to the operand size, and the condition flags after it. */
export type Computed = { readonly value: bigint; readonly nzcv: bigint };

const truncate = (value: bigint, size: Width): bigint => BigInt.asUintN(size * 8, value);

const signed = (value: bigint, size: Width): bigint => BigInt.asIntN(size * 8, value);

const bit = (set: boolean, mask: bigint): bigint => (set ? mask : 0n);

const resultFlags = (value: bigint, size: Width): bigint =>
  bit(signed(value, size) < 0n, flag.negative) | bit(value === 0n, flag.zero);

/** The sum of two unsigned operands and a carry of 0 or 1 (Arm ARM, shared pseudocode AddWithCarry). */
export const addWithCarry = (left: bigint, right: bigint, carry: bigint, size: Width): Computed => {
  const value = truncate(left + right + carry, size);
  const nzcv =
    resultFlags(value, size) |
    bit(left + right + carry !== value, flag.carry) |
    bit(signed(left, size) + signed(right, size) + carry !== signed(value, size), flag.overflow);
  return { value, nzcv };
};

/** The difference of two unsigned operands; C is set when nothing was borrowed. `carry` 0 takes one more away. */
export const subtract = (left: bigint, right: bigint, size: Width, carry = 1n): Computed =>
  addWithCarry(left, truncate(~right, size), carry, size);

/** A logical result: C and V are cleared. */
export const logic = (value: bigint, size: Width): Computed => {
  const result = truncate(value, size);
  return { value: result, nzcv: resultFlags(result, size) };
};

/** A shift of an unsigned value by 0 to 63 bits, at most one less than it has (Arm ARM, shared pseudocode ShiftReg). */
export const shift = (value: bigint, by: "lsl" | "lsr" | "asr" | "ror", amount: number, size: Width): bigint => {
  const count = BigInt(amount);
  if (by === "lsl") return truncate(value << count, size);
  if (by === "lsr") return value >> count;
  if (by === "asr") return truncate(signed(value, size) >> count, size);
  return truncate((value >> count) | (value << (BigInt(size * 8) - count)), size);
};

const extensionBits = { b: 8, h: 16, w: 32, x: 64 } as const;

/** A register's value under its shift or extension, as an unsigned value of `size` bytes (Arm ARM, ExtendReg and ShiftReg). */
export const modify = (value: bigint, { by, amount = 0 }: Modifier, size: Width): bigint => {
  if (by === "lsl" || by === "lsr" || by === "asr" || by === "ror") return shift(value, by, amount, size);
  const bits = extensionBits[by.at(-1) as keyof typeof extensionBits];
  const part = by.startsWith("s") ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  return truncate(part << BigInt(amount), size);
};
