import { fromHex, toHex } from "../base/hex.js";
import { same } from "../base/key.js";
import { own } from "../base/own.js";
import type { Effect } from "../contract/effect.js";
import type { Observation } from "../contract/events.js";
import type { Access, Instruction, Outcome, Registers } from "../contract/instruction-set.js";
import type { Write, Written } from "../contract/memory-order.js";
import { rule } from "../contract/rule.js";
import {
  addressKey,
  type Context,
  type CpuState,
  type MachineCode,
  type MemoryState,
  running,
  withRunning,
} from "../contract/state.js";
import type { World } from "../contract/world.js";
import {
  byteSeen,
  type Fetched,
  fetchChoices,
  fetchGranule,
  lengthOf,
  maintain,
  synchronize,
  withBehind,
} from "../fetch/stale-code.js";
import { isExecutable, isReadOnly, textUse } from "../fetch/text.js";
import { perform, settled } from "../memory/perform.js";
import { piecesOf } from "../memory/pieces.js";
import { HOME, STACK_BOTTOM, STACK_TOP } from "../program/reserved.js";
import { withoutPast } from "../services/grace-periods.js";
import { afterReturn } from "../services/nested-nmis.js";
import { decodedBy } from "../services/packet-decoder.js";
import { passSections } from "../services/read-sections.js";
import { withUntold } from "../services/text-poke-events.js";
import { astray, raised, strayed } from "./faults.js";
import { dataLoaded, type Loaded, storesFreed } from "./loads.js";
import { passThrough } from "./passage.js";
import { executionWords } from "./said.js";

/*
 * In the sequential order and under store buffers one instruction of machine code is fetched and executed in one step; what an early
 * fetch could have seen is carried by the windows, and what becomes of its writes is the memory order's word.
 */

/** R7: in a model with fetch granules these are fetched one after the other in address order; a CPU may stand between two. */
export const executeRule = rule({
  id: "execute",
  source: "R1, R7, R19, R18: design of the machine, ARCHITECTURE.md",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory", "everyCpu"],
  says: executionWords,
  // Code that nobody writes, on registers and the context's stack alone, commutes with all that others do and with interrupts, unless a
  // grace period may have to wait for a task that was taken off in it.
  urgent: (cpu, machine) => {
    const code = running(cpu)?.code;
    if (machine.holdsGrace) return false;
    // But not the way home where that synchronises: an NMI before it may fetch more than one after it.
    const switches = machine.cpu.synchronizes.includes("context-switch");
    return code?.run === "machine" && !code.home && cpu.fetching === null && !switches && isPrivate(code, machine);
  },
  apply({ cpu, memory }, _args, machine) {
    const context = running(cpu);
    if (context?.code.run !== "machine") throw new Error("Only machine code is executed.");
    return starts(context.code, machine).flatMap((code) => executeAt(cpu, memory, code, machine));
  },
});

const isPrivate = (code: MachineCode, machine: World): boolean => {
  const bytes: number[] = [];
  let insn: ReturnType<World["decode"]> = "short";
  while (insn === "short") {
    const address = code.pc + BigInt(bytes.length);
    const byte = machine.isWritten(address) ? undefined : machine.text(address);
    if (byte === undefined) return false;
    bytes.push(byte);
    insn = machine.decode(bytes, code.pc, code.mode);
  }
  if (typeof insn === "string" || inTwoGranules(code.pc, insn.length, machine)) return false;
  let outcome = machine.instructionSet.execute(insn, code.pc, code.registers);
  const own = (accesses: readonly Access[]): boolean => accesses.every((access) => onStack(access.address));
  if (outcome.do === "load") {
    if (!own(outcome.from)) return false;
    const zeros = outcome.from.map(() => 0n);
    outcome = machine.instructionSet.execute(insn, code.pc, code.registers, zeros);
  }
  return outcome.do === "retire" && own(outcome.stores ?? []);
};

const inTwoGranules = (pc: bigint, length: number, machine: World): boolean => {
  const granule = BigInt(machine.fetch.granule);
  return granule !== 0n && pc / granule !== (pc + BigInt(length) - 1n) / granule;
};

/** Where this context goes on: at its pc, or at any entry of its routine when it stands before its first instruction. */
const starts = (code: MachineCode, machine: World): readonly MachineCode[] =>
  code.home ? machine.entries(code.routine).map((entry) => machine.enter(code.routine, entry)) : [code];

const executeAt = (cpu: CpuState, memory: MemoryState, code: MachineCode, machine: World): readonly Effect[] => {
  if (machine.fetch.granule === 0) {
    return fetchChoices(cpu, memory, code.pc, code.mode, machine).flatMap((fetched) =>
      commit(withBehind(cpu, fetched.behind ?? []), memory, code, fetched, machine),
    );
  }
  const begun = cpu.fetching;
  const part = fetchGranule(cpu, memory, code.pc + BigInt(begun === null ? 0 : begun.bytes.length / 2), machine);
  const bytes = [...(begun === null ? [] : fromHex(begun.bytes)), ...(part ?? [])];
  const nothing = isExecutable(code.pc + BigInt(bytes.length), memory, machine) ? "unmapped" : "no-execute";
  const insn = bytes.length === 0 ? nothing : machine.decode(bytes, code.pc, code.mode);
  if (insn === "short" && part !== undefined) {
    const context = running(cpu);
    if (context === undefined) throw new Error("An idle CPU fetches nothing.");
    const fetching = { at: code.pc, bytes: toHex(bytes) };
    return [
      {
        set: { cpu: { ...withRunning(cpu, { ...context, code }), fetching } },
        observed: [{ what: "fetch-part", detail: { at: code.pc, bytes: fetching.bytes } }],
      },
    ];
  }
  const decoded = insn === "short" ? nothing : insn;
  const chosen = bytes.slice(0, lengthOf(decoded, bytes, code.mode, machine));
  const fetched: Fetched = {
    insn: decoded,
    bytes: chosen,
    window: chosen.map((byte) => [byte]),
    versions: [chosen],
    stale: chosen.some((byte, i) => byte !== byteSeen(cpu, memory, code.pc + BigInt(i), machine)),
  };
  return commit({ ...cpu, fetching: null }, memory, code, fetched, machine);
};

/**
 * R19: the instruction takes effect: it is judged, and its registers, accesses, next pc or trap become the context's. Empty when it
 * has to wait for earlier writes.
 */
const commit = (
  cpu: CpuState,
  memory: MemoryState,
  code: MachineCode,
  fetched: Fetched,
  machine: World,
): readonly Effect[] => {
  const context = running(cpu);
  if (context === undefined) throw new Error("An idle CPU executes nothing.");
  const at = code.pc;
  const result = run(fetched.insn, at, code.registers, code.memory, { cpu, memory }, machine);
  const outcome = result.outcome;
  if (isHeldBack(cpu, result, machine)) return [];
  const place = machine.siteAt(at);
  const vector = outcome.do === "trap" ? outcome.vector : null;
  const breakpoint = vector !== null && machine.cpu.breakpoints.includes(vector);
  const next = outcome.do === "retire" || outcome.do === "operate" ? outcome.next : at;
  const link = outcome.do === "retire" ? outcome.link : undefined;

  let passages = code.passages;
  const observed: Observation[] = [];
  const { mode } = code;
  const admission = machine.fetch.admits(fetched.window, fetched.bytes, { at, mode, versions: fetched.versions });
  const seen = {
    at,
    bytes: toHex(fetched.bytes),
    text: textOf(fetched, at, mode, machine),
    vector,
    stale: fetched.stale,
    refused: admission === "run" ? null : admission.why,
    next,
  };
  const pair = pairUsed(at, code, machine);
  if (pair !== undefined) observed.push(pair);
  observed.push(...dataLoaded(at, result.loads, memory, machine), ...storesFreed(result.writes, cpu, memory, machine));
  const use = textUse(at, seen.bytes, memory, context, machine);
  let told = memory;
  if (place === undefined) {
    observed.push({ what: "execute", detail: { ...seen, ...use, site: null } });
  } else {
    const matched = machine.versionsAt(place.site, place.offset, fetched.bytes);
    const owned = matched.length === 0 && (breakpoint || machine.isGuard(at, seen.bytes));
    const passed = passThrough(passages, place.site, place.offset, matched, next, link, machine);
    if (!owned) passages = passed.passages;
    const state = memory.sites[place.site];
    if (state === undefined) throw new Error("Every site has a state.");
    const decoded = owned ? {} : decodedBy(cpu, state, place, seen.bytes, machine);
    told = withUntold(memory, place.site, decoded.decoded);
    observed.push({
      what: "execute",
      detail: {
        ...seen,
        ...use,
        ...state,
        site: place.site,
        offset: place.offset,
        matched,
        ...(matched.length > 0 ? {} : { held: machine.versionsHolding(place.site, place.offset, fetched.bytes) }),
        owned,
        before: passed.before,
        ...decoded,
      },
    });
  }

  const insn = { at, bytes: seen.bytes, text: seen.text };
  const lost = astray(insn, mode, memory, machine);
  observed.push(...lost);
  const effect = (after: MachineCode, ...writes: readonly Write[]): Effect => {
    observed.push(...strayed(insn, after, machine));
    const passed = after.trapped === null ? passSections(context, at, next, link, machine) : context;
    const before: Written = { cpu: goOn(cpu, memory, passed, after, machine), memory: told };
    const put = result.locked ? perform : machine.order.write;
    return settled(
      { memory },
      writes.reduce((parts, write) => put(parts, write, machine), before),
      observed,
    );
  };

  if (outcome.do === "trap") {
    const site = place === undefined ? null : (memory.sites[place.site] ?? null);
    // A fault resumes at the instruction, a breakpoint behind it; the handler sees which.
    const trapped = { vector: outcome.vector, at, resume: outcome.resume, bytes: toHex(fetched.bytes), site };
    if (lost.length === 0) observed.push(...raised(insn, outcome.vector, code.routine, machine, result.store));
    return [effect({ ...code, home: false, passages, trapped })];
  }
  const registers = { ...code.registers, ...outcome.registers };
  const goesOn = { pc: next, mode: modeAfter(outcome, code), registers, memory: result.stack, passages };
  const after: MachineCode = { ...code, home: false, ...goesOn };
  const done = effect(after, ...result.writes);
  if (outcome.do === "retire") return [done];

  const operation = own(machine.cache.operations, outcome.step);
  if (operation !== undefined)
    return [{ ...done, set: { ...done.set, memory: maintain(told, operation, outcome.address, machine) } }];
  const went = afterReturn(done.set.cpu as CpuState, outcome.step, machine);
  const synchronizes = machine.cpu.synchronizes.includes(outcome.step);
  return [{ ...done, set: { ...done.set, cpu: synchronizes ? synchronize(went, memory, machine) : went } }];
};

/** What an instruction uses together, where a strategy says that it does. */
export const pairUsed = (at: bigint, { registers }: MachineCode, machine: World): Observation | undefined => {
  const use = machine.layout.pairs.get(at);
  if (use === undefined) return undefined;
  const values = use.registers.map((register) => own(registers, register) ?? 0n);
  return { what: "pair", detail: { at, values, published: use.published.some((known) => same(known, values)) } };
};

/** The mode in which a context goes on after an instruction. */
export const modeAfter = (outcome: Ran["outcome"], code: MachineCode): string =>
  (outcome.do === "retire" ? outcome.mode : undefined) ?? code.mode;

/** Whether an instruction waits for earlier writes of its CPU: it is a barrier or atomic, or ends the round of its task. */
const isHeldBack = (cpu: CpuState, { outcome, locked }: Ran, machine: World): boolean => {
  if (locked && machine.order.holdsBack(cpu, "atomic")) return true;
  if (outcome.do === "trap") return false;
  if (outcome.do === "operate" && machine.order.holdsBack(cpu, outcome.step)) return true;
  return leaves(outcome.next, machine) && machine.order.holdsBack(cpu, "event");
};

const textOf = (fetched: Fetched, at: bigint, mode: string, machine: World): string =>
  typeof fetched.insn === "string"
    ? fetched.insn === "opaque"
      ? machine.disassemble(fetched.bytes, at, mode)
      : undecoded[fetched.insn as keyof typeof undecoded]
    : machine.instructionSet.format(fetched.insn, at);

/** How bytes that do not decode are shown; `(bad)` is objdump's word. */
export const undecoded = {
  undefined: "(bad)",
  "no-execute": "(not executable)",
  unsupported: "(outside the modelled subset)",
  opaque: "(of unknown effect)",
  unmapped: "(unmapped)",
  short: "(cut off)",
} as const;

/** The vector of a store to read-only text, and of a fetch of text that may not be executed. */
export const PAGE_FAULT = "pf";

/** What an instruction does to its context, and what it asks of memory; reused by the emulation of traps. */
export type Ran = {
  readonly outcome: Exclude<Outcome, { readonly do: "load" }>;
  readonly stack: MachineCode["memory"];
  /** What it loaded from elsewhere than the context's stack. */
  readonly loads: readonly Loaded[];
  readonly writes: readonly Write[];
  /** Its accesses are one atomic read-modify-write. */
  readonly locked: boolean;
  /** The address of read-only text that it would have stored to. */
  readonly store?: bigint | undefined;
};

/** Executes one instruction to its end: answers its loads, performs its stores on the context's stack, and lists all others. */
export const run = (
  insn: Fetched["insn"],
  at: bigint,
  registers: Registers,
  stack: MachineCode["memory"],
  seen: Seen,
  machine: World,
): Ran => {
  const trap = (vector: string, store?: bigint): Ran => ({
    outcome: { do: "trap", vector, resume: at },
    stack,
    loads: [],
    writes: [],
    locked: false,
    store,
  });
  if (insn === "no-execute") return trap(PAGE_FAULT);
  if (typeof insn === "string")
    return trap(insn === "undefined" ? (machine.instructionSet.undefinedVector ?? "ud") : insn);
  let outcome = machine.instructionSet.execute(insn as Instruction, at, registers);
  const loads: Access[] = [];
  const loaded: bigint[] = [];
  while (outcome.do === "load") {
    for (const access of outcome.from.slice(loads.length)) {
      loads.push(access);
      loaded.push(loadFrom(access, stack, seen, machine));
    }
    outcome = machine.instructionSet.execute(insn as Instruction, at, registers, loaded);
  }
  const stores = outcome.do === "retire" ? (outcome.stores ?? []) : [];
  const readOnly = readOnlyIn(stores, seen.memory, machine);
  if (readOnly !== undefined) return trap(PAGE_FAULT, readOnly);
  const own = stores.filter((access) => onStack(access.address));
  const locked = [...loads, ...stores].some((access) => access.tags.includes("locked"));
  return {
    outcome,
    stack: own.length === 0 ? stack : Object.assign({}, stack, ...own.map(bytesByAddress)),
    loads: loads.flatMap((access, i) => (onStack(access.address) ? [] : [{ access, value: loaded[i] as bigint }])),
    writes: stores
      .filter((access) => !onStack(access.address))
      .flatMap((access) => (locked ? [access] : accessesOf(access, machine)))
      .map((access) => writeOf(access, machine)),
    locked,
  };
};

const bytesOf = ({ address, size }: Access): readonly bigint[] =>
  Array.from({ length: size }, (_, i) => address + BigInt(i));

const touches = (access: Access, holds: (address: bigint) => boolean): boolean => bytesOf(access).some(holds);

/** The first address of read-only text among what stores write; undefined where there is none. Without `memory`: ever read-only. */
export const readOnlyIn = (
  stores: readonly Access[],
  memory: MemoryState | undefined,
  machine: World,
): bigint | undefined => stores.flatMap(bytesOf).find((address) => isReadOnly(address, memory, machine));

/** R4: the accesses that become visible one by one of a store of machine code. */
export const accessesOf = (access: Access, machine: World): readonly Access[] => {
  const { address, size, value = 0n } = access;
  const stores = machine.stores[writesCode(access, machine) ? "code" : "data"];
  return piecesOf(address, hexOf(access), size, stores).map(([at, { length }]) => ({
    ...access,
    address: at,
    size: length / 2,
    value: BigInt.asUintN(4 * length, value >> (8n * (at - address))),
  }));
};

/** What is written at one moment. */
const writeOf = (access: Access, machine: World): Write =>
  writesCode(access, machine)
    ? { to: "code", address: access.address, bytes: hexOf(access) }
    : { to: "data", bytes: bytesByAddress(access) };

const writesCode = (access: Access, machine: World): boolean =>
  touches(access, (address) => machine.cellOf(address) !== undefined);

const hexOf = (access: Access): string => Array.from({ length: access.size }, (_, i) => byteOf(access, i)).join("");

/** Whether an address lies in the stack that every context has of its own. */
export const onStack = (address: bigint): boolean => address >= STACK_BOTTOM && address < STACK_TOP;

/** What the loads of a CPU look at. */
export type Seen = { readonly cpu: CpuState; readonly memory: MemoryState };

const loadFrom = (access: Access, stack: MachineCode["memory"], { cpu, memory }: Seen, machine: World): bigint => {
  const pending = machine.order.pending(cpu);
  let value = 0n;
  for (let i = access.size - 1; i >= 0; i--) {
    const address = access.address + BigInt(i);
    const key = addressKey(address);
    const own = pending.findLast((write) => write.to === "data" && write.bytes[key] !== undefined);
    const byte = stack[key] ?? (own?.to === "data" ? own.bytes[key] : memory.data[key]);
    value =
      (value << 8n) |
      BigInt(byte === undefined ? (byteSeen(cpu, memory, address, machine) ?? 0) : Number.parseInt(byte, 16) || 0);
  }
  return value;
};

/** The bytes of a store by address. */
export const bytesByAddress = (access: Access): { readonly [address: string]: string } => {
  const bytes: { [address: string]: string } = {};
  for (let i = 0; i < access.size; i++) bytes[addressKey(access.address + BigInt(i))] = byteOf(access, i);
  return bytes;
};

const byteOf = ({ value = 0n }: Access, i: number): string =>
  ((value >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, "0");

/**
 * The CPU whose running context goes on as `code`. A context that returned from its routine, or left the code that is modelled,
 * stands at home again, where no grace period waits for it; for a task that is its voluntary switch.
 */
export const goOn = (
  cpu: CpuState,
  memory: MemoryState,
  context: Context,
  code: MachineCode,
  machine: World,
): CpuState => {
  if (code.trapped !== null || !leaves(code.pc, machine))
    return withRunning(cpu, withoutPast({ ...context, code }, machine));
  const { reads: _, stranded: __, ...rest } = context;
  if (machine.runsOnce(code.routine)) return withRunning(cpu, { ...rest, code: machine.ended(code), marks: [] });
  const home = withRunning(cpu, { ...rest, code: machine.home(code.routine), marks: [] });
  const switches = context.level === "task" && machine.cpu.synchronizes.includes("context-switch");
  return switches ? synchronize(home, memory, machine) : home;
};

/** Whether a context that goes on there is back at home, or has left the code that is modelled. */
export const leaves = (pc: bigint, machine: World): boolean => pc === HOME || !machine.isMapped(pc);
