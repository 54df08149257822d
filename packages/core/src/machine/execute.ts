import { fromHex, toHex } from "../hex.js";
import type { Access, Instruction, Outcome, Registers } from "../instruction-set.js";
import { type Effect, type Observation, rule } from "../rule.js";
import {
  addressKey,
  type Context,
  type CpuState,
  type MachineCode,
  type MemoryState,
  running,
  withRunning,
} from "../state.js";
import type { Machine } from "./machine.js";
import { passThrough } from "./passage.js";
import { HOME, STACK_BOTTOM, STACK_TOP } from "./reserved.js";
import {
  ageCell,
  type Fetched,
  fetchChoices,
  fetchGranule,
  latestByte,
  lengthOf,
  maintain,
  synchronize,
} from "./windows.js";

/*
 * The sequential memory order: one instruction of machine code is fetched and executed in one step, every data access is globally
 * visible at once, and what an early fetch could have seen is carried by the windows.
 */

/** R7: in a model with fetch granules these are fetched one after the other in address order; a CPU may stand between two. */
export const executeRule = rule({
  id: "execute",
  source: "R1, R7, R19, R18: design of the machine, ARCHITECTURE.md",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  // Code that nobody writes, on registers and the context's stack alone, commutes with all that others do and with interrupts.
  urgent: (cpu, machine) => {
    const code = running(cpu)?.code;
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

const isPrivate = (code: MachineCode, machine: Machine): boolean => {
  const bytes: number[] = [];
  let insn: ReturnType<Machine["instructionSet"]["decode"]> = "short";
  while (insn === "short") {
    const address = code.pc + BigInt(bytes.length);
    const byte = machine.isWritten(address) ? undefined : machine.text(address);
    if (byte === undefined) return false;
    bytes.push(byte);
    insn = machine.instructionSet.decode(bytes, code.mode);
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

const inTwoGranules = (pc: bigint, length: number, machine: Machine): boolean => {
  const granule = BigInt(machine.fetch.granule);
  return granule !== 0n && pc / granule !== (pc + BigInt(length) - 1n) / granule;
};

/** Where this context goes on: at its pc, or at any entry of its routine when it stands before its first instruction. */
const starts = (code: MachineCode, machine: Machine): readonly MachineCode[] =>
  code.home ? machine.entries(code.routine).map((entry) => machine.enter(code.routine, entry)) : [code];

const executeAt = (cpu: CpuState, memory: MemoryState, code: MachineCode, machine: Machine): readonly Effect[] => {
  if (machine.fetch.granule === 0) {
    return fetchChoices(cpu, memory, code.pc, code.mode, machine).map((fetched) =>
      commit(cpu, memory, code, fetched, machine),
    );
  }
  const begun = cpu.fetching;
  const part = fetchGranule(memory, code.pc + BigInt(begun === null ? 0 : begun.bytes.length / 2), machine);
  const bytes = [...(begun === null ? [] : fromHex(begun.bytes)), ...(part ?? [])];
  const insn = bytes.length === 0 ? "unmapped" : machine.instructionSet.decode(bytes, code.mode);
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
  const decoded = insn === "short" ? "unmapped" : insn;
  const chosen = bytes.slice(0, lengthOf(decoded, bytes, code.mode, machine));
  const fetched: Fetched = {
    insn: decoded,
    bytes: chosen,
    window: chosen.map((byte) => [byte]),
    stale: chosen.some((byte, i) => byte !== latestByte(memory, code.pc + BigInt(i), machine)),
  };
  return [commit({ ...cpu, fetching: null }, memory, code, fetched, machine)];
};

/** R19: the instruction takes effect: it is judged, and its registers, accesses, next pc or trap become the context's. */
const commit = (cpu: CpuState, memory: MemoryState, code: MachineCode, fetched: Fetched, machine: Machine): Effect => {
  const context = running(cpu);
  if (context === undefined) throw new Error("An idle CPU executes nothing.");
  const at = code.pc;
  const result = run(fetched.insn, at, code.registers, code.memory, memory, machine);
  const outcome = result.outcome;
  const place = machine.siteAt(at);
  const vector = outcome.do === "trap" ? outcome.vector : null;
  const breakpoint = vector !== null && machine.cpu.breakpoints.includes(vector);
  const next = outcome.do === "retire" || outcome.do === "operate" ? outcome.next : at;
  const link = outcome.do === "retire" ? outcome.link : undefined;

  let passages = code.passages;
  const observed: Observation[] = [];
  const admission = machine.fetch.admits(fetched.window, fetched.bytes);
  const seen = {
    at,
    bytes: toHex(fetched.bytes),
    text: textOf(fetched, at, machine),
    vector,
    stale: fetched.stale,
    refused: admission === "run" ? null : admission.why,
  };
  if (place === undefined) {
    observed.push({ what: "execute", detail: { ...seen, site: null } });
  } else {
    const matched = machine.versionsAt(place.site, place.offset, fetched.bytes);
    const owned = matched.length === 0 && (breakpoint || machine.isGuard(at, seen.bytes));
    const passed = passThrough(passages, place.site, place.offset, matched, next, link, machine);
    if (!owned) passages = passed.passages;
    const state = memory.sites[place.site];
    if (state === undefined) throw new Error("Every site has a state.");
    observed.push({
      what: "execute",
      detail: { ...seen, ...state, site: place.site, offset: place.offset, matched, owned, before: passed.before },
    });
  }

  const effect = (next: MachineCode, rest: Partial<Effect> & { readonly memory?: MemoryState } = {}): Effect => {
    const changed = goOn(cpu, memory, context, next, machine);
    const { memory: written, ...others } = rest;
    return { set: written === undefined ? { cpu: changed } : { cpu: changed, memory: written }, observed, ...others };
  };

  if (outcome.do === "trap") {
    const site = place === undefined ? null : (memory.sites[place.site] ?? null);
    // A fault resumes at the instruction, a breakpoint behind it; the handler sees which.
    return effect({
      ...code,
      home: false,
      passages,
      trapped: { vector: outcome.vector, at, resume: outcome.resume, bytes: toHex(fetched.bytes), site },
    });
  }
  const registers = { ...code.registers, ...outcome.registers };
  const after: MachineCode = { ...code, home: false, pc: next, registers, memory: result.stack, passages };
  if (outcome.do === "retire") return effect(after, result.memory === memory ? {} : { memory: result.memory });

  const operation = machine.cache.operations[outcome.step];
  if (operation !== undefined) return effect(after, { memory: maintain(memory, operation, outcome.address, machine) });
  if (machine.cpu.synchronizes.includes(outcome.step)) {
    const done = effect(after);
    const synchronized = synchronize(done.set.cpu as CpuState, memory, machine);
    return { ...done, set: { ...done.set, cpu: synchronized } };
  }
  return effect(after);
};

const textOf = (fetched: Fetched, at: bigint, machine: Machine): string =>
  typeof fetched.insn === "string"
    ? undecoded[fetched.insn as keyof typeof undecoded]
    : machine.instructionSet.format(fetched.insn, at);

/** How bytes that do not decode are shown; `(bad)` is objdump's word. */
export const undecoded = {
  undefined: "(bad)",
  unsupported: "(outside the modelled subset)",
  unmapped: "(unmapped)",
  short: "(cut off)",
} as const;

/** What an instruction does to a context's own state and to shared memory; reused by the emulation of traps. */
export type Ran = {
  readonly outcome: Exclude<Outcome, { readonly do: "load" }>;
  readonly stack: MachineCode["memory"];
  readonly memory: MemoryState;
};

/** Executes one instruction to its end: answers its loads, and performs its stores on the context's stack or shared data. */
export const run = (
  insn: Fetched["insn"],
  at: bigint,
  registers: Registers,
  stack: MachineCode["memory"],
  memory: MemoryState,
  machine: Machine,
): Ran => {
  if (typeof insn === "string") {
    return { outcome: { do: "trap", vector: insn === "undefined" ? "ud" : insn, resume: at }, stack, memory };
  }
  let outcome = machine.instructionSet.execute(insn as Instruction, at, registers);
  const loaded: bigint[] = [];
  while (outcome.do === "load") {
    for (const access of outcome.from.slice(loaded.length)) loaded.push(loadFrom(access, stack, memory, machine));
    outcome = machine.instructionSet.execute(insn as Instruction, at, registers, loaded);
  }
  let own = stack;
  let shared = memory;
  for (const access of outcome.do === "retire" ? (outcome.stores ?? []) : []) {
    if (onStack(access.address)) own = { ...own, ...bytesByAddress(access) };
    else shared = storeTo(shared, access, machine);
  }
  return { outcome, stack: own, memory: shared };
};

/** Whether an address lies in the stack that every context has of its own. */
export const onStack = (address: bigint): boolean => address >= STACK_BOTTOM && address < STACK_TOP;

const loadFrom = (access: Access, stack: MachineCode["memory"], memory: MemoryState, machine: Machine): bigint => {
  let value = 0n;
  for (let i = access.size - 1; i >= 0; i--) {
    const address = access.address + BigInt(i);
    const key = addressKey(address);
    const byte = stack[key] ?? memory.data[key];
    value =
      (value << 8n) |
      BigInt(byte === undefined ? (latestByte(memory, address, machine) ?? 0) : Number.parseInt(byte, 16));
  }
  return value;
};

/** The bytes of a store by address. */
export const bytesByAddress = (access: Access): { readonly [address: string]: string } => {
  const bytes: { [address: string]: string } = {};
  for (let i = 0; i < access.size; i++) {
    const byte = ((access.value ?? 0n) >> BigInt(8 * i)) & 0xffn;
    bytes[addressKey(access.address + BigInt(i))] = byte.toString(16).padStart(2, "0");
  }
  return bytes;
};

const storeTo = (memory: MemoryState, access: Access, machine: Machine): MemoryState => {
  if (machine.cellOf(access.address) !== undefined)
    throw new Error("Machine code that writes a site needs the architectural memory order.");
  return { ...memory, data: { ...memory.data, ...bytesByAddress(access) } };
};

/**
 * The CPU whose running context goes on as `code`. A context that returned from its routine, or left the code that is modelled,
 * stands at home again, where no grace period waits for it; for a task that is its voluntary switch.
 */
export const goOn = (
  cpu: CpuState,
  memory: MemoryState,
  context: Context,
  code: MachineCode,
  machine: Machine,
): CpuState => {
  const left = code.pc === HOME || (machine.cellOf(code.pc) === undefined && machine.text(code.pc) === undefined);
  if (code.trapped !== null || !left) return withRunning(cpu, { ...context, code });
  const home = withRunning(cpu, { ...context, code: machine.home(code.routine), marks: [] });
  const switches = context.level === "task" && machine.cpu.synchronizes.includes("context-switch");
  return switches ? synchronize(home, memory, machine) : home;
};

/** The memory with one cell holding a new value. */
export const withCell = (memory: MemoryState, key: string, value: string, machine: Machine): MemoryState => {
  const cell = memory.cells[key];
  if (cell === undefined) throw new Error(`No cell lies at ${key}.`);
  return { ...memory, cells: { ...memory.cells, [key]: ageCell(cell, value, machine) } };
};
