import type { Access, Outcome, Registers } from "@cmodx/core";
import type { MemoryOperand, Operand, RegisterOperand, Width, X86Instruction } from "./instruction.js";
import { arithmeticFlags, readRegister, writeRegister } from "./registers.js";

/** One execution: `next` is the address after the instruction, `loaded` holds what the loads asked for returned. */
export type Context = {
  readonly insn: X86Instruction;
  readonly at: bigint;
  readonly next: bigint;
  readonly registers: Registers;
  readonly loaded: readonly bigint[];
};

/** What an execution has done so far. */
export type Effect = { readonly registers: Registers; readonly stores: readonly Access[] };

/** No effect yet. */
export const start = ({ registers }: Context): Effect => ({ registers, stores: [] });

/** A value as an address or another quantity of 64 bits. */
export const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Whether the upper bits of an address repeat bit 47, as paging with four levels asks (Intel SDM vol. 1, 3.3.7.1). */
export const isCanonical = (address: bigint): boolean => unsigned(BigInt.asIntN(48, address)) === address;

/**
 * The exceptions that instructions raise (Intel SDM vol. 3, table 6-1): `int3` a breakpoint, saved behind itself; `ud` an undefined
 * instruction, `de` a division whose result does not fit, `gp` and `ss` an address that is not canonical, saved at the instruction.
 */
export const vectors = ["int3", "ud", "de", "gp", "ss"] as const;

/** One of {@link vectors}. */
export type Vector = (typeof vectors)[number];

/** A fault: the saved pc is that of the instruction. */
export const fault = ({ at }: Context, vector: Exclude<Vector, "int3">): Outcome => ({
  do: "trap",
  vector,
  resume: at,
});

// An absent register holds 0: writing 0 to it changes nothing.
const changes = (before: Registers, after: Registers): Registers =>
  Object.fromEntries(Object.entries(after).filter(([name, value]) => value !== (before[name] ?? 0n)));

/** Ends an execution with its effect. Going on at a non-canonical address faults at the instruction itself. */
export const retire = (
  context: Context,
  { registers, stores }: Effect = start(context),
  next = context.next,
  link?: bigint,
): Outcome => {
  if (!isCanonical(next)) return fault(context, "gp");
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
  registers = context.registers,
  next = context.next,
): Outcome => ({ do: "operate", step, registers: changes(context.registers, registers), next });

/** The arithmetic flags before the execution. */
export const flagsOf = ({ registers }: Context): bigint => (registers.rflags ?? 0n) & arithmeticFlags;

/** The registers with other arithmetic flags. */
export const withFlags = (registers: Registers, flags: bigint): Registers => ({
  ...registers,
  rflags: ((registers.rflags ?? 0n) & ~arithmeticFlags) | (flags & arithmeticFlags),
});

/** The address that a memory operand forms without its segment: what LEA yields. */
export const effectiveAddress = (operand: MemoryOperand, registers: Registers, next: bigint): bigint => {
  const base = operand.base === "rip" ? next : operand.base && registers[operand.base];
  const index = operand.index && (registers[operand.index] ?? 0n) * BigInt(operand.scale ?? 1);
  return BigInt.asUintN(operand.addressSize * 8, (base ?? 0n) + (index ?? 0n) + operand.displacement);
};

const linearAddress = (operand: MemoryOperand, registers: Registers, next: bigint): bigint => {
  const segmentBase = operand.segment ? (registers[`${operand.segment}_base`] ?? 0n) : 0n;
  return unsigned(effectiveAddress(operand, registers, next) + segmentBase);
};

/** An access of the instruction: a store when there is a value. */
export const access = ({ insn }: Context, address: bigint, size: number, value?: bigint): Access => ({
  address,
  size,
  ...(value !== undefined && { value: BigInt.asUintN(size * 8, value) }),
  // XCHG with memory locks without the prefix.
  tags: insn.locked || insn.op === "xchg" ? ["locked"] : [],
});

/** The fault of an access with a non-canonical byte: #SS by way of the stack, otherwise #GP (Intel SDM vol. 3, 6.15). */
export const addressFault = (context: Context, address: bigint, size: number, stack: boolean): Outcome | undefined =>
  isCanonical(address) && isCanonical(unsigned(address + BigInt(size - 1)))
    ? undefined
    : fault(context, stack ? "ss" : "gp");

/** The fault of an access to a memory operand, whose address `registers` form. */
export const operandFault = (context: Context, operand: MemoryOperand, registers: Registers): Outcome | undefined => {
  const stack = operand.segment === undefined && (operand.base === "rsp" || operand.base === "rbp");
  return addressFault(context, linearAddress(operand, registers, context.next), operand.size, stack);
};

/** Whether an operand lies in memory. */
export const isMemory = (operand: Operand | undefined): operand is MemoryOperand => operand?.kind === "memory";

/** Goes on with the values of the operands at `positions`, after the load that one in memory needs. */
export const reading = (
  context: Context,
  positions: readonly number[],
  proceed: (values: readonly bigint[]) => Outcome,
): Outcome => {
  const { insn, registers, next, loaded } = context;
  const memory = insn.operands.find(isMemory);
  const faulting = memory && operandFault(context, memory, registers);
  if (faulting) return faulting;
  const operands = positions.map((position) => insn.operands[position]!);
  if (memory && operands.includes(memory) && loaded.length === 0) {
    return { do: "load", from: [access(context, linearAddress(memory, registers, next), memory.size)] };
  }
  return proceed(
    operands.map((operand) => {
      if (operand.kind === "register") return readRegister(registers, operand);
      if (operand.kind === "memory") return loaded[0]!;
      return operand.kind === "immediate" ? operand.value : unsigned(next + operand.displacement);
    }),
  );
};

/** The effect after a value was also written to a register or to memory, at the address that the registers then form. */
export const write = (context: Context, { registers, stores }: Effect, operand: Operand, value: bigint): Effect => {
  if (operand.kind === "register") return { registers: writeRegister(registers, operand, value), stores };
  if (operand.kind !== "memory") return { registers, stores };
  const address = linearAddress(operand, registers, context.next);
  return { registers, stores: [...stores, access(context, address, operand.size, value)] };
};

/** The width in bytes of the first operand, 8 when it is neither register nor memory. */
export const destinationSize = ({ operands: [destination] }: X86Instruction): Width =>
  destination?.kind === "register" || destination?.kind === "memory" ? destination.size : 8;

const rsp: RegisterOperand = { kind: "register", register: "rsp", size: 8 };

/** The address of the top of the stack. */
export const stackTop = ({ registers }: Context): bigint => registers.rsp ?? 0n;

/** Goes on with the effect of a push. */
export const pushing = (
  context: Context,
  value: bigint,
  size: Width,
  proceed: (effect: Effect) => Outcome,
): Outcome => {
  const top = unsigned(stackTop(context) - BigInt(size));
  const registers = writeRegister(context.registers, rsp, top);
  return addressFault(context, top, size, true) ?? proceed({ registers, stores: [access(context, top, size, value)] });
};

/** Goes on with the value at the address `top` of the stack and with the registers after it was popped. */
export const popping = (
  context: Context,
  top: bigint,
  size: Width,
  proceed: (value: bigint, registers: Registers) => Outcome,
): Outcome => {
  const faulting = addressFault(context, top, size, true);
  if (faulting) return faulting;
  const [value] = context.loaded;
  if (value === undefined) return { do: "load", from: [access(context, top, size)] };
  return proceed(value, writeRegister(context.registers, rsp, top + BigInt(size)));
};
