import { type Outcome, RELEASED, reserving, takesPlace } from "@cmodx/core";
import { shift } from "./alu.js";
import {
  access,
  type Context,
  interwork,
  read,
  readBase,
  readFlag,
  retire,
  trap,
  type Written,
  wrap,
} from "./effect.js";
import type { ListOperand, MemoryOperand, Operation, RegisterOperand } from "./instruction.js";
import type { GeneralRegister } from "./registers.js";

const offsetOf = (context: Context, { offset }: MemoryOperand): number => {
  if (typeof offset === "number") return offset;
  const value = read(context, offset.register);
  const { type, amount } = offset.shift ?? { type: "lsl", amount: 0 };
  return shift(value, type, amount as number, readFlag(context, "c")).value;
};

/** The address of an access, and what is written to its base. */
const locate = (context: Context, operand: MemoryOperand): { readonly address: number; readonly written: Written } => {
  const { base, subtract, indexing } = operand;
  const start = readBase(context, base);
  const offset = offsetOf(context, operand);
  const moved = wrap(subtract ? start - offset : start + offset);
  return {
    address: indexing === "post" ? start : moved,
    written: indexing === "offset" ? {} : { [base]: moved },
  };
};

const sizeOf = (op: Operation): 1 | 2 | 4 => (op.endsWith("b") ? 1 : op.endsWith("h") ? 2 : 4);

/** Loads one register (DDI 0406C, A8.8.62 and after). A load of pc is a branch that chooses the mode, from a whole word alone. */
export const load = (context: Context): Outcome => {
  const { insn, loaded } = context;
  const [{ register }, memory] = insn.operands as readonly [RegisterOperand, MemoryOperand];
  const { address, written } = locate(context, memory);
  if (register === "pc" && address % 4 !== 0) return trap("pf", context.at);
  const size = sizeOf(insn.op);
  const [data] = loaded;
  if (data === undefined) return { do: "load", from: [access(address, size)] };
  const isSigned = insn.op === "ldrsb" || insn.op === "ldrsh";
  const value = Number(isSigned ? BigInt.asUintN(32, BigInt.asIntN(size * 8, data)) : data);
  if (register === "pc") return interwork(context, value, { written });
  return retire(context, { written: { ...written, [register]: value } });
};

/** Stores one register. A stored pc is two instructions ahead, one of two values that implementations choose between. */
export const store = (context: Context): Outcome => {
  const { insn } = context;
  const [{ register }, memory] = insn.operands as readonly [RegisterOperand, MemoryOperand];
  const { address, written } = locate(context, memory);
  return retire(context, { written, stores: [access(address, sizeOf(insn.op), read(context, register))] });
};

type Multiple = { readonly down: boolean; readonly before: boolean };

const orders: { readonly [suffix: string]: Multiple } = {
  "": { down: false, before: false },
  da: { down: true, before: false },
  db: { down: true, before: true },
  ib: { down: false, before: true },
};

/** The base of a multiple load or store with its list, and the addresses of the registers, the lowest first. */
const places = (context: Context, order: Multiple) => {
  const { operands } = context.insn;
  const { registers } = operands.at(-1) as ListOperand;
  const base: RegisterOperand =
    operands.length === 1 ? { kind: "register", register: "sp", writeBack: true } : (operands[0] as RegisterOperand);
  const start = read(context, base.register);
  const bytes = 4 * registers.length;
  const end = wrap(order.down ? start - bytes : start + bytes);
  const low = wrap((order.down ? end : start) + (order.before !== order.down ? 4 : 0));
  const written: Written = base.writeBack ? { [base.register]: end } : {};
  // PUSH and POP of one register that is encoded as STR or LDR may be unaligned.
  const isSingle = operands.length === 1 && registers.length === 1 && context.insn.length === 4;
  return {
    registers,
    written,
    addresses: registers.map((_, k) => wrap(low + 4 * k)),
    fails: !isSingle && low % 4 !== 0,
  };
};

const loadMultiple = (context: Context, order: Multiple): Outcome => {
  const { registers, written, addresses, fails } = places(context, order);
  if (fails) return trap("pf", context.at);
  if (context.loaded.length === 0) return { do: "load", from: addresses.map((address) => access(address, 4)) };
  const values = Object.fromEntries(registers.map((register, k) => [register, Number(context.loaded[k] ?? 0n)]));
  const { pc, ...others }: { readonly [register in GeneralRegister]?: number } = values;
  const effect = { written: { ...written, ...others } };
  return pc === undefined ? retire(context, effect) : interwork(context, pc, effect);
};

const storeMultiple = (context: Context, order: Multiple): Outcome => {
  const { registers, written, addresses, fails } = places(context, order);
  if (fails) return trap("pf", context.at);
  const stores = registers.map((register, k) => access(addresses[k]!, 4, read(context, register)));
  return retire(context, { written, stores });
};

/** Loads or stores several registers, from a word-aligned address (DDI 0406C, A3.2.1 and A8.8.58 and after). */
export const multiple = (context: Context): Outcome => {
  const { op } = context.insn;
  if (op === "push") return storeMultiple(context, orders.db!);
  if (op === "pop") return loadMultiple(context, orders[""]!);
  const order = orders[op.slice(3)]!;
  return op.startsWith("ldm") ? loadMultiple(context, order) : storeMultiple(context, order);
};

/** LDRD and STRD: two words from a word-aligned address (DDI 0406C, A3.2.1). Whether they are one access is not said; here they are two. */
export const double = (context: Context): Outcome => {
  const [first, second, memory] = context.insn.operands as readonly [RegisterOperand, RegisterOperand, MemoryOperand];
  const { address, written } = locate(context, memory);
  if (address % 4 !== 0) return trap("pf", context.at);
  const places = [address, wrap(address + 4)];
  if (context.insn.op === "strd") {
    const stores = [first, second].map(({ register }, k) => access(places[k]!, 4, read(context, register)));
    return retire(context, { written, stores });
  }
  const [low, high] = context.loaded;
  if (low === undefined || high === undefined) return { do: "load", from: places.map((place) => access(place, 4)) };
  return retire(context, { written: { ...written, [first.register]: Number(low), [second.register]: Number(high) } });
};

/** LDREX: loads and reserves the place. STREX: stores where it is reserved still, and tells with 0 that it did (DDI 0406C, A3.4). */
export const exclusive = (context: Context): Outcome => {
  const { op, operands } = context.insn;
  const [first, second] = operands as readonly [RegisterOperand, RegisterOperand];
  const { address } = locate(context, operands.at(-1) as MemoryOperand);
  if (address % 4 !== 0) return trap("pf", context.at);
  const place = { ...access(address, 4), tags: ["exclusive"] };
  const [found] = context.loaded;
  if (op === "ldrex") {
    if (found === undefined) return { do: "load", from: [place] };
    const done = retire(context, { written: { [first.register]: Number(found) } });
    return done.do === "retire" ? { ...done, registers: { ...done.registers, ...reserving(place, found) } } : done;
  }
  const takes = takesPlace(context.registers, place, context.loaded);
  if (takes === "load") return { do: "load", from: [{ ...place, tags: [] }] };
  const stores = takes ? [{ ...place, value: BigInt(read(context, second.register)) }] : [];
  const done = retire(context, { written: { [first.register]: takes ? 0 : 1 }, stores });
  return done.do === "retire" ? { ...done, registers: { ...done.registers, ...RELEASED } } : done;
};
