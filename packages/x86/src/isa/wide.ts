import type { Outcome, Registers } from "@cmodx/core";
import { type Context, destinationSize, fault, flagsOf, reading, retire, start, withFlags } from "./effect.js";
import type { RegisterOperand, Width } from "./instruction.js";
import { flag, readRegister, registerOperand, writeRegister } from "./registers.js";

/** The two halves of a value of twice the width: AH and AL, DX and AX, EDX and EAX, RDX and RAX. */
const halves = (size: Width): readonly [high: RegisterOperand, low: RegisterOperand] =>
  size === 1
    ? [{ ...registerOperand(0, 1), high: true }, registerOperand(0, 1)]
    : [registerOperand(2, size), registerOperand(0, size)];

const writeHalves = (registers: Registers, size: Width, value: bigint): Registers => {
  const [high, low] = halves(size);
  return writeRegister(writeRegister(registers, low, value), high, value >> BigInt(size * 8));
};

/** MUL and IMUL with one operand. CF and OF tell whether the upper half counts; AMD processors leave the other flags as they were. */
export const multiply = (context: Context, signed: boolean): Outcome =>
  reading(context, [0], ([factor = 0n]) => {
    const size = destinationSize(context.insn);
    const bits = size * 8;
    const [, low] = halves(size);
    const number = (value: bigint) => (signed ? BigInt.asIntN(bits, value) : value);
    const product = number(readRegister(context.registers, low)) * number(factor);
    const fits = (signed ? BigInt.asIntN(bits, product) : BigInt.asUintN(bits, product)) === product;
    const both = flag.carry | flag.overflow;
    const flags = fits ? flagsOf(context) & ~both : flagsOf(context) | both;
    return retire(context, {
      registers: withFlags(writeHalves(context.registers, size, BigInt.asUintN(2 * bits, product)), flags),
      stores: [],
    });
  });

/**
 * DIV and IDIV: quotient in the lower half, remainder in the upper. #DE for a zero and for a quotient that does not fit. The manual leaves
 * all flags open; here they stay.
 */
export const divide = (context: Context, signed: boolean): Outcome =>
  reading(context, [0], ([operand = 0n]) => {
    const size = destinationSize(context.insn);
    const bits = size * 8;
    const [high, low] = halves(size);
    const both = (readRegister(context.registers, high) << BigInt(bits)) | readRegister(context.registers, low);
    const dividend = signed ? BigInt.asIntN(2 * bits, both) : both;
    const divisor = signed ? BigInt.asIntN(bits, operand) : operand;
    if (divisor === 0n) return fault(context, "de");
    const quotient = dividend / divisor;
    if ((signed ? BigInt.asIntN(bits, quotient) : BigInt.asUintN(bits, quotient)) !== quotient)
      return fault(context, "de");
    const remainder = BigInt.asUintN(bits, dividend % divisor);
    const registers = writeHalves(
      context.registers,
      size,
      (remainder << BigInt(bits)) | BigInt.asUintN(bits, quotient),
    );
    return retire(context, { ...start(context), registers });
  });

/** CBW, CWDE, CDQE: the sign of the lower half of an accumulator of `size` bytes fills its upper half. */
export const widen = (context: Context, size: Width): Outcome => {
  const half = readRegister(context.registers, registerOperand(0, (size / 2) as Width));
  const registers = writeRegister(context.registers, registerOperand(0, size), BigInt.asIntN(size * 4, half));
  return retire(context, { registers, stores: [] });
};

/** CWD, CDQ, CQO: the sign of the accumulator fills the register of its upper half. */
export const spread = (context: Context, size: Width): Outcome => {
  const value = BigInt.asIntN(size * 8, readRegister(context.registers, registerOperand(0, size)));
  const registers = writeRegister(context.registers, registerOperand(2, size), value < 0n ? -1n : 0n);
  return retire(context, { registers, stores: [] });
};
