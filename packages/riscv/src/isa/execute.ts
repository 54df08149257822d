import {
  type Access,
  MONITOR,
  type Outcome,
  RELEASED,
  type Registers,
  reserving as reservation,
  takesPlace,
} from "@cmodx/core";
import {
  type AmoOperation,
  type ArithmeticOperation,
  amos,
  arithmetic,
  type BranchOperation,
  branches,
  type ImmediateOperation,
  immediates,
} from "./arithmetic.js";
import type { Operation, RiscvInstruction } from "./instruction.js";
import {
  type ConditionalOperation,
  conditional,
  type LoadOperation,
  loads,
  type ReservingOperation,
  reserving,
  type StoreOperation,
  stores,
} from "./memory-operations.js";
import { isLink, type Register } from "./registers.js";
import type { Vector } from "./vectors.js";

/** One execution: `next` is the address after the instruction, `loaded` holds what the loads asked for returned. */
type Context = {
  readonly insn: RiscvInstruction;
  readonly at: bigint;
  readonly next: bigint;
  readonly registers: Registers;
  readonly loaded: readonly bigint[];
};

const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

const read = ({ registers }: Context, register: Register | undefined): bigint =>
  register === undefined || register === "zero" ? 0n : (registers[register] ?? 0n);

// An absent register holds 0: writing 0 to it changes nothing.
const changed = (context: Context, value: bigint): Registers => {
  const { rd } = context.insn;
  const result = unsigned(value);
  return rd === undefined || rd === "zero" || read(context, rd) === result ? {} : { [rd]: result };
};

const retire = (context: Context, value: bigint): Outcome => ({
  do: "retire",
  registers: changed(context, value),
  next: context.next,
});

const trap = ({ at }: Context, vector: Vector): Outcome => ({ do: "trap", vector, resume: at });

const operate = ({ next }: Context, step: string): Outcome => ({ do: "operate", step, registers: {}, next });

const jump = (context: Context, target: bigint): Outcome => {
  const { rd } = context.insn;
  const outcome = { do: "retire", registers: changed(context, context.next), next: unsigned(target) } as const;
  return rd !== undefined && isLink(rd) ? { ...outcome, link: context.next } : outcome;
};

const addressOf = (context: Context): bigint => unsigned(read(context, context.insn.rs1) + (context.insn.imm ?? 0n));

const VIRTUAL_BITS = 57;

const isCanonical = (address: bigint): boolean => unsigned(BigInt.asIntN(VIRTUAL_BITS, address)) === address;

/** Goes on with an access, unless no translation can map its place. */
const accessing = (
  context: Context,
  size: number,
  tags: readonly string[],
  proceed: (access: Access) => Outcome,
): Outcome => {
  const address = addressOf(context);
  if (!isCanonical(address) || !isCanonical(unsigned(address + BigInt(size - 1)))) return trap(context, "pf");
  return proceed({ address, size, tags });
};

const orderingOf = ({ insn }: Context): readonly string[] => [
  ...(insn.aq ? ["acquire"] : []),
  ...(insn.rl ? ["release"] : []),
];

const load = (context: Context, op: LoadOperation): Outcome => {
  const { size, signed } = loads[op];
  return accessing(context, size, orderingOf(context), (access) => {
    const [value] = context.loaded;
    if (value === undefined) return { do: "load", from: [access] };
    return retire(context, signed ? BigInt.asIntN(size * 8, value) : value);
  });
};

const store = (context: Context, op: StoreOperation): Outcome =>
  accessing(context, stores[op], orderingOf(context), (access) => {
    const value = BigInt.asUintN(access.size * 8, read(context, context.insn.rs2));
    return { do: "retire", registers: {}, next: context.next, stores: [{ ...access, value }] };
  });

/** The acquire and release bits order the whole operation, so that both of its accesses have both tags. */
const amo = (context: Context, op: AmoOperation): Outcome => {
  const { insn } = context;
  const { size, store: stored } = amos[op];
  const tags = ["locked", ...orderingOf(context)];
  return accessing(context, size, tags, (access) => {
    if (access.address % BigInt(size) !== 0n) return trap(context, "misaligned");
    const [found] = context.loaded;
    if (found === undefined) return { do: "load", from: [access] };
    const value = stored(found, read(context, insn.rs2));
    const { next } = context;
    return {
      do: "retire",
      registers: changed(context, BigInt.asIntN(size * 8, found)),
      next,
      stores: [{ ...access, value }],
    };
  });
};

/** An access that has to be aligned. */
const aligned = (context: Context, size: number, proceed: (access: Access) => Outcome): Outcome =>
  accessing(context, size, ["exclusive", ...orderingOf(context)], (access) =>
    access.address % BigInt(size) === 0n ? proceed(access) : trap(context, "misaligned"),
  );

const loadReserved = (context: Context, op: ReservingOperation): Outcome =>
  aligned(context, reserving[op], (access) => {
    const [value] = context.loaded;
    if (value === undefined) return { do: "load", from: [access] };
    const registers = changed(context, BigInt.asIntN(access.size * 8, value));
    return { do: "retire", registers: { ...registers, ...reservation(access, value) }, next: context.next };
  });

const storeConditional = (context: Context, op: ConditionalOperation): Outcome =>
  aligned(context, conditional[op], (access) => {
    const takes = takesPlace(context.registers, access, context.loaded);
    if (takes === "load") return { do: "load", from: [{ ...access, tags: [] }] };
    const value = BigInt.asUintN(access.size * 8, read(context, context.insn.rs2));
    const released = context.registers[MONITOR] ? RELEASED : {};
    return {
      do: "retire",
      registers: { ...changed(context, takes ? 0n : 1n), ...released },
      next: context.next,
      ...(takes ? { stores: [{ ...access, value }] } : {}),
    };
  });

const fence = (context: Context): Outcome => {
  const { pred, succ } = context.insn;
  // With an empty set it is a HINT, such as PAUSE.
  return pred === "0" || succ === "0" ? retire(context, 0n) : operate(context, `fence ${pred},${succ}`);
};

const branch = (context: Context, op: BranchOperation): Outcome => {
  const { insn, at, next } = context;
  const taken = branches[op](read(context, insn.rs1), read(context, insn.rs2));
  return { do: "retire", registers: {}, next: taken ? unsigned(at + (insn.imm ?? 0n)) : next };
};

const isIn = <K extends string>(table: { readonly [op in K]: unknown }, op: Operation): op is Operation & K =>
  op in table;

const single: {
  readonly [op in Exclude<
    Operation,
    | AmoOperation
    | ArithmeticOperation
    | BranchOperation
    | ConditionalOperation
    | ImmediateOperation
    | LoadOperation
    | ReservingOperation
    | StoreOperation
  >]: (context: Context) => Outcome;
} = {
  auipc: (context) => retire(context, context.at + (context.insn.imm ?? 0n)),
  ebreak: (context) => trap(context, "ebreak"),
  ecall: (context) => trap(context, "ecall"),
  fence,
  "fence.i": (context) => operate(context, "fence.i"),
  "fence.tso": (context) => operate(context, "fence.tso"),
  jal: (context) => jump(context, context.at + (context.insn.imm ?? 0n)),
  jalr: (context) => jump(context, addressOf(context) & ~1n),
  lui: (context) => retire(context, context.insn.imm ?? 0n),
  opaque: (context) => ({ do: "retire", registers: {}, next: context.next }),
};

/**
 * Executes an instruction; see `InstructionSet.execute`.
 *
 * - Fences ask for the steps `fence w,o` and the like, by their sets, `fence.tso` and `fence.i`. A fence with an empty set does nothing.
 * - Traps save the pc of the instruction itself, those of `ebreak` and `ecall` too (RISC-V privileged ISA, "sepc"); the
 *   names of their vectors are those of {@link Vector}.
 * - A jump that writes its return address to a link register is a call.
 * - A misaligned load or store is performed as one access; whether it is atomic, or trapped and emulated, is up to the environment.
 *   One of an atomic memory operation raises `misaligned`.
 * - What is opaque changes nothing: whoever lets it pass sees to it that its effect does not matter.
 * - An access that no translation can map, by the widest virtual addresses (Sv57), raises `pf`. A jump there goes there.
 *
 * Source: RISC-V unprivileged ISA, chapters "RV32I", "RV64I", "Zifencei", "M", "A" and "C".
 */
export const execute = (
  insn: RiscvInstruction,
  at: bigint,
  registers: Registers,
  loaded: readonly bigint[] = [],
): Outcome => {
  const context: Context = { insn, at, next: unsigned(at + BigInt(insn.length)), registers, loaded };
  const { op } = insn;
  if (isIn(arithmetic, op)) return retire(context, arithmetic[op](read(context, insn.rs1), read(context, insn.rs2)));
  if (isIn(immediates, op)) {
    return retire(context, arithmetic[immediates[op]](read(context, insn.rs1), unsigned(insn.imm ?? 0n)));
  }
  if (isIn(branches, op)) return branch(context, op);
  if (isIn(loads, op)) return load(context, op);
  if (isIn(stores, op)) return store(context, op);
  if (isIn(reserving, op)) return loadReserved(context, op);
  if (isIn(conditional, op)) return storeConditional(context, op);
  return isIn(amos, op) ? amo(context, op) : single[op](context);
};
