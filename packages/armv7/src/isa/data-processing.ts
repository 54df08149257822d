import type { Outcome } from "@cmodx/core";
import { arithmetic, type Carried, type Flags, logical, shift, signAndZero, unary } from "./alu.js";
import { type Context, produce, read, readBase, readFlag, retire, wrap } from "./effect.js";
import type { ImmediateOperand, Operand, RegisterOperand, ShiftType } from "./instruction.js";
import type { GeneralRegister } from "./registers.js";

const shiftAmount = (context: Context, amount: number | GeneralRegister): number =>
  typeof amount === "number" ? amount : read(context, amount) & 0xff;

/** The last operand, and the carry out of its shift or rotation (DDI 0406C, A8.4). */
const flexible = (context: Context, operand: Operand | undefined): Carried => {
  const carry = readFlag(context, "c");
  if (operand?.kind === "immediate") {
    const { value, rotation } = operand;
    return { value, carry: rotation === undefined ? carry : ((value >>> 31) as 0 | 1) };
  }
  const { register, shift: by } = operand as RegisterOperand;
  const value = read(context, register);
  return by === undefined ? { value, carry } : shift(value, by.type, shiftAmount(context, by.amount), carry);
};

const destination = ({ insn }: Context): GeneralRegister => (insn.operands[0] as RegisterOperand).register;

/** The first source: the second of three operands, otherwise the first, which is also the destination. */
const firstSource = (context: Context): number => {
  const { operands } = context.insn;
  const { register } = operands.at(-2) as RegisterOperand;
  return operands.at(-1)?.kind === "immediate" ? readBase(context, register) : read(context, register);
};

const produceFlagged = (context: Context, value: number, flags: Flags): Outcome =>
  produce(context, destination(context), value, context.insn.setsFlags ? { flags } : {});

/** ADD and its like; CMP and CMN set flags alone. */
export const addOrSubtract = (context: Context): Outcome => {
  const op = context.insn.op as keyof typeof arithmetic;
  const right = flexible(context, context.insn.operands.at(-1)).value;
  const { value, flags } = arithmetic[op](firstSource(context), right, readFlag(context, "c"));
  return op === "cmp" || op === "cmn" ? retire(context, { flags }) : produceFlagged(context, value, flags);
};

/** AND and its like; TST and TEQ set flags alone. */
export const combine = (context: Context): Outcome => {
  const op = context.insn.op as keyof typeof logical;
  const { value: right, carry } = flexible(context, context.insn.operands.at(-1));
  const value = logical[op](firstSource(context), right);
  const flags = { ...signAndZero(value), c: carry };
  return op === "tst" || op === "teq" ? retire(context, { flags }) : produceFlagged(context, value, flags);
};

/** MOV and its like. */
export const transform = (context: Context): Outcome => {
  const { value: source, carry } = flexible(context, context.insn.operands[1]);
  const value = unary[context.insn.op as keyof typeof unary](source);
  return produceFlagged(context, value, { ...signAndZero(value), c: carry });
};

/** Shifts that are instructions of their own. */
export const shiftRegister = (context: Context): Outcome => {
  const { op, operands } = context.insn;
  const amount = op === "rrx" ? undefined : (operands.at(-1) as ImmediateOperand | RegisterOperand);
  const source = read(context, (operands.at(op === "rrx" ? -1 : -2) as RegisterOperand).register);
  const places =
    amount === undefined ? 1 : amount.kind === "immediate" ? amount.value : read(context, amount.register) & 0xff;
  const { value, carry } = shift(source, op as ShiftType, places, readFlag(context, "c"));
  return produceFlagged(context, value, { ...signAndZero(value), c: carry });
};

/** The low half of a product. */
export const multiply = (context: Context): Outcome => {
  const [left, right] = context.insn.operands.slice(1) as readonly RegisterOperand[];
  const value = wrap(Math.imul(read(context, left!.register), read(context, right!.register)));
  return produceFlagged(context, value, signAndZero(value));
};

/** Replaces the upper half of a register. */
export const moveTop = (context: Context): Outcome => {
  const { value } = context.insn.operands[1] as ImmediateOperand;
  const register = destination(context);
  return produce(context, register, wrap((read(context, register) & 0xffff) | (value << 16)));
};

/** SBFX and UBFX: a field of bits, with its sign or without. */
export const extract = (context: Context): Outcome => {
  const [, source, lowest, width] = context.insn.operands as readonly [
    RegisterOperand,
    RegisterOperand,
    ImmediateOperand,
    ImmediateOperand,
  ];
  const above = 32 - width.value;
  const moved = read(context, source.register) << (above - lowest.value);
  return produce(context, destination(context), wrap(context.insn.op === "sbfx" ? moved >> above : moved >>> above));
};
