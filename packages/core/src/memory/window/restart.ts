import type { CpuState } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { instructionOf } from "./instruction.js";
import { bytesOf, hasLoaded, sourceOf, storesTo } from "./loads.js";
import type { WindowModel } from "./model.js";
import { sameLine, samePlace } from "./places.js";
import { cutTo, type SeenEntry, type WindowEntry, windowOfCpu, withWindow } from "./state.js";
import { viewOf, type WindowView } from "./view.js";

/* What a CPU does again: what it guessed wrong, and what took place before it could be known that it should have waited. */

/**
 * The CPU without what it did from an entry of its window on: it fetches and loads again. Undefined where something there has taken
 * place that others saw: then it was never possible.
 */
export const restartedAt = (cpu: CpuState, index: number, guessless?: WindowEntry): CpuState | undefined => {
  const window = windowOfCpu(cpu);
  if (window.entries.slice(index).some(({ done, stored }) => done === true || stored !== undefined)) return undefined;
  const kept = window.entries.slice(0, index);
  return cutTo(cpu, guessless === undefined ? kept : [...kept, guessless]);
};

/** R22: the CPU when a guess has turned out wrong: without what was fetched behind it. */
export const withoutWrongGuess = (cpu: CpuState, model: WindowModel, machine: World): CpuState | undefined => {
  const window = windowOfCpu(cpu);
  for (let wrong = 0; wrong < window.entries.length; wrong++) {
    const upTo = withWindow(cpu, { ...window, entries: window.entries.slice(0, wrong + 1) });
    if (viewOf(upTo, model, machine) !== undefined) continue;
    const { next: _, turns: __, way: ___, ...entry } = window.entries[wrong] as WindowEntry;
    // What compares has loaded as what it was taken to be.
    if (compares(entry, model, machine)) return restartedAt(cpu, wrong);
    return entry.done === true ? undefined : restartedAt(cpu, wrong, entry);
  }
  throw new Error("A window without a view has an entry that was guessed wrong.");
};

const compares = ({ at, bytes, mode = "" }: WindowEntry, model: WindowModel, machine: World): boolean =>
  instructionOf(at, bytes, mode, model, machine).compares;

/** R26: the first access that has taken place and should have waited, as what became known since tells. */
export const tooEarly = ({ entries }: WindowView, machine: World): number | undefined => {
  for (const [i, older] of entries.entries()) {
    if (older.access === undefined || older.performed || older.accesses === undefined) continue;
    for (let j = i + 1; j < entries.length; j++) {
      const younger = entries[j] as SeenEntry;
      if ((!younger.begun && younger.entry.parts === undefined) || younger.access === undefined) continue;
      if (older.access === "clean" || younger.access === "clean") {
        if (older.access !== "invalidate" && younger.access !== "invalidate" && sameLine(older, younger, machine))
          return j;
        continue;
      }
      if (older.stores.length === 0 || younger.entry.done === true) continue;
      if (younger.access === "write" || !samePlace(older, younger)) continue;
      // A store between the two that was performed would have waited for this one.
      const missed = (byte: bigint, at: number): boolean => {
        const source = sourceOf(younger.entry, at);
        return hasLoaded(younger.entry, at) && storesTo(older, byte) && (source === 0 || j - source < i);
      };
      if (bytesOf(younger).some(missed)) return j;
    }
  }
  return undefined;
};
