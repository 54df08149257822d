import type { Machine } from "../machine/machine.js";
import type { CpuState } from "../state.js";
import type { WindowModel } from "./window-model.js";
import { sameLine, samePlace } from "./window-places.js";
import { type WindowEntry, windowOfCpu, withWindow } from "./window-state.js";
import { type SeenEntry, viewOf, type WindowView } from "./window-view.js";

/* What a CPU does again: what it guessed wrong, and what took place before it could be known that it should have waited. */

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
export const withoutWrongGuess = (cpu: CpuState, model: WindowModel, machine: Machine): CpuState | undefined => {
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
export const tooEarly = ({ entries }: WindowView, machine: Machine): number | undefined => {
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
