import type { Access, Outcome, Registers } from "@cmodx/core";
import { modify } from "./arithmetic.js";
import { holds } from "./conditions.js";
import type { Vector } from "./exceptions.js";
import type { Arm64Instruction, Operand, Width } from "./instruction.js";
import { conditionFlags, readRegister } from "./registers.js";

/** One execution: `next` is the address after the instruction, `loaded` holds what the loads asked for returned. */
export type Context = {
  readonly insn: Arm64Instruction;
  readonly at: bigint;
  readonly next: bigint;
  readonly registers: Registers;
  readonly loaded: readonly bigint[];
};

/** A value as an address or another quantity of 64 bits. */
export const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The condition flags before the execution. */
export const flagsOf = ({ registers }: Context): bigint => (registers.nzcv ?? 0n) & conditionFlags;

/** Raises an exception; the saved pc is that of the instruction unless another is given. */
export const trap = ({ at }: Context, vector: Vector, resume = at): Outcome => ({ do: "trap", vector, resume });

// An absent register holds 0: writing 0 to it changes nothing.
const changes = (before: Registers, after: Registers): Registers =>
  Object.fromEntries(Object.entries(after).filter(([name, value]) => value !== (before[name] ?? 0n)));

/** Ends an execution; what is not given stays as it was, and execution goes on behind the instruction. */
export const retire = (
  context: Context,
  effect: {
    readonly registers?: Registers;
    readonly stores?: readonly Access[];
    readonly next?: bigint;
    readonly link?: bigint;
  } = {},
): Outcome => {
  const { registers = context.registers, stores = [], next = context.next, link } = effect;
  return {
    do: "retire",
    registers: changes(context.registers, registers),
    next,
    ...(stores.length > 0 && { stores }),
    ...(link !== undefined && { link }),
  };
};

/** Ends an execution with a step of the machine. */
export const operate = (
  context: Context,
  step: string,
  effect: { readonly registers?: Registers; readonly next?: bigint; readonly address?: bigint } = {},
): Outcome => {
  const { registers = context.registers, next = context.next, address } = effect;
  return {
    do: "operate",
    step,
    registers: changes(context.registers, registers),
    next,
    ...(address !== undefined && { address }),
  };
};

/** The unsigned value of an operand in an instruction on `size` bytes: a place's address, 1 or 0 for a condition. */
export const evaluate = (context: Context, operand: Operand | undefined, size: Width): bigint => {
  switch (operand?.kind) {
    case "register": {
      const value = readRegister(context.registers, operand);
      return operand.modifier ? modify(value, operand.modifier, size) : value;
    }
    case "immediate":
      return BigInt.asUintN(size * 8, operand.value << BigInt(operand.shift ?? 0));
    case "relative":
      return unsigned(context.at + operand.displacement);
    case "page":
      return unsigned((context.at & ~0xfffn) + operand.displacement);
    case "condition":
      return holds(operand.condition, flagsOf(context)) ? 1n : 0n;
    default:
      throw new Error(`${context.insn.op} has no value in that operand.`);
  }
};
