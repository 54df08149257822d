import type { Access, Outcome, Registers } from "@cmodx/core";
import { conditionTests, type Flags } from "./alu.js";
import type { ExceptionVector } from "./exceptions.js";
import { type Armv7Instruction, conditions } from "./instruction.js";
import { contents, type FlagRegister, flagRegisters, type GeneralRegister } from "./registers.js";

/** One execution; `loaded` holds what the loads asked for returned. */
export type Context = {
  readonly insn: Armv7Instruction;
  readonly at: number;
  readonly registers: Registers;
  readonly loaded: readonly bigint[];
};

/** Registers that an execution writes, pc never among them. */
export type Written = { readonly [register in GeneralRegister]?: number };

/** What an execution does besides going on. */
export type Effect = { readonly written?: Written; readonly flags?: Flags; readonly stores?: readonly Access[] };

/** A sum or difference as 32 bits. */
export const wrap = (value: number): number => value >>> 0;

/** The address behind the instruction. */
export const following = ({ at, insn }: Context): number => wrap(at + insn.length);

/** A register as an operand reads it: pc is two instructions ahead (DDI 0406C, A2.3). */
export const read = ({ insn, at, registers }: Context, register: GeneralRegister): number =>
  register === "pc" ? wrap(at + (insn.mode === "a32" ? 8 : 4)) : contents(registers, register);

/** A register as the base of an address or of a constant: pc is aligned to words (DDI 0406C, A2.3). */
export const readBase = (context: Context, register: GeneralRegister): number =>
  register === "pc" ? wrap(read(context, register) & ~3) : read(context, register);

/** A flag, 0 or 1. */
export const readFlag = ({ registers }: Context, flag: FlagRegister): 0 | 1 => (contents(registers, flag) & 1) as 0 | 1;

/** Whether the instruction's condition holds. */
export const passes = (context: Context): boolean => {
  const { condition } = context.insn;
  if (condition === undefined) return true;
  const number = conditions.indexOf(condition);
  const test = conditionTests[number >>> 1];
  if (test === undefined) return true;
  const [n, z, c, v] = flagRegisters.map((flag) => readFlag(context, flag) === 1) as [
    boolean,
    boolean,
    boolean,
    boolean,
  ];
  return test.holds({ n, z, c, v }) !== ((number & 1) === 1);
};

/** An exception whose saved pc is `resume`, the preferred return address (DDI 0406C, B1.8.3). */
export const trap = (vector: ExceptionVector, resume: number): Outcome => ({
  do: "trap",
  vector,
  resume: BigInt(resume),
});

// An absent register holds 0: writing 0 to it changes nothing.
const changes = ({ registers }: Context, written: Written, flags: Flags): Registers =>
  Object.fromEntries(
    Object.entries({ ...written, ...flags })
      .map(([name, value]) => [name, BigInt(value)] as const)
      .filter(([name, value]) => value !== (registers[name] ?? 0n)),
  );

/** Ends an execution with its effect, going on in the same mode. */
export const retire = (
  context: Context,
  { written = {}, flags = {}, stores = [] }: Effect = {},
  next = following(context),
  link?: number,
): Outcome => ({
  do: "retire",
  registers: changes(context, written, flags),
  next: BigInt(next),
  ...(stores.length > 0 && { stores }),
  ...(link !== undefined && { link: BigInt(link) }),
});

/**
 * Ends an execution at an address whose lowest bit chooses the mode: BXWritePC of DDI 0406C, A2.3. An address that is 2 modulo 4
 * is UNPREDICTABLE there; here it aborts the fetch, as later architectures have it.
 */
export const interwork = (context: Context, target: number, effect: Effect = {}, link?: number): Outcome => {
  if ((target & 3) === 2) return trap("pf", target);
  const mode = target & 1 ? "t32" : "a32";
  const outcome = retire(context, effect, wrap(target & ~1), link);
  return outcome.do === "retire" && mode !== context.insn.mode ? { ...outcome, mode } : outcome;
};

/** Ends an execution with a result in a register; in pc it is a branch, which changes the mode in A32 alone (A2.3). */
export const produce = (context: Context, register: GeneralRegister, value: number, effect: Effect = {}): Outcome => {
  if (register !== "pc") return retire(context, { ...effect, written: { ...effect.written, [register]: value } });
  return context.insn.mode === "a32" ? interwork(context, value, effect) : retire(context, effect, wrap(value & ~1));
};

/** Ends an execution with a step of the machine. */
export const operate = (context: Context, step: string, address?: number): Outcome => ({
  do: "operate",
  step,
  registers: {},
  next: BigInt(following(context)),
  ...(address !== undefined && { address: BigInt(address) }),
});

/** An access of the instruction: a store when there is a value. */
export const access = (address: number, size: number, value?: number): Access => ({
  address: BigInt(address),
  size,
  ...(value !== undefined && { value: BigInt.asUintN(size * 8, BigInt(value)) }),
  tags: [],
});
