import { fromHex } from "../hex.js";
import type { Instruction } from "../instruction-set.js";
import { bytesByAddress, goOn, pairUsed, undecoded } from "../machine/execute.js";
import { dataLoaded, type Loaded } from "../machine/loads.js";
import type { Machine } from "../machine/machine.js";
import { passThrough } from "../machine/passage.js";
import { trapProgram } from "../machine/reserved.js";
import { decode, withUntold } from "../machine/tracing.js";
import type { Observation } from "../rule.js";
import {
  addressKey,
  type Context,
  type CpuState,
  type MachineCode,
  type MemoryState,
  running,
  type SiteState,
  withRunning,
} from "../state.js";
import { synchronizeWindow } from "./window-code.js";
import { instructionOf } from "./window-instruction.js";
import { loadNow } from "./window-loads.js";
import { localOrderOf } from "./window-local-order.js";
import type { WindowModel } from "./window-model.js";
import { sameLine, samePlace } from "./window-places.js";
import { type WindowEntry, type WindowState, windowOfCpu, withEntry, withWindow } from "./window-state.js";
import { type SeenEntry, viewOf, type WindowView } from "./window-view.js";

/*
 * What a CPU does by itself between the events that others notice: it throws away what was guessed wrong, synchronises, lets
 * instructions leave the window in program order, fetches code and loads data that nobody writes. To do these at once loses nothing:
 * each only lets more happen after it, and none has another outcome later.
 */

/** A state of a CPU in which nothing of this is left to do, and what happened on the way. */
export type Settled = { readonly cpu: CpuState; readonly observed: readonly Observation[] };

/** Instructions of code that nobody writes that are fetched in one step at the most; the rest follows in steps of their own. */
const MOST_FETCHED = 64;

/** Every state in which a CPU that runs machine code settles: several where it has to guess, none where a guess was wrong. */
export const settle = (
  cpu: CpuState,
  memory: MemoryState,
  model: WindowModel,
  machine: Machine,
  observed: readonly Observation[] = [],
  left = MOST_FETCHED,
): readonly Settled[] => {
  const code = running(cpu)?.code;
  if (code?.run !== "machine" || code.home || code.trapped !== null) return [{ cpu, observed }];
  const again = (next: CpuState, ...seen: readonly Observation[]): readonly Settled[] =>
    settle(next, memory, model, machine, seen.length === 0 ? observed : [...observed, ...seen], left);
  const view = viewOf(cpu, model, machine);
  const early = view === undefined ? undefined : tooEarly(view, machine);
  if (view === undefined || early !== undefined) {
    const restarted = early === undefined ? withoutWrongGuess(cpu, model, machine) : restartedAt(cpu, early);
    return restarted === undefined ? [] : again(restarted);
  }

  const last = view.entries.length - 1;
  const trap = view.entries.findIndex(({ outcome, firm }) => outcome?.do === "trap" && firm);
  // What was fetched behind an instruction that turned out to raise an exception.
  if (trap >= 0 && trap < last && view.entries[trap]?.performed === false)
    return again(withWindow(cpu, { ...windowOfCpu(cpu), entries: windowOfCpu(cpu).entries.slice(0, trap + 1) }));
  const end = view.entries[last];
  if (end !== undefined && synchronizes(end) && !end.performed) {
    if (localOrderOf(view, windowOfCpu(cpu), model).free[last] === true) return again(synchronised(cpu, view, machine));
  }

  const quiet = view.entries.findIndex((seen) => !seen.performed && isQuiet(seen, machine));
  if (quiet >= 0) {
    const found = loadNow(view, quiet, cpu, memory, machine);
    if (found !== undefined)
      return again(withEntry(cpu, quiet, { ...(view.entries[quiet] as SeenEntry).entry, ...found }));
  }

  const retired = retireComplete(cpu, view, memory, model, machine);
  if (retired !== undefined) return again(retired.cpu, ...retired.observed);

  const plain = normalized(cpu, view);
  if (plain !== cpu) return again(plain);

  if (left === 0) return [{ cpu, observed }];
  const at = fetchesAt(cpu, view, model);
  const bytes = at === undefined ? undefined : textAt(at, view.mode, machine);
  if (at === undefined || bytes === undefined) return [{ cpu, observed }];
  return withFetched(cpu, fetchedEntry(at, bytes, view.mode), view, model, machine).flatMap((fetched) =>
    settle(fetched, memory, model, machine, observed, left - 1),
  );
};

/** R27: whether an entry holds back all fetches behind it until it has taken place. */
export const synchronizes = (seen: SeenEntry): boolean =>
  seen.outcome?.do === "trap" || seen.is.order?.is === "synchronise";

/** The CPU when the last entry of its window has taken place: a synchronising instruction, or an exception. */
const synchronised = (cpu: CpuState, view: WindowView, machine: Machine): CpuState => {
  const last = view.entries.length - 1;
  const { entry, is } = view.entries[last] as SeenEntry;
  const done = withEntry(cpu, last, { ...entry, done: true });
  if (is.order?.is !== "synchronise")
    return machine.cpu.synchronizes.includes("trap-entry") ? synchronizeWindow(done, machine) : done;
  const fresh = synchronizeWindow(done, machine);
  if (is.order.ownStores !== true) return fresh;
  const window = windowOfCpu(fresh);
  const entries = window.entries.map((each, i) =>
    view.entries[i]?.access === "write" && each.done !== true ? { ...each, fetchable: true as const } : each,
  );
  return withWindow(fresh, { ...window, entries });
};

/** The address of the next fetch, or undefined while nothing can be fetched. */
export const fetchesAt = (cpu: CpuState, view: WindowView, model: WindowModel): bigint | undefined => {
  const { entries } = windowOfCpu(cpu);
  const end = view.entries[view.entries.length - 1];
  if (end !== undefined && synchronizes(end) && !end.performed) return undefined;
  if (view.next === undefined || entries.length >= model.ahead.instructions) return undefined;
  const same = entries.filter(({ at }) => at === view.next).length;
  return same >= model.ahead.same ? undefined : view.next;
};

/** What was fetched at an address. */
export const fetchedEntry = (at: bigint, bytes: string, mode: string): WindowEntry =>
  mode === "" ? { at, bytes } : { at, bytes, mode };

/** R22: the CPU with an instruction at the end of its window: one for each guess that it needs. */
export const withFetched = (
  cpu: CpuState,
  entry: WindowEntry,
  view: WindowView,
  model: WindowModel,
  machine: Machine,
): readonly CpuState[] => {
  const window = windowOfCpu(cpu);
  const mode = entry.mode ?? "";
  const is = instructionOf(entry.at, entry.bytes, mode, model, machine);
  const push = (guess: Partial<WindowEntry>): CpuState =>
    withWindow(cpu, { ...window, entries: [...window.entries, { ...entry, ...guess }] });
  const decided = !is.inputs.some(({ register, role }) => role === "branch" && view.unknown.has(register));
  if (decided || is.insn === undefined || is.alternatives.length === 0) return [push({})];
  const goesTo = (next: bigint, turns: string): CpuState => push(turns === mode ? { next } : { next, turns });
  if (is.alternatives === "indirect") return [push({}), ...machine.targets.map((to) => goesTo(to.address, to.mode))];
  if (!is.branches) return is.alternatives.map((_, way) => push({ way }));
  const nexts = new Map<bigint, string>();
  for (const way of is.alternatives) {
    const turned = machine.instructionSet.execute(is.insn as Instruction, entry.at, { ...view.registers, ...way });
    if (turned.do === "retire") nexts.set(turned.next, turned.mode ?? mode);
  }
  return [...nexts].map(([next, turns]) => goesTo(next, turns));
};

/** The bytes (hex) of the instruction at an address where nobody writes; undefined where somebody may, or nothing is mapped. */
export const textAt = (at: bigint, mode: string, machine: Machine): string | undefined => {
  const bytes: number[] = [];
  for (;;) {
    const byte = machine.text(at + BigInt(bytes.length));
    if (byte === undefined || machine.cellOf(at + BigInt(bytes.length)) !== undefined) return undefined;
    bytes.push(byte);
    if (machine.instructionSet.decode(bytes, mode) !== "short")
      return bytes.map((each) => each.toString(16).padStart(2, "0")).join("");
  }
};

/**
 * The CPU without what it did from an entry of its window on: it fetches and loads again. Undefined where something there has taken
 * place that others saw: then it was never possible.
 */
export const restartedAt = (cpu: CpuState, index: number, guessless?: WindowEntry): CpuState | undefined => {
  const window = windowOfCpu(cpu);
  if (window.entries.slice(index).some(({ done }) => done === true)) return undefined;
  const kept = window.entries.slice(0, index);
  return withWindow(cpu, { ...window, entries: guessless === undefined ? kept : [...kept, guessless] });
};

/** R22: the CPU when a guess has turned out wrong: without what was fetched behind it. */
const withoutWrongGuess = (cpu: CpuState, model: WindowModel, machine: Machine): CpuState | undefined => {
  const window = windowOfCpu(cpu);
  for (let wrong = 0; wrong < window.entries.length; wrong++) {
    const upTo = withWindow(cpu, { ...window, entries: window.entries.slice(0, wrong + 1) });
    if (viewOf(upTo, model, machine) !== undefined) continue;
    const { next: _, turns: __, way: ___, ...entry } = window.entries[wrong] as WindowEntry;
    return entry.done === true ? undefined : restartedAt(cpu, wrong, entry);
  }
  throw new Error("A window without a view has an entry that was guessed wrong.");
};

/** R26: the first access that has taken place and should have waited, as what became known since tells. */
const tooEarly = ({ entries }: WindowView, machine: Machine): number | undefined => {
  for (const [i, older] of entries.entries()) {
    if (older.access === undefined || older.performed || older.accesses === undefined) continue;
    for (let j = i + 1; j < entries.length; j++) {
      const younger = entries[j] as SeenEntry;
      if (!younger.performed || younger.access === undefined) continue;
      if (older.access === "clean" || younger.access === "clean") {
        if (older.access !== "invalidate" && younger.access !== "invalidate" && sameLine(older, younger, machine))
          return j;
        continue;
      }
      if (older.access !== "write" && older.access !== "atomic") continue;
      if (younger.access !== "read" || !samePlace(older, younger)) continue;
      const { from } = younger.entry;
      // A store between the two that was performed would have waited for this one.
      if (from === undefined || j - from < i) return j;
    }
  }
  return undefined;
};

const isComplete = (seen: SeenEntry, window: WindowState): boolean => {
  if (seen.outcome === undefined || !seen.firm) return false;
  if (seen.access !== undefined) return seen.performed && seen.entry.from === undefined;
  if (seen.is.order?.is === "barrier") return seen.is.order.completes !== true || window.begun.length === 0;
  return !synchronizes(seen) || seen.performed;
};

/** Whether a load finds the same whenever it takes place: on the context's own stack, and of what nobody writes. */
const isQuiet = ({ is, own, accesses = [] }: SeenEntry, machine: Machine): boolean =>
  is.kind === "read" &&
  accesses.length > 0 &&
  (own ||
    accesses.every(({ address, size }) =>
      Array.from({ length: size }, (_, i) => address + BigInt(i)).every((byte) => machine.isNeverWritten(byte)),
    ));

/** The instructions at the head of a window that may leave it have left; undefined where none may. */
const retireComplete = (
  cpu: CpuState,
  view: WindowView,
  memory: MemoryState,
  model: WindowModel,
  machine: Machine,
): Settled | undefined => {
  const observed: Observation[] = [];
  let left = cpu;
  for (const head of view.entries) {
    if (isWatched(head, machine) || !isComplete(head, windowOfCpu(left))) break;
    const after = retire(head, left, memory, model, machine);
    left = after.cpu;
    observed.push(...after.observed);
    if (head.outcome?.do === "trap") break;
  }
  return left === cpu ? undefined : { cpu: left, observed };
};

/**
 * Whether an instruction leaves the window in a step of its own: what a site's instruction does is judged by how the site stands then, and
 * patchers change that. Of a trap it is how the site stood when it was fetched.
 */
const isWatched = ({ entry, outcome }: SeenEntry, machine: Machine): boolean =>
  outcome?.do !== "trap" && machine.uses("returnCall") && machine.siteAt(entry.at) !== undefined;

/** The instruction of a site at the head of a window has left it; undefined where none may. */
export const retireWatched = (
  cpu: CpuState,
  view: WindowView,
  memory: MemoryState,
  model: WindowModel,
  machine: Machine,
): Retired | undefined => {
  const [head] = view.entries;
  const leaves = head !== undefined && isWatched(head, machine) && isComplete(head, windowOfCpu(cpu));
  return leaves ? retire(head, cpu, memory, model, machine) : undefined;
};

/** Drops what no longer matters, so that states that behave alike are alike. */
const normalized = (cpu: CpuState, view: WindowView): CpuState => {
  const window = windowOfCpu(cpu);
  let changed = false;
  const entries = view.entries.map((seen, i) => {
    const { entry } = seen;
    const decided = entry.next !== undefined && seen.outcome !== undefined && !seen.undecided;
    const chosen = entry.way !== undefined && seen.firm;
    const found = entry.found !== undefined && !hasOlderLoad(view, i);
    if (!decided && !chosen && !found) return entry;
    changed = true;
    const { next, turns, way, found: held, ...rest } = entry;
    return {
      ...rest,
      ...(decided || next === undefined ? {} : { next }),
      ...(decided || turns === undefined ? {} : { turns }),
      ...(chosen || way === undefined ? {} : { way }),
      ...(found || held === undefined ? {} : { found: held }),
    };
  });
  return changed ? withWindow(cpu, { ...window, entries }) : cpu;
};

/** Whether an older load that has not taken place may be of the same place as a load. */
export const hasOlderLoad = (view: WindowView, index: number): boolean => {
  const load = view.entries[index] as SeenEntry;
  return view.entries
    .slice(0, index)
    .some(
      (older) =>
        (older.access === "read" || older.access === "atomic") &&
        !older.performed &&
        (older.accesses === undefined || samePlace(older, load)),
    );
};

/** What an instruction leaves behind; `memory` changes where a trace decoder has still to tell it. */
type Retired = Settled & { readonly memory: MemoryState };

/** R30, R19: an instruction leaves the window in program order: its effect is the context's, and it is judged. */
const retire = (head: SeenEntry, cpu: CpuState, memory: MemoryState, model: WindowModel, machine: Machine): Retired => {
  const context = running(cpu) as Context;
  const code = context.code as MachineCode;
  const { entry, is } = head;
  const outcome = head.outcome as NonNullable<SeenEntry["outcome"]>;
  const { at } = entry;
  const vector = outcome.do === "trap" ? outcome.vector : null;
  const handler = machine.faults(code.routine);
  const next = outcome.do === "trap" ? (handler ?? at) : outcome.next;
  const link = outcome.do === "retire" ? outcome.link : undefined;
  const place = machine.siteAt(at);
  let passages = code.passages;
  let told = memory;
  const bytes = fromHex(entry.bytes);
  const text =
    is.insn === undefined
      ? (undecoded[(vector ?? "undefined") as keyof typeof undecoded] ?? undecoded.undefined)
      : machine.instructionSet.format(is.insn, at);
  const seen = {
    at,
    bytes: entry.bytes,
    text,
    vector,
    stale: entry.stale === true,
    refused: entry.refused ?? null,
    next,
  };
  const pair = pairUsed(at, code, machine);
  const observed: Observation[] = pair === undefined ? [] : [pair];
  observed.push(...dataLoaded(at, loadsOf(head), memory, machine, entry.data));
  if (place === undefined) {
    observed.push({ what: "execute", detail: { ...seen, site: null } });
  } else {
    const matched = machine.versionsAt(place.site, place.offset, bytes);
    const breakpoint = vector !== null && machine.cpu.breakpoints.includes(vector);
    const owned = matched.length === 0 && (breakpoint || machine.isGuard(at, entry.bytes));
    const passed = passThrough(passages, place.site, place.offset, matched, next, link, machine);
    if (!owned) passages = passed.passages;
    const state = memory.sites[place.site] as SiteState;
    const decoded = owned ? null : decode(state, place, entry.bytes, machine);
    told = withUntold(memory, place.site, decoded);
    observed.push({
      what: "execute",
      detail: {
        ...seen,
        ...(entry.site ?? state),
        site: place.site,
        offset: place.offset,
        matched,
        owned,
        before: passed.before,
        ...(decoded === null ? {} : { decoded }),
      },
    });
  }
  const window = windowOfCpu(cpu);
  const faults = [...new Set([...(window.faults ?? []), `${vector} ${addressKey(at)}`])].sort();
  const shifted = withWindow(cpu, {
    ...window,
    entries: window.entries.slice(1),
    ...(entry.refused !== undefined && machine.runsOnce(code.routine) ? { raced: true } : {}),
    ...(vector !== null && machine.runsOnce(code.routine) ? { faults } : {}),
  });
  if (outcome.do === "trap" && handler === undefined) {
    if (machine.runsOnce(code.routine) && !machine.hasProgram(trapProgram(outcome.vector)))
      return { cpu: withRunning(shifted, { ...context, code: machine.ended(code) }), memory: told, observed };
    const trapped = {
      vector: outcome.vector,
      at,
      resume: outcome.resume,
      bytes: entry.bytes,
      site: entry.site ?? null,
    };
    return { cpu: withRunning(shifted, { ...context, code: { ...code, passages, trapped } }), memory: told, observed };
  }
  const registers =
    outcome.do === "trap" ? model.raise(code.registers, outcome.resume) : { ...code.registers, ...outcome.registers };
  const stores = head.own && outcome.do === "retire" ? (outcome.stores ?? []) : [];
  const stack = stores.length === 0 ? code.memory : Object.assign({}, code.memory, ...stores.map(bytesByAddress));
  const after: MachineCode = { ...code, pc: next, mode: head.mode, registers, memory: stack, passages };
  return { cpu: goOn(shifted, memory, context, after, machine), memory: told, observed };
};

const loadsOf = ({ accesses = [], entry, own }: SeenEntry): readonly Loaded[] =>
  own
    ? []
    : (entry.loaded ?? []).flatMap((value, i) => (accesses[i] === undefined ? [] : [{ access: accesses[i], value }]));
