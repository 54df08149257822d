import type { Outcome } from "@cmodx/core";
import { access, addressFault, type Context, retire, unsigned } from "./effect.js";
import type { Width } from "./instruction.js";

/**
 * MOVS and STOS of `size` bytes, upwards as the ABI has DF. One execution is one iteration: a repeated one goes on at itself until RCX is
 * 0, since interrupts and other CPUs can come between two (Intel SDM vol. 2, REP).
 */
export const string = (context: Context, size: Width, from: "rsi" | "rax"): Outcome => {
  const { insn, at, next, registers, loaded } = context;
  const count = registers.rcx ?? 0n;
  if (insn.repeated && count === 0n) return retire(context);
  const source = registers.rsi ?? 0n;
  const target = registers.rdi ?? 0n;
  const isCopy = from === "rsi";
  const faulting =
    (isCopy ? addressFault(context, source, size, false) : undefined) ?? addressFault(context, target, size, false);
  if (faulting) return faulting;
  if (isCopy && loaded.length === 0) return { do: "load", from: [access(context, source, size)] };
  const value = isCopy ? loaded[0]! : (registers.rax ?? 0n);
  const step = BigInt(size);
  const after = {
    ...registers,
    rdi: unsigned(target + step),
    ...(isCopy && { rsi: unsigned(source + step) }),
    ...(insn.repeated && { rcx: count - 1n }),
  };
  const goesOn = insn.repeated && count > 1n ? at : next;
  return retire(context, { registers: after, stores: [access(context, target, size, value)] }, goesOn);
};
