import type { Outcome } from "@cmodx/core";
import { hasEvenParity } from "./arithmetic.js";
import {
  type Context,
  destinationSize,
  flagsOf,
  isMemory,
  reading,
  retire,
  start,
  unsigned,
  withFlags,
  write,
} from "./effect.js";
import { flag, readRegister } from "./registers.js";

const withFlag = (flags: bigint, mask: bigint, set: boolean): bigint => (set ? flags | mask : flags & ~mask);

/** BT, BTS, BTR, BTC: a bit goes to CF and is changed. A register as the number reaches beyond an operand in memory. */
export const bitTest = (context: Context, change: (value: bigint, mask: bigint) => bigint): Outcome => {
  const { insn, registers } = context;
  const [place, number] = insn.operands;
  const size = destinationSize(insn);
  const width = BigInt(size * 8);
  const given = number?.kind === "register" ? BigInt.asIntN(size * 8, readRegister(registers, number)) : 0n;
  const bit = number?.kind === "immediate" ? number.value & (width - 1n) : BigInt.asUintN(64, given) & (width - 1n);
  const words = (given - bit) / width;
  const operand = isMemory(place) ? { ...place, displacement: place.displacement + words * BigInt(size) } : place!;
  const there: Context = { ...context, insn: { ...insn, operands: [operand, number!] } };
  return reading(there, [0], ([value = 0n]) => {
    const changed = change(value, 1n << bit);
    const effect = insn.op === "bt" ? start(there) : write(there, start(there), operand, changed);
    const flags = withFlag(flagsOf(context), flag.carry, ((value >> bit) & 1n) === 1n);
    return retire(context, { ...effect, registers: withFlags(effect.registers, flags) });
  });
};

/**
 * BSF and BSR: the number of the lowest or highest bit that is set; without one ZF is set and the destination stays. The manual leaves the
 * other flags open: an AMD EPYC processor clears all but PF, which is that of the number.
 */
export const bitScan = (context: Context, lowest: boolean): Outcome =>
  reading(context, [1], ([value = 0n]) => {
    const [destination] = context.insn.operands;
    const digits = value.toString(2);
    const number = lowest ? digits.length - 1 - digits.lastIndexOf("1") : digits.length - 1;
    const found = value === 0n ? 0n : BigInt(number);
    const effect = value === 0n ? start(context) : write(context, start(context), destination!, found);
    const parity = hasEvenParity(found) ? flag.parity : 0n;
    const registers = withFlags(effect.registers, parity | (value === 0n ? flag.zero : 0n));
    return retire(context, { ...effect, registers });
  });

/** BSWAP: the bytes in the other order. */
export const byteSwap = (context: Context): Outcome =>
  reading(context, [0], ([value = 0n]) => {
    const [place] = context.insn.operands;
    const size = destinationSize(context.insn);
    let swapped = 0n;
    for (let i = 0; i < size; i++) swapped = (swapped << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
    return retire(context, write(context, start(context), place!, unsigned(swapped)));
  });
