import type { Outcome } from "@cmodx/core";
import { arithmetic } from "./arithmetic.js";
import { type Context, destinationSize, reading, retire, start, withFlags, write } from "./effect.js";
import { registerOperand } from "./registers.js";

/**
 * CMPXCHG (Intel SDM vol. 2): the destination is written either way. Which of the two registers loses its upper half is as an AMD EPYC
 * processor does it: the destination where the values are equal, RAX where they are not.
 */
export const compareAndExchange = (context: Context): Outcome =>
  reading(context, [0, 1], ([old = 0n, source = 0n]) => {
    const [destination] = context.insn.operands;
    const accumulator = registerOperand(0, destinationSize(context.insn));
    const expected = BigInt.asUintN(accumulator.size * 8, context.registers.rax ?? 0n);
    const { flags } = arithmetic.cmp(expected, old, accumulator.size);
    const equal = expected === old;
    const isMemory = destination!.kind === "memory";
    const effect =
      equal || isMemory ? write(context, start(context), destination!, equal ? source : old) : start(context);
    const { registers, stores } = equal ? effect : write(context, effect, accumulator, old);
    return retire(context, { registers: withFlags(registers, flags), stores });
  });

/** XADD: the source gets the old value, then the destination the sum. */
export const exchangeAndAdd = (context: Context): Outcome =>
  reading(context, [0, 1], ([old = 0n, addend = 0n]) => {
    const [destination, source] = context.insn.operands;
    const { value, flags } = arithmetic.add(old, addend, destinationSize(context.insn));
    // The address of memory is formed before the source changes.
    const effect =
      destination!.kind === "memory"
        ? write(context, write(context, start(context), destination!, value), source!, old)
        : write(context, write(context, start(context), source!, old), destination!, value);
    return retire(context, { ...effect, registers: withFlags(effect.registers, flags) });
  });
