import type { Data } from "../data.js";
import { toHex } from "../hex.js";
import type { Access } from "../instruction-set.js";
import { bytesByAddress, PAGE_FAULT, readOnlyIn } from "../machine/execute.js";
import { dataSiteAt } from "../machine/loads.js";
import type { Machine } from "../machine/machine.js";
import { HOME } from "../machine/reserved.js";
import { freedIn } from "../machine/text.js";
import { type Change, type Fetched, fetchChoices, overlaid, withBehind } from "../machine/windows.js";
import { cpuMap, type Effect, type Observation } from "../rule.js";
import { addressKey, type Cell, type CpuState, type MemoryState } from "../state.js";
import { ageStored, begins, cleaned, completes, invalidationsOf, withBegun, withStored } from "./window-code.js";
import { fetchedEntry, fetchesAt, textAt, withFetched } from "./window-fetch.js";
import { instructionOf } from "./window-instruction.js";
import { hasOlderLoad, loadNow } from "./window-loads.js";
import type { LocalOrder } from "./window-local-order.js";
import type { WindowModel } from "./window-model.js";
import { overlap, sameLine, samePlace } from "./window-places.js";
import { restartedAt } from "./window-restart.js";
import type { Settled } from "./window-retire.js";
import { settle } from "./window-settle.js";
import { type WindowEntry, windowOfCpu, withEntry, withWindow } from "./window-state.js";
import { type SeenEntry, viewOf, type WindowView } from "./window-view.js";

/* The events of one CPU that others notice, or that notice others: each is one step of the machine. */

/** Everything that the steps of one CPU look at. */
export type Stepping = {
  readonly cpu: CpuState;
  readonly memory: MemoryState;
  readonly view: WindowView;
  readonly order: LocalOrder;
  readonly model: WindowModel;
  readonly machine: Machine;
};

const observation = (what: string, detail: { readonly [name: string]: Data }): Observation => ({ what, detail });

const settled = (
  { memory, model, machine }: Stepping,
  cpu: CpuState,
  observed: Observation,
  others: Omit<Effect, "set" | "observed"> & { readonly memory?: MemoryState } = {},
): readonly Effect[] => {
  const { memory: after = memory, ...maps } = others;
  return settle(cpu, after, model, machine, [observed]).map(
    (each: Settled): Effect => ({
      set: { cpu: each.cpu, ...(after === memory ? {} : { memory: after }) },
      ...maps,
      observed: each.observed,
    }),
  );
};

/** R21: an instruction where somebody may write is fetched: any value that this CPU's window allows. */
export const fetch = (stepping: Stepping): readonly Effect[] => {
  const { cpu, memory, view, model, machine } = stepping;
  const at = fetchesAt(cpu, view, model);
  const { mode } = view;
  if (at === undefined || textAt(at, mode, machine) !== undefined) return [];
  const isMapped = machine.cellOf(at) !== undefined || machine.text(at) !== undefined;
  // Only who comes there finds that nothing is mapped.
  if (!isMapped && (at === HOME || view.entries.length > 0)) return [];
  const place = machine.siteAt(at);
  const site = place === undefined ? undefined : memory.sites[place.site];
  return fetchChoices(cpu, memory, at, mode, machine).flatMap((fetched) => {
    const isNothing = fetched.insn === "unmapped" || fetched.insn === "no-execute";
    const bytes = isNothing ? "" : toHex(fetched.bytes);
    const refused = isMapped ? refusedWhy(stepping, at, fetched) : undefined;
    const traps = instructionOf(at, bytes, mode, model, machine).kind === "trap";
    const entry: WindowEntry = {
      ...fetchedEntry(at, bytes, mode),
      ...(fetched.insn === "no-execute" ? { fault: PAGE_FAULT } : {}),
      ...(site !== undefined && traps ? { site } : {}),
      ...(fetched.stale ? { stale: true } : {}),
      ...(refused === undefined ? {} : { refused }),
    };
    const behind = withBehind(cpu, fetched.behind ?? []);
    return withFetched(behind, entry, view, model, machine).flatMap((each) =>
      settled(stepping, each, observation("fetch", { at, bytes, stale: fetched.stale })),
    );
  });
};

/** R19, R31: why what was fetched may not be executed. */
const refusedWhy = ({ cpu, view, model, machine }: Stepping, at: bigint, fetched: Fetched): string | undefined => {
  const { window, bytes, versions } = fetched;
  if (model.races === undefined) {
    const admission = machine.fetch.admits(window, bytes, { at, mode: view.mode, versions });
    return admission === "run" ? undefined : admission.why;
  }
  const raced = windowOfCpu(cpu).racing[addressKey(at)]?.[toHex(bytes)];
  return raced === undefined || raced.length === 0 ? undefined : model.races.why;
};

/** The events of the entry at an index that can take place now. */
export const perform = (stepping: Stepping, index: number): readonly Effect[] => {
  const { view, order } = stepping;
  const seen = view.entries[index] as SeenEntry;
  if (seen.performed || order.free[index] !== true) return [];
  if (order.completing[index] === true) return complete(stepping, index);
  if (seen.access === undefined || seen.accesses === undefined) return [];
  switch (seen.access) {
    case "read":
      return load(stepping, index);
    case "write":
      return seen.firm && seen.outcome !== undefined ? store(stepping, index) : [];
    case "atomic":
      return seen.firm || seen.addressFirm ? exchange(stepping, index) : [];
    case "clean":
      return seen.firm ? clean(stepping, index) : [];
    case "invalidate":
      return seen.firm ? invalidate(stepping, index) : [];
  }
};

const load = (stepping: Stepping, index: number): readonly Effect[] => {
  const { cpu, memory, view, machine } = stepping;
  const seen = view.entries[index] as SeenEntry;
  const found = loadNow(view, index, cpu, memory, machine);
  if (found === undefined) return [];
  const other = disagrees(view, index, found.from);
  if (other !== undefined) return restart(stepping, other);
  const matters = found.from === undefined && hasOlderLoad(view, index);
  const { address } = (seen.accesses as readonly Access[])[0] as Access;
  const data = dataSiteAt(address, memory, machine);
  const entry: WindowEntry = {
    ...seen.entry,
    ...found,
    ...(matters ? { found: "latest" } : {}),
    ...(data === undefined ? {} : { data }),
  };
  return settled(
    stepping,
    withEntry(cpu, index, entry),
    observation("window-load", {
      at: seen.entry.at,
      address,
      value: found.loaded[0] as bigint,
      forwarded: found.from !== undefined,
    }),
  );
};

/** R26: what came too early is done again. */
const restart = (stepping: Stepping, index: number): readonly Effect[] => {
  const restarted = restartedAt(stepping.cpu, index);
  const { at } = (stepping.view.entries[index] as SeenEntry).entry;
  return restarted === undefined ? [] : settled(stepping, restarted, observation("window-restart", { at }));
};

/** R26: a younger load of the same place that came first and found an older value than this one would, which it may not. */
const disagrees = (view: WindowView, index: number, from: number | undefined): number | undefined => {
  const older = view.entries[index] as SeenEntry;
  for (let i = index + 1; i < view.entries.length; i++) {
    const younger = view.entries[i] as SeenEntry;
    if (!samePlace(older, younger)) continue;
    // Loads behind an own store of the place find that store or newer.
    if (younger.access === "write" || younger.access === "atomic") return undefined;
    if (younger.access !== "read" || !younger.performed) continue;
    if (
      from === undefined
        ? younger.entry.from !== undefined || younger.entry.found === "older"
        : younger.entry.from === undefined || i - younger.entry.from !== index - from
    )
      return i;
  }
  return undefined;
};

/** R25: accesses of one place, and maintenance of one line, stay in order, but for two loads. */
const waitsForPlace = ({ view, machine }: Stepping, index: number): boolean => {
  const seen = view.entries[index] as SeenEntry;
  return view.entries.slice(0, index).some((older) => {
    if (older.performed || older.access === undefined || older.access === "invalidate") return false;
    return older.access === "clean" || seen.access === "clean"
      ? sameLine(older, seen, machine)
      : samePlace(older, seen);
  });
};

const store = (stepping: Stepping, index: number): readonly Effect[] => {
  const seen = stepping.view.entries[index] as SeenEntry;
  if (waitsForPlace(stepping, index)) return [];
  return write(stepping, index, { ...seen.entry, done: true }, seen.accesses as readonly Access[]);
};

/** An atomic access waits for older stores of its place, and loads and stores at once. */
const exchange = (stepping: Stepping, index: number): readonly Effect[] => {
  const { cpu, memory, view, machine } = stepping;
  const seen = view.entries[index] as SeenEntry;
  if (waitsForPlace(stepping, index)) return [];
  const found = loadNow(view, index, cpu, memory, machine);
  if (found === undefined || seen.is.insn === undefined) return [];
  const other = disagrees(view, index, undefined);
  if (other !== undefined) return restart(stepping, other);
  const outcome = machine.instructionSet.execute(seen.is.insn, seen.entry.at, seen.given ?? {}, found.loaded);
  const stores = outcome.do === "retire" ? (outcome.stores ?? []) : [];
  return write(stepping, index, { ...seen.entry, loaded: found.loaded }, stores);
};

const write = (stepping: Stepping, index: number, entry: WindowEntry, stores: readonly Access[]): readonly Effect[] => {
  const { cpu, view, model, machine } = stepping;
  let { memory } = stepping;
  const places = stores.map(({ address, size }) => ({ address, size }));
  const seen = view.entries[index] as SeenEntry;
  const readOnly = readOnlyIn(stores, stepping.memory, machine);
  if (readOnly !== undefined) {
    const faulted: WindowEntry = { ...seen.entry, fault: PAGE_FAULT, store: readOnly };
    const { at } = seen.entry;
    return settled(stepping, withEntry(cpu, index, faulted), observation("window-fault", { at, address: readOnly }));
  }
  const changes: Change[] = [];
  const bytes: { [address: string]: string } = {};
  for (const access of stores) {
    for (const [address, byte] of Object.entries(bytesByAddress(access))) {
      const at = BigInt(`0x${address}`);
      const base = machine.cellOf(at);
      if (base === undefined) {
        bytes[address] = byte;
        continue;
      }
      const key = addressKey(base);
      const known = changes.find((change) => change.key === key);
      const old = known?.old ?? (memory.cells[key] as Cell).latest;
      const value = overlaid(known?.value ?? old, key, at, byte);
      if (known === undefined) changes.push({ key, old, value });
      else changes[changes.indexOf(known)] = { key, old, value };
    }
  }
  const real = changes.filter(({ old, value }) => old !== value);
  if (real.length > 0) memory = withStored(memory, real, machine);
  if (Object.keys(bytes).length > 0) memory = { ...memory, data: { ...memory.data, ...bytes } };
  const [first] = stores;
  const freed = places.map((place) => freedIn(place, stepping.memory, machine)).find((at) => at !== undefined);
  const visible = withVisibleStore(withEntry(cpu, index, entry), index, view);
  const aged = ageStored(visible, real, model, machine);
  return settled(
    stepping,
    aged,
    observation("window-store", {
      at: seen.entry.at,
      address: first?.address ?? 0n,
      value: first?.value ?? 0n,
      ...(freed === undefined ? {} : { freed }),
    }),
    { memory, otherCpus: { id: "overtake-window", args: { stores: places, changes: real } } },
  );
};

/** Loads that were forwarded from a store that all see now: memory holds what they found. */
const withVisibleStore = (cpu: CpuState, index: number, view: WindowView): CpuState => {
  const window = windowOfCpu(cpu);
  const entries = window.entries.map((entry, i) => {
    if (entry.from === undefined || i - entry.from !== index) return entry;
    const { from: _, ...rest } = entry;
    return hasOlderLoad(view, i) ? { ...rest, found: "latest" as const } : rest;
  });
  return withWindow(cpu, { ...window, entries });
};

const clean = (stepping: Stepping, index: number): readonly Effect[] => {
  const { cpu, memory, view, machine } = stepping;
  const seen = view.entries[index] as SeenEntry;
  if (waitsForPlace(stepping, index)) return [];
  const operation = seen.is.step as string;
  return settled(
    stepping,
    withEntry(cpu, index, { ...seen.entry, done: true }),
    observation("window-maintain", { at: seen.entry.at, operation }),
    { memory: cleaned(memory, operation, seen.accesses?.[0]?.address, machine) },
  );
};

const invalidate = (stepping: Stepping, index: number): readonly Effect[] => {
  const { cpu, memory, view, machine } = stepping;
  const seen = view.entries[index] as SeenEntry;
  const operation = seen.is.step as string;
  const invalidations = invalidationsOf(memory, operation, seen.accesses?.[0]?.address, machine);
  const began = withBegun(withEntry(cpu, index, { ...seen.entry, done: true }), invalidations);
  return settled(
    stepping,
    began,
    observation("window-maintain", { at: seen.entry.at, operation }),
    begins(invalidations),
  );
};

/** R29: a barrier that completes invalidations lets nothing behind it happen before they are in force on every CPU. */
const complete = (stepping: Stepping, index: number): readonly Effect[] => {
  const { cpu, view } = stepping;
  const seen = view.entries[index] as SeenEntry;
  const window = windowOfCpu(cpu);
  const done = withEntry(withWindow(cpu, { ...window, begun: [] }), index, { ...seen.entry, done: true });
  return settled(stepping, done, observation("window-complete", { at: seen.entry.at }), {
    ...completes(window.begun),
  });
};

/** Somebody wrote: loads that came before older ones of the place have found what memory no longer holds. */
export const overtakeMap = (model: WindowModel) =>
  cpuMap({
    id: "overtake-window",
    touches: ["stack", "stale", "behind", "order"],
    apply(
      before,
      args: {
        readonly stores: readonly { readonly address: bigint; readonly size: number }[];
        readonly changes: readonly Change[];
      },
      machine,
    ) {
      const { stores, changes } = args;
      const cpu = ageStored(before, changes, model, machine);
      const window = windowOfCpu(cpu);
      if (!window.entries.some(({ found }) => found === "latest")) return cpu;
      const view = viewOf(cpu, model, machine);
      const entries = window.entries.map((entry, i): WindowEntry => {
        const accesses = view?.entries[i]?.accesses ?? [];
        const hit = accesses.some((access) => stores.some((store) => overlap(access, { ...store, tags: [] })));
        return entry.found === "latest" && hit ? { ...entry, found: "older" } : entry;
      });
      return withWindow(cpu, { ...window, entries });
    },
  });
