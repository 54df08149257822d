import { type Access, type Outcome, RELEASED, type Registers, reserving, takesPlace } from "@cmodx/core";
import { type Context, evaluate, retire, trap, unsigned } from "./effect.js";
import type { MemoryOperand, RegisterOperand } from "./instruction.js";
import { type Accessing, changes } from "./memory-operations.js";
import { readRegister, writeRegister } from "./registers.js";

const isRegister = (operand: { readonly kind: string }): operand is RegisterOperand => operand.kind === "register";

const isMemory = (operand: { readonly kind: string }): operand is MemoryOperand => operand.kind === "memory";

type Place = { readonly address: bigint; readonly registers: Registers; readonly stack: bigint };

/** Where the instruction accesses memory, and the registers after the base was written back. */
const placeOf = (context: Context): Place => {
  const { insn, registers } = context;
  const memory = insn.operands.find(isMemory);
  // A literal's address is known from the pc.
  if (memory === undefined) return { address: evaluate(context, insn.operands.at(-1), 8), registers, stack: 0n };
  const base = readRegister(registers, memory.base);
  const index = memory.index ? evaluate(context, memory.index, 8) : 0n;
  const sum = unsigned(base + memory.offset + index);
  return {
    address: memory.mode === "post" ? base : sum,
    registers: memory.mode === "offset" ? registers : writeRegister(registers, memory.base, sum),
    stack: memory.base.register === "sp" ? base : 0n,
  };
};

/** The accesses of an instruction, one for each register that it transfers. */
type Transfer = { readonly registers: readonly RegisterOperand[]; readonly accesses: readonly Access[] };

const transferOf = ({ insn }: Context, { kind, size, tags }: Accessing, address: bigint): Transfer => {
  const operands = insn.operands.filter(isRegister);
  // The first register of an exclusive store tells whether it took place.
  const first = kind === "exclusive" ? operands.slice(1) : operands.slice(0, 1);
  const registers = kind === "load" || kind === "store" ? operands : first;
  const bytes = size ?? registers[0]!.size;
  const accesses = registers.map((_, position) => ({
    address: unsigned(address + BigInt(position * bytes)),
    size: bytes,
    tags,
  }));
  return { registers, accesses };
};

const stored = (access: Access, value: bigint): Access => ({
  ...access,
  value: BigInt.asUintN(access.size * 8, value),
});

const without = (access: Access, tag: string): Access => ({
  ...access,
  tags: access.tags.filter((word) => word !== tag),
});

/** A load that keeps nothing of what it read acquires nothing (Arm ARM, LDADD and SWP; aarch64.cat of herd7 says so of CAS too). */
const atomicLoad = (access: Access, destination: RegisterOperand | undefined): Access =>
  destination === undefined || destination.register === "zr"
    ? without(without(access, "release"), "acquire")
    : without(access, "release");

const atomic = (context: Context, kind: keyof typeof changes, access: Access): Outcome => {
  const [first, second] = context.insn.operands.filter(isRegister);
  const [old] = context.loaded;
  if (old === undefined) return { do: "load", from: [atomicLoad(access, kind === "cas" ? first : second)] };
  const part = (register: RegisterOperand | undefined) =>
    BigInt.asUintN(access.size * 8, register ? readRegister(context.registers, register) : 0n);
  const compared = part(first);
  const operand = kind === "cas" ? part(second) : compared;
  const destination = kind === "cas" ? first : second;
  const registers = destination === undefined ? context.registers : writeRegister(context.registers, destination, old);
  const store = stored(without(access, "acquire"), changes[kind](old, operand, compared));
  return retire(context, { registers, stores: kind === "cas" && old !== compared ? [] : [store] });
};

/** Loads and reserves the place (Arm ARM, LDXR and B2.17.1). */
const reserve = (context: Context, access: Access, destination: RegisterOperand): Outcome => {
  const [value] = context.loaded;
  if (value === undefined) return { do: "load", from: [access] };
  const written = writeRegister(context.registers, destination, value);
  return retire(context, { registers: { ...written, ...reserving(access, value) } });
};

/** Stores where the place is reserved still, and tells with 0 that it did (Arm ARM, STXR). */
const storeExclusive = (context: Context, access: Access, source: RegisterOperand): Outcome => {
  const [status] = context.insn.operands.filter(isRegister);
  const takes = takesPlace(context.registers, access, context.loaded);
  if (takes === "load") return { do: "load", from: [{ ...access, tags: [] }] };
  const registers = { ...writeRegister(context.registers, status!, takes ? 0n : 1n), ...RELEASED };
  return retire(context, {
    registers,
    stores: takes ? [stored(access, readRegister(context.registers, source))] : [],
  });
};

/** Executes a load, a store or an atomic access. */
export const executeMemory = (context: Context, accessing: Accessing): Outcome => {
  const place = placeOf(context);
  const { registers, accesses } = transferOf(context, accessing, place.address);
  const misplaced = accessing.aligned && accesses.some(({ address, size }) => address % BigInt(size) !== 0n);
  if (place.stack % 16n !== 0n || misplaced) return trap(context, "pf");
  const { kind } = accessing;
  if (kind === "store") {
    const stores = accesses.map((access, position) =>
      stored(access, readRegister(context.registers, registers[position]!)),
    );
    return retire(context, { registers: place.registers, stores });
  }
  if (kind === "reserve") return reserve(context, accesses[0]!, registers[0]!);
  if (kind === "exclusive") return storeExclusive(context, accesses[0]!, registers[0]!);
  if (kind !== "load") return atomic(context, kind, accesses[0]!);
  if (context.loaded.length < accesses.length) return { do: "load", from: accesses };
  const written = registers.reduce((all, register, position) => {
    const value = context.loaded[position]!;
    return writeRegister(all, register, accessing.signed ? BigInt.asIntN(accesses[position]!.size * 8, value) : value);
  }, place.registers);
  return retire(context, { registers: written });
};
