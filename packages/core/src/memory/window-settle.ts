import { fromHex } from "../hex.js";
import type { Instruction } from "../instruction-set.js";
import { bytesByAddress, goOn, pairUsed, undecoded } from "../machine/execute.js";
import { dataLoaded, type Loaded } from "../machine/loads.js";
import type { Machine } from "../machine/machine.js";
import { passThrough } from "../machine/passage.js";
import { trapProgram } from "../machine/reserved.js";
import { decode } from "../machine/tracing.js";
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
import { codeOn, type WindowEntry, type WindowState, windowOfCpu, withEntry, withWindow } from "./window-state.js";
import { type SeenEntry, viewOf, type WindowView } from "./window-view.js";

/*
 * What a CPU does by itself between the events that others notice: it throws away what was guessed wrong, synchronises, lets
 * instructions leave the window in program order, and fetches code that nobody writes. To do these at once loses nothing: each
 * only lets more happen after it, and none has another outcome later.
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
  const view = viewOf(cpu, model, machine);
  if (view === undefined || !isPossible(view, machine)) return [];
  const again = (next: CpuState, ...seen: readonly Observation[]): readonly Settled[] =>
    settle(next, memory, model, machine, seen.length === 0 ? observed : [...observed, ...seen], left);

  const last = view.entries.length - 1;
  const end = view.entries[last];
  if (end !== undefined && synchronizes(end) && !end.performed) {
    if (localOrderOf(view, windowOfCpu(cpu), model).free[last] === true)
      return again(synchronizeWindow(withEntry(cpu, last, { ...end.entry, done: true })));
  }

  const own = view.entries.findIndex((seen) => seen.own && seen.is.kind === "read" && !seen.performed);
  if (own >= 0) {
    const found = loadNow(view, own, cpu, memory, machine);
    if (found !== undefined) return again(withEntry(cpu, own, { ...(view.entries[own] as SeenEntry).entry, ...found }));
  }

  const [head] = view.entries;
  if (head !== undefined && isComplete(head, windowOfCpu(cpu))) {
    const left = retire(head, cpu, memory, model, machine);
    return again(left.cpu, ...left.observed);
  }

  const plain = normalized(cpu, view);
  if (plain !== cpu) return again(plain);

  if (left === 0) return [{ cpu, observed }];
  const at = fetchesAt(cpu, view, model);
  if (at === undefined || machine.cellOf(at) !== undefined) return [{ cpu, observed }];
  const bytes = textAt(at, code.mode, machine);
  if (bytes === undefined) return [{ cpu, observed }];
  return withFetched(cpu, { at, bytes }, view, model, machine).flatMap((fetched) =>
    settle(fetched, memory, model, machine, observed, left - 1),
  );
};

/** R27: whether an entry holds back all fetches behind it until it has taken place. */
export const synchronizes = (seen: SeenEntry): boolean =>
  seen.is.kind === "trap" || seen.is.order?.is === "synchronise";

/** The address of the next fetch, or undefined while nothing can be fetched. */
export const fetchesAt = (cpu: CpuState, view: WindowView, model: WindowModel): bigint | undefined => {
  const { entries } = windowOfCpu(cpu);
  const end = view.entries[view.entries.length - 1];
  if (end !== undefined && synchronizes(end) && !end.performed) return undefined;
  if (view.next === undefined || entries.length >= model.ahead.instructions) return undefined;
  const same = entries.filter(({ at }) => at === view.next).length;
  return same >= model.ahead.same ? undefined : view.next;
};

/** R22: the CPU with an instruction at the end of its window: one for each guess that it needs. */
export const withFetched = (
  cpu: CpuState,
  entry: WindowEntry,
  view: WindowView,
  model: WindowModel,
  machine: Machine,
): readonly CpuState[] => {
  const window = windowOfCpu(cpu);
  const { mode } = codeOn(cpu);
  const is = instructionOf(entry.at, entry.bytes, mode, model, machine);
  const push = (guess: Partial<WindowEntry>): CpuState =>
    withWindow(cpu, { ...window, entries: [...window.entries, { ...entry, ...guess }] });
  const decided = !is.inputs.some(({ register, role }) => role === "branch" && view.unknown.has(register));
  if (decided || is.insn === undefined || is.alternatives.length === 0) return [push({})];
  if (is.alternatives === "indirect") return [push({}), ...machine.targets.map((next) => push({ next }))];
  if (!is.branches) return is.alternatives.map((_, way) => push({ way }));
  const ways = is.alternatives.map((way) =>
    machine.instructionSet.execute(is.insn as Instruction, entry.at, { ...view.registers, ...way }),
  );
  const nexts = new Set(ways.flatMap((way) => (way.do === "retire" ? [way.next] : [])));
  return [...nexts].map((next) => push({ next }));
};

/** The bytes (hex) of the instruction at an address where nobody writes; undefined where nothing is mapped. */
const textAt = (at: bigint, mode: string, machine: Machine): string | undefined => {
  const bytes: number[] = [];
  for (;;) {
    const byte = machine.text(at + BigInt(bytes.length));
    if (byte === undefined || machine.cellOf(at + BigInt(bytes.length)) !== undefined) return undefined;
    bytes.push(byte);
    if (machine.instructionSet.decode(bytes, mode) !== "short")
      return bytes.map((each) => each.toString(16).padStart(2, "0")).join("");
  }
};

/** R26: whether what has taken place out of order may have: what became known since can tell that it should have waited. */
const isPossible = ({ entries }: WindowView, machine: Machine): boolean => {
  for (const [i, older] of entries.entries()) {
    if (older.access === undefined || older.performed || older.accesses === undefined) continue;
    for (let j = i + 1; j < entries.length; j++) {
      const younger = entries[j] as SeenEntry;
      if (!younger.performed || younger.access === undefined) continue;
      if (older.access === "clean" || younger.access === "clean") {
        if (older.access !== "invalidate" && younger.access !== "invalidate" && sameLine(older, younger, machine))
          return false;
        continue;
      }
      if (older.access !== "write" && older.access !== "atomic") continue;
      if (younger.access !== "read" || !samePlace(older, younger)) continue;
      const { from } = younger.entry;
      if (from === undefined || j - from < i) {
        // A store between the two that was performed would have waited for this one.
        return false;
      }
    }
  }
  return true;
};

const isComplete = (seen: SeenEntry, window: WindowState): boolean => {
  if (seen.outcome === undefined || !seen.firm) return false;
  if (seen.access !== undefined) return seen.performed && seen.entry.from === undefined;
  if (seen.is.order?.is === "barrier") return seen.is.order.completes !== true || window.begun.length === 0;
  return !synchronizes(seen) || seen.performed;
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
    const { next, way, found: held, ...rest } = entry;
    return {
      ...rest,
      ...(decided || next === undefined ? {} : { next }),
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

/** R30, R19: an instruction leaves the window in program order: its effect is the context's, and it is judged. */
const retire = (head: SeenEntry, cpu: CpuState, memory: MemoryState, model: WindowModel, machine: Machine): Settled => {
  const context = running(cpu) as Context;
  const code = context.code as MachineCode;
  const { entry, is } = head;
  const outcome = head.outcome as NonNullable<SeenEntry["outcome"]>;
  const { races, at } = { races: entry.races === true, at: entry.at };
  const vector = outcome.do === "trap" ? outcome.vector : null;
  const handler = machine.faults(code.routine);
  const next = outcome.do === "trap" ? (handler ?? at) : outcome.next;
  const link = outcome.do === "retire" ? outcome.link : undefined;
  const place = machine.siteAt(at);
  let passages = code.passages;
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
    refused: races ? model.raceWhy : null,
  };
  const pair = pairUsed(at, code, machine);
  const observed: Observation[] = pair === undefined ? [] : [pair];
  observed.push(...dataLoaded(at, loadsOf(head), memory, machine, entry.data));
  if (place === undefined || entry.site === undefined) {
    observed.push({ what: "execute", detail: { ...seen, site: null } });
  } else {
    const matched = machine.versionsAt(place.site, place.offset, bytes);
    const breakpoint = vector !== null && machine.cpu.breakpoints.includes(vector);
    const owned = matched.length === 0 && (breakpoint || machine.isGuard(at, entry.bytes));
    const passed = passThrough(passages, place.site, place.offset, matched, next, link, machine);
    if (!owned) passages = passed.passages;
    // A trace has the instructions as they leave, not as they are fetched.
    const decoded = owned ? null : decode(memory.sites[place.site] as SiteState, place, entry.bytes, machine);
    observed.push({
      what: "execute",
      detail: {
        ...seen,
        ...entry.site,
        site: place.site,
        offset: place.offset,
        matched,
        owned,
        before: passed.before,
        ...(decoded === null ? {} : { decoded: decoded === "open" ? "ambiguous" : decoded }),
      },
    });
  }
  const window = windowOfCpu(cpu);
  const faults = [...new Set([...(window.faults ?? []), `${vector} ${addressKey(at)}`])].sort();
  const shifted = withWindow(cpu, {
    ...window,
    entries: window.entries.slice(1),
    ...(races ? { raced: true } : {}),
    ...(vector !== null && machine.runsOnce(code.routine) ? { faults } : {}),
  });
  if (outcome.do === "trap" && handler === undefined) {
    if (machine.runsOnce(code.routine) && !machine.hasProgram(trapProgram(outcome.vector)))
      return { cpu: withRunning(shifted, { ...context, code: machine.ended(code) }), observed };
    const trapped = {
      vector: outcome.vector,
      at,
      resume: outcome.resume,
      bytes: entry.bytes,
      site: entry.site ?? null,
    };
    return { cpu: withRunning(shifted, { ...context, code: { ...code, passages, trapped } }), observed };
  }
  const registers =
    outcome.do === "trap" ? model.raise(code.registers, outcome.resume) : { ...code.registers, ...outcome.registers };
  const stores = head.own && outcome.do === "retire" ? (outcome.stores ?? []) : [];
  const stack = stores.length === 0 ? code.memory : Object.assign({}, code.memory, ...stores.map(bytesByAddress));
  const after: MachineCode = { ...code, pc: next, registers, memory: stack, passages };
  return { cpu: goOn(shifted, memory, context, after, machine), observed };
};

const loadsOf = ({ accesses = [], entry, own }: SeenEntry): readonly Loaded[] =>
  own
    ? []
    : (entry.loaded ?? []).flatMap((value, i) => (accesses[i] === undefined ? [] : [{ access: accesses[i], value }]));
