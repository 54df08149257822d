import { fromHex } from "../../base/hex.js";
import { same, valueSet } from "../../base/key.js";
import { own } from "../../base/own.js";
import type { Effect } from "../../contract/effect.js";
import { cpuMap } from "../../contract/rule.js";
import {
  type Cell,
  type CellValue,
  type CpuState,
  type MemoryState,
  running,
  type ValueSet,
} from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { ageWindow, type Change, withBehind } from "../../fetch/stale-code.js";
import type { WindowModel } from "./model.js";
import { cellsOf } from "./places.js";
import { type Invalidation, type WindowState, windowOfCpu, withWindow } from "./state.js";

/*
 * R28, R29: code under the window order: per CPU and cell the values that it may still fetch, and the invalidations that were begun
 * and are not yet in force. An invalidation leaves what was cleaned when it was begun and what was written since. It reaches the CPUs
 * one by one: each when it synchronises its context, all when the barrier behind it completes. That a CPU need not notice one sooner
 * loses nothing, since to notice it only leaves less to fetch.
 */

const NO_VALUES: ValueSet = [];

/** The memory with cells changed; what is cleaned and invalidated is counted from the values since. */
export const withStored = (memory: MemoryState, changes: readonly Change[], machine: World): MemoryState => {
  const cells = { ...memory.cells };
  for (const { key, old, value } of changes) {
    const { sinceClean, ...cell } = cells[key] as Cell;
    const kept = machine.fetch.stale === "until-maintenance" ? aged(sinceClean, old, value) : sinceClean;
    cells[key] = { ...cell, latest: value, sinceClean: kept };
  }
  return { ...memory, cells };
};

const aged = (values: ValueSet, old: CellValue, value: CellValue): ValueSet =>
  valueSet([...values, old]).filter((each) => each !== value);

/** What a store that changes these cells at one moment does to what a CPU may fetch. */
export const ageStored = (cpu: CpuState, changes: readonly Change[], model: WindowModel, machine: World): CpuState => {
  const moved = ageWindow(cpu, changes, machine);
  if (machine.fetch.stale === "never") return moved;
  const window = windowOfCpu(cpu);
  const age = (each: Invalidation): Invalidation => {
    const change = changes.find(({ key }) => key === each.cell);
    return change === undefined ? each : { ...each, keep: aged(each.keep, change.old, change.value) };
  };
  let { racing } = window;
  for (const change of changes)
    racing = withRaces(racing, change, [change.old, ...stillFetched(cpu, change.key)], model);
  if (window.incoming.length === 0 && window.begun.length === 0 && racing === window.racing) return moved;
  return withWindow(moved, { ...window, incoming: window.incoming.map(age), begun: window.begun.map(age), racing });
};

/** What a CPU may fetch from a cell of what was overwritten in it before. */
const stillFetched = ({ stale, behind = [] }: CpuState, key: string): readonly CellValue[] => [
  ...(stale[key] ?? NO_VALUES),
  ...behind.flatMap((store) => store[key] ?? []),
];

/** R31: a value that may still be fetched races with what is written over it, until the CPU synchronises. */
const withRaces = (
  racing: WindowState["racing"],
  { key, value }: Change,
  fetchable: readonly CellValue[],
  model: WindowModel,
): WindowState["racing"] => {
  if (model.races === undefined) return racing;
  const { allowed } = model.races;
  const before = racing[key] ?? {};
  const mayRace = (each: CellValue): boolean => allowed(fromHex(each));
  const pairs = fetchable.filter((each) => each !== value && !(mayRace(each) && mayRace(value)));
  if (pairs.length === 0 && before[value] === undefined) return racing;
  const cell: { [value: CellValue]: ValueSet } = {};
  for (const each of [...new Set([...Object.keys(before), ...pairs])].sort()) {
    // What is written now is newer than anything that raced with it.
    if (each === value) continue;
    cell[each] = pairs.includes(each) ? valueSet([...(before[each] ?? []), value]) : (before[each] ?? []);
  }
  const { [key]: _, ...rest } = racing;
  return Object.keys(cell).length === 0 ? rest : { ...rest, [key]: cell };
};

/** An invalidation was begun: until it is in force on this CPU, it fetches as before. */
export const invalidateMap = cpuMap({
  id: "invalidate-window",
  touches: ["stale", "order"],
  apply(cpu, { invalidations }: { readonly invalidations: readonly Invalidation[] }) {
    const matter = invalidations.filter(({ cell, keep }) =>
      (cpu.stale[cell] ?? []).some((each) => !keep.includes(each)),
    );
    if (matter.length === 0) return cpu;
    const window = windowOfCpu(cpu);
    return withWindow(cpu, { ...window, incoming: sorted([...window.incoming, ...matter]) });
  },
});

/**
 * Invalidations are in force on every CPU. One that runs a program may have fetched ahead already the machine code that it goes on with
 * then, as may one whose tasks run other code, and fetches that as before until it synchronises its context.
 */
export const invalidatedMap = cpuMap({
  id: "invalidated-window",
  touches: ["stack", "stale", "order"],
  apply: (cpu, { invalidations }: { readonly invalidations: readonly Invalidation[] }, machine) =>
    fetchesInOrder(cpu, machine) ? inForce(cpu, invalidations) : cpu,
});

/**
 * Whether all that a CPU goes on with is fetched behind what its window holds, or behind a context synchronisation: neither what its
 * handler returns to nor what another task goes on with may be there before.
 */
const fetchesInOrder = (cpu: CpuState, machine: World): boolean => {
  const context = running(cpu);
  if (context?.code.run !== "machine") return false;
  if (cpu.stack.length > 1) return machine.cpu.synchronizes.includes(`${context.level}-return`);
  const routines = [...machine.layout.runs.values()];
  return !machine.preempt || (routines.length === 1 && routines[0]?.once !== true);
};

/** A CPU on which invalidations are in force: it fetches no more what they took. */
export const inForce = (cpu: CpuState, invalidations: readonly Invalidation[]): CpuState => {
  if (invalidations.length === 0) return cpu;
  const stale: { [cell: string]: ValueSet } = { ...cpu.stale };
  for (const { cell, keep } of invalidations) {
    const left = (stale[cell] ?? NO_VALUES).filter((each) => keep.includes(each));
    if (left.length > 0) stale[cell] = left;
    else delete stale[cell];
  }
  const window = windowOfCpu(cpu);
  const incoming = window.incoming.filter(({ cell, keep }) => (stale[cell] ?? []).some((each) => !keep.includes(each)));
  return withWindow({ ...cpu, stale }, { ...window, incoming });
};

/** R5, R29: a context synchronisation puts in force on its CPU what was begun anywhere. */
export const synchronizeWindow = (cpu: CpuState, machine: World): CpuState => {
  const forced = inForce(cpu, windowOfCpu(cpu).incoming);
  const stale = machine.fetch.stale === "until-sync" ? {} : forced.stale;
  const fresh = { ...withBehind(forced, []), stale, fetching: null };
  const { ahead: _, ...window } = windowOfCpu(forced);
  return withWindow(fresh, { ...window, incoming: [], racing: {} });
};

/** In an order of its own, so that states that behave alike are alike; without repetition. */
const sorted = (invalidations: readonly Invalidation[]): readonly Invalidation[] => {
  const found: Invalidation[] = [];
  const key = ({ cell, keep }: Invalidation): string => `${cell} ${keep.join()}`;
  for (const each of [...invalidations].sort((a, b) => (key(a) < key(b) ? -1 : 1)))
    if (!found.some((other) => same(other, each))) found.push(each);
  return found;
};

/** Invalidations that a CPU begins are kept until its barrier completes them. */
export const withBegun = (cpu: CpuState, invalidations: readonly Invalidation[]): CpuState => {
  if (invalidations.length === 0) return cpu;
  const window = windowOfCpu(cpu);
  return withWindow(cpu, { ...window, begun: sorted([...window.begun, ...invalidations]) });
};

/** The memory after a clean of the line of an address, or of all code. */
export const cleaned = (
  memory: MemoryState,
  step: string,
  address: bigint | undefined,
  machine: World,
): MemoryState => {
  const operation = own(machine.cache.operations, step);
  if (operation === undefined) return memory;
  const cells = { ...memory.cells };
  for (const key of cellsOf(address, memory, machine)) cells[key] = operation(cells[key] as Cell);
  return { ...memory, cells };
};

/** R28: what an invalidation leaves to fetch when it is begun now. */
export const invalidationsOf = (
  memory: MemoryState,
  step: string,
  address: bigint | undefined,
  machine: World,
): readonly Invalidation[] => {
  const operation = own(machine.cache.operations, step);
  if (operation === undefined) return [];
  return cellsOf(address, memory, machine).flatMap((key) => {
    const cell = memory.cells[key] as Cell;
    const after = operation(cell);
    // Hardware that needs no invalidation does none.
    return after === cell ? [] : [{ cell: key, keep: after.sinceFloor }];
  });
};

/** Invalidations begin on every CPU. */
export const begins = (invalidations: readonly Invalidation[]): Pick<Effect, "everyCpu"> =>
  invalidations.length === 0 ? {} : { everyCpu: { id: "invalidate-window", args: { invalidations } } };

/** They are in force on every CPU. */
export const completes = (invalidations: readonly Invalidation[]): Pick<Effect, "everyCpu"> => ({
  everyCpu: { id: "invalidated-window", args: { invalidations } },
});
