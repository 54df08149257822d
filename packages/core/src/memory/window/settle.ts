import type { Observation } from "../../contract/events.js";
import { type CpuState, type MemoryState, running } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { synchronizeWindow } from "./code.js";
import { fetchedEntry, fetchesAt, textAt, withFetched } from "./fetch.js";
import { hasOlderLoad, loadNow } from "./loads.js";
import { localOrderOf } from "./local-order.js";
import type { WindowModel } from "./model.js";
import { restartedAt, tooEarly, withoutWrongGuess } from "./restart.js";
import { retireComplete, type Settled } from "./retire.js";
import { cutTo, type SeenEntry, windowOfCpu, withEntry, withWindow } from "./state.js";
import { synchronizes, viewOf, type WindowView } from "./view.js";

/*
 * What a CPU does by itself between the events that others notice: it throws away what was guessed wrong, synchronises, lets
 * instructions leave the window in program order, fetches code and loads data that nobody writes. To do these at once loses nothing:
 * each only lets more happen after it, and none has another outcome later.
 */

/** Instructions of code that nobody writes that are fetched in one step at the most; the rest follows in steps of their own. */
const MOST_FETCHED = 64;

/** Every state in which a CPU that runs machine code settles: several where it has to guess, none where a guess was wrong. */
export const settle = (
  cpu: CpuState,
  memory: MemoryState,
  model: WindowModel,
  machine: World,
  observed: readonly Observation[] = [],
  left = MOST_FETCHED,
): readonly Settled[] => {
  const code = running(cpu)?.code;
  if (code?.run !== "machine" || code.home || code.trapped !== null) return [{ cpu, observed }];
  const again = (next: CpuState, ...seen: readonly Observation[]): readonly Settled[] =>
    settle(next, memory, model, machine, seen.length === 0 ? observed : [...observed, ...seen], left);
  const view = viewOf(cpu, model, machine);
  const early = view === undefined ? undefined : tooEarly(view, machine);
  if (windowOfCpu(cpu).again === true) {
    const { again: _, ...window } = windowOfCpu(cpu);
    return again(withWindow(cpu, window));
  }
  if (view === undefined || early !== undefined) {
    const restarted = early === undefined ? withoutWrongGuess(cpu, model, machine) : restartedAt(cpu, early);
    return restarted === undefined ? [] : again(restarted);
  }

  const last = view.entries.length - 1;
  const trap = view.entries.findIndex(({ outcome, firm }) => outcome?.do === "trap" && firm);
  // What was fetched behind an instruction that turned out to raise an exception.
  if (trap >= 0 && trap < last && view.entries[trap]?.performed === false)
    return again(cutTo(cpu, windowOfCpu(cpu).entries.slice(0, trap + 1)));
  const end = view.entries[last];
  if (end !== undefined && synchronizes(end) && !end.performed) {
    if (localOrderOf(view, windowOfCpu(cpu), model).free[last] === true) return again(synchronised(cpu, view, machine));
  }

  const loaded = withQuietLoad(cpu, view, memory, model, machine);
  if (loaded !== undefined) return again(loaded);

  const retired = retireComplete(cpu, view, memory, machine);
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

/** The CPU when the last entry of its window has taken place: a synchronising instruction, or an exception. */
const synchronised = (cpu: CpuState, view: WindowView, machine: World): CpuState => {
  const last = view.entries.length - 1;
  const { entry, is } = view.entries[last] as SeenEntry;
  const done = withEntry(cpu, last, { ...entry, done: true });
  const synchronises = is.order?.is === "synchronise" || machine.cpu.synchronizes.includes("trap-entry");
  return synchronises ? synchronizeWindow(done, machine) : done;
};

/** The CPU with one more load done that finds the same whenever it takes place; undefined where none can be. */
export const withQuietLoad = (
  cpu: CpuState,
  view: WindowView,
  memory: MemoryState,
  model: WindowModel,
  machine: World,
): CpuState | undefined => {
  const quiet = view.entries.findIndex((seen) => !seen.begun && isQuiet(seen, machine));
  const found = quiet < 0 ? undefined : loadNow(view, quiet, cpu, memory, model, machine);
  return found === undefined
    ? undefined
    : withEntry(cpu, quiet, { ...(view.entries[quiet] as SeenEntry).entry, ...found });
};

/** Whether a load finds the same whenever it takes place: on the context's own stack, and of what nobody writes. */
const isQuiet = ({ is, own, accesses = [] }: SeenEntry, machine: World): boolean =>
  (is.kind === "read" || (is.kind === "atomic" && own)) &&
  accesses.length > 0 &&
  (own ||
    accesses.every(({ address, size }) =>
      Array.from({ length: size }, (_, i) => address + BigInt(i)).every((byte) => machine.isNeverWritten(byte)),
    ));

/** Drops what no longer matters, so that states that behave alike are alike. */
const normalized = (cpu: CpuState, view: WindowView): CpuState => {
  const window = windowOfCpu(cpu);
  let changed = false;
  const entries = view.entries.map((seen, i) => {
    const { entry } = seen;
    const decided = entry.next !== undefined && seen.outcome !== undefined && !seen.undecided;
    const chosen = entry.way !== undefined && seen.firm && seen.is.exclusive !== "store";
    const found = entry.overtaken !== undefined && !hasOlderLoad(view, i);
    if (!decided && !chosen && !found) return entry;
    changed = true;
    const { next, turns, way, overtaken: held, ...rest } = entry;
    return {
      ...rest,
      ...(decided || next === undefined ? {} : { next }),
      ...(decided || turns === undefined ? {} : { turns }),
      ...(chosen || way === undefined ? {} : { way }),
      ...(found || held === undefined ? {} : { overtaken: held }),
    };
  });
  return changed ? withWindow(cpu, { ...window, entries }) : cpu;
};
