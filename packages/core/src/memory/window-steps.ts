import { fromHex, toHex } from "../base/hex.js";
import type { Effect } from "../contract/effect.js";
import type { EventName, Events, Observation } from "../contract/events.js";
import type { Access } from "../contract/instruction-set.js";
import { cpuMap } from "../contract/rule.js";
import { addressKey, type Cell, type CpuState, type MemoryState, running } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { bytesByAddress, PAGE_FAULT, readOnlyIn } from "../execution/execute.js";
import { dataSiteAt, freedData } from "../execution/loads.js";
import { type Change, type Fetched, fetchChoices, overlaid, windowOf, withBehind } from "../fetch/stale-code.js";
import { freedIn } from "../fetch/text.js";
import { HOME } from "../program/reserved.js";
import { reservedIn } from "./exclusive.js";
import { ageStored, begins, cleaned, completes, invalidationsOf, withBegun, withStored } from "./window-code.js";
import { isGranted, isPending } from "./window-exclusive.js";
import { fetchedEntry, fetchesAt, textAt, withFetched } from "./window-fetch.js";
import { heldBy, heldByOthers, isHeld, withHeld } from "./window-held.js";
import { instructionOf } from "./window-instruction.js";
import { bytesOf, type Found, hasOlderLoad, loadNow, sourceOf, storesTo } from "./window-loads.js";
import type { LocalOrder } from "./window-local-order.js";
import type { WindowModel } from "./window-model.js";
import { sameLine, samePlace } from "./window-places.js";
import { restartedAt } from "./window-restart.js";
import type { Settled } from "./window-retire.js";
import { settle } from "./window-settle.js";
import { type SeenEntry, type WindowEntry, windowOfCpu, withEntry, withWindow } from "./window-state.js";
import { viewOf, type WindowView } from "./window-view.js";

/* The events of one CPU that others notice, or that notice others: each is one step of the machine. */

/** Everything that the steps of one CPU look at. */
export type Stepping = {
  readonly cpu: CpuState;
  readonly memory: MemoryState;
  readonly view: WindowView;
  readonly order: LocalOrder;
  readonly model: WindowModel;
  readonly machine: World;
};

const observation = <E extends EventName>(what: E, detail: Events[E]): Observation => ({ what, detail }) as Observation;

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
  const begun = cpu.fetching?.at === at ? fromHex(cpu.fetching.bytes) : [];
  const whole = fetchChoices(cpu, memory, at, mode, machine, begun).flatMap((fetched) => {
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
  return begun.length > 0 ? whole : [...whole, ...fetchPart(stepping, at)];
};

/**
 * R7: an instruction over two units is fetched in two: maintenance by others may reach this CPU in between. Where only its own context
 * synchronisation takes away what it may fetch, that discards the first part as well, and to fetch both at one moment shows all.
 */
const fetchPart = (stepping: Stepping, at: bigint): readonly Effect[] => {
  const { cpu, memory, view, machine } = stepping;
  const base = machine.cellOf(at);
  if (machine.fetch.stale !== "until-maintenance" || base === undefined) return [];
  const border = base + BigInt(machine.fetch.unit);
  if (machine.cellOf(border) === undefined) return [];
  const parts = windowOf(cpu, memory, addressKey(base), machine).map((value) => value.slice(2 * Number(at - base)));
  return [...new Set(parts)]
    .filter((bytes) => machine.instructionSet.decode(fromHex(bytes), view.mode) === "short")
    .flatMap((bytes) =>
      settled(stepping, { ...cpu, fetching: { at, bytes } }, observation("fetch-part", { at, bytes })),
    );
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
  const { view, order, model } = stepping;
  const seen = view.entries[index] as SeenEntry;
  if (seen.performed) return [];
  if (seen.entry.half === true)
    return order.freeStore[index] === true && seen.firm && seen.outcome !== undefined ? store(stepping, index) : [];
  if (order.free[index] !== true) return [];
  if (order.completing[index] === true) return complete(stepping, index);
  if (seen.access === undefined || seen.accesses === undefined) return [];
  switch (seen.access) {
    case "read":
      return load(stepping, index);
    case "write":
      return seen.firm && seen.outcome !== undefined && isGranted(view.entries, index, stepping.cpu)
        ? store(stepping, index)
        : [];
    case "atomic":
      return model.atomics === "load-and-store" ? load(stepping, index) : exchange(stepping, index);
    case "clean":
      return seen.firm ? clean(stepping, index) : [];
    case "invalidate":
      return seen.firm ? invalidate(stepping, index) : [];
  }
};

const load = (stepping: Stepping, index: number): readonly Effect[] => {
  const { cpu, memory, view, model, machine } = stepping;
  const seen = view.entries[index] as SeenEntry;
  const found = loadNow(view, index, cpu, memory, model, machine);
  if (found === undefined) return [];
  const other = disagrees(view, index, found);
  if (other !== undefined) return restart(stepping, other);
  const { address } = (seen.accesses as readonly Access[])[0] as Access;
  const data = dataSiteAt(address, memory, machine);
  const entry: WindowEntry = {
    ...seen.entry,
    ...found,
    ...(seen.access === "atomic" ? { half: true } : {}),
    ...(seen.is.exclusive === "load" ? { reserves: true } : {}),
    ...(hasOlderLoad(view, index) ? { overtaken: bytesOf(seen).map(() => false) } : {}),
    ...(data === undefined ? {} : { data }),
  };
  const loadedCpu = withEntry(cpu, index, entry);
  const held = holding(stepping, loadedCpu, memory);
  if (held === undefined) return [];
  return settled(
    stepping,
    loadedCpu,
    observation("window-load", {
      at: seen.entry.at,
      address,
      value: found.loaded[0] as bigint,
      forwarded: found.from !== undefined,
    }),
    { memory: held },
  );
};

/** R43: the memory with what the CPU's atomic accesses hold after a step; undefined where another CPU holds some of it. */
const holding = (
  { cpu: stood, view, memory: before, model, machine }: Stepping,
  cpu: CpuState,
  memory: MemoryState,
): MemoryState | undefined => {
  const others = heldByOthers(view, stood, before);
  const own = heldBy(viewOf(cpu, model, machine), cpu);
  return own.some((place) => isHeld(place, others)) ? undefined : withHeld(memory, [...others, ...own]);
};

/** R26: what came too early is done again. */
const restart = (stepping: Stepping, index: number): readonly Effect[] => {
  const restarted = restartedAt(stepping.cpu, index);
  const { at } = (stepping.view.entries[index] as SeenEntry).entry;
  return restarted === undefined ? [] : settled(stepping, restarted, observation("window-restart", { at }));
};

/** R26: a younger load of the same place that came first and found an older byte than this one would, which it may not. */
const disagrees = (view: WindowView, index: number, found: Found): number | undefined => {
  const older = view.entries[index] as SeenEntry;
  // Loads behind an own store of a byte find that store or newer.
  const bytes = new Map(bytesOf(older).map((byte, at) => [byte, found.from?.[at] ?? 0]));
  const leaveOut = (stored: SeenEntry): void => {
    for (const byte of bytes.keys()) if (storesTo(stored, byte)) bytes.delete(byte);
  };
  leaveOut(older);
  for (let i = index + 1; i < view.entries.length && bytes.size > 0; i++) {
    const younger = view.entries[i] as SeenEntry;
    if (!samePlace(older, younger)) continue;
    const { entry } = younger;
    const isOlder = (byte: bigint, at: number): boolean => {
      const from = bytes.get(byte);
      if (from === undefined) return false;
      const source = sourceOf(entry, at);
      return from === 0 ? source > 0 || entry.overtaken?.[at] === true : source === 0 || i - source !== index - from;
    };
    if (younger.access !== "write" && younger.begun && bytesOf(younger).some(isOlder)) return i;
    leaveOut(younger);
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

/** R4: of a store in several pieces one takes place, whichever. */
const store = (stepping: Stepping, index: number): readonly Effect[] => {
  const seen = stepping.view.entries[index] as SeenEntry;
  if (waitsForPlace(stepping, index)) return [];
  const { half: _, stored = [], ...entry } = seen.entry;
  if (seen.access === "atomic" || seen.stores.length < 2)
    return write(stepping, index, { ...entry, done: true }, seen.stores);
  return seen.stores.flatMap((piece) => {
    const pieces = [...stored, piece.address].sort((a, b) => (a < b ? -1 : 1));
    return write(stepping, index, { ...entry, stored: pieces }, [piece]);
  });
};

/** An atomic access that is one event waits for older stores of its place, and loads and stores at once. */
const exchange = (stepping: Stepping, index: number): readonly Effect[] => {
  const { cpu, memory, view, model, machine } = stepping;
  const seen = view.entries[index] as SeenEntry;
  if (waitsForPlace(stepping, index) || seen.ready !== true) return [];
  const found = loadNow(view, index, cpu, memory, model, machine);
  if (found === undefined || seen.is.insn === undefined) return [];
  const other = disagrees(view, index, found);
  if (other !== undefined) return restart(stepping, other);
  const outcome = machine.instructionSet.execute(seen.is.insn, seen.entry.at, seen.given ?? {}, found.loaded);
  const stores = outcome.do === "retire" ? (outcome.stores ?? []) : [];
  return write(stepping, index, { ...seen.entry, loaded: found.loaded, done: true }, stores);
};

const write = (stepping: Stepping, index: number, entry: WindowEntry, stores: readonly Access[]): readonly Effect[] => {
  const { cpu, view, model, machine } = stepping;
  let { memory } = stepping;
  const places = stores.map(({ address, size }) => ({ address, size }));
  const seen = view.entries[index] as SeenEntry;
  const readOnly = readOnlyIn(seen.is.kind === "write" ? seen.stores : stores, stepping.memory, machine);
  if (readOnly !== undefined) {
    const { half: _, loaded: __, from: ___, overtaken: ____, ...left } = seen.entry;
    const faulted: WindowEntry = { ...left, fault: PAGE_FAULT, store: readOnly };
    const { at } = seen.entry;
    return settled(stepping, withEntry(cpu, index, faulted), observation("window-fault", { at, address: readOnly }));
  }
  const others = heldByOthers(view, cpu, memory);
  if (stores.some((access) => isHeld(access, others))) return [];
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
  const freedBytes = freedData(Object.keys(bytes), stepping.cpu, stepping.memory, machine);
  const visible = withVisibleStore(withEntry(cpu, index, entry), index, stores, view);
  const aged = ageStored(visible, real, model, machine);
  const held = holding(stepping, aged, memory);
  if (held === undefined) return [];
  return settled(
    stepping,
    aged,
    observation("window-store", {
      at: seen.entry.at,
      address: first?.address ?? 0n,
      value: first?.value ?? 0n,
      ...(freed === undefined ? {} : { freed }),
      ...(freedBytes === undefined ? {} : { freedData: BigInt(`0x${freedBytes}`) }),
    }),
    { memory: held, otherCpus: { id: "overtake-window", args: { stores: places, changes: real } } },
  );
};

/** Loads that were forwarded from a store that all see now: memory holds what they found. */
const withVisibleStore = (cpu: CpuState, index: number, stores: readonly Access[], view: WindowView): CpuState => {
  const window = windowOfCpu(cpu);
  const isVisible = (byte: bigint | undefined): boolean =>
    stores.some(({ address, size }) => byte !== undefined && byte >= address && byte < address + BigInt(size));
  const entries = window.entries.map((entry, i) => {
    if (entry.from?.some((before) => before > 0 && i - before === index) !== true) return entry;
    const { from, ...rest } = entry;
    const bytes = bytesOf(view.entries[i] as SeenEntry);
    const left = from.map((before, at) => (i - before === index && isVisible(bytes[at]) ? 0 : before));
    return left.every((before) => before === 0) ? rest : { ...rest, from: left };
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
      const context = running(cpu);
      const place = context?.code.run === "machine" ? reservedIn(context.code.registers) : undefined;
      const looks = ({ overtaken, half, reserves }: WindowEntry): boolean =>
        overtaken !== undefined || half === true || reserves === true;
      if (place === undefined && !window.entries.some(looks)) return cpu;
      const view = viewOf(cpu, model, machine);
      if (view === undefined) return cpu;
      const isHit = (entry: WindowEntry, byte: bigint, at: number): boolean =>
        sourceOf(entry, at) === 0 &&
        stores.some(({ address, size }) => byte >= address && byte < address + BigInt(size));
      // R43: an atomic access whose place others have stored to loads again; what all see that came behind it would have held them back.
      const hits = (seen: SeenEntry): boolean => bytesOf(seen).some((byte, at) => isHit(seen.entry, byte, at));
      const takes = view.entries.map((seen) => seen.entry.reserves === true && hits(seen));
      const isGone = place !== undefined && stores.some((store) => isHeld(store, [place]));
      const goesWith = (index: number): boolean => {
        const last = view.entries.slice(0, index).findLastIndex(({ is }) => is.exclusive !== undefined);
        return last < 0 ? isGone : takes[last] === true;
      };
      const lost = view.entries.findIndex(
        (seen, index) => (seen.entry.half === true && hits(seen)) || (isPending(seen) && goesWith(index)),
      );
      const kept = lost < 0 ? window.entries : window.entries.slice(0, lost);
      const entries = kept.map((entry, i): WindowEntry => {
        const stood = takes[i] === true ? { ...entry, lost: true as const } : entry;
        const { overtaken } = stood;
        if (overtaken === undefined) return stood;
        const bytes = bytesOf(view.entries[i] as SeenEntry);
        const after = overtaken.map((already, at) => already || isHit(stood, bytes[at] as bigint, at));
        return after.some((now, at) => now !== overtaken[at]) ? { ...stood, overtaken: after } : stood;
      });
      const flags = { ...(lost < 0 ? {} : { again: true as const }), ...(isGone ? { lost: true as const } : {}) };
      return withWindow(cpu, { ...window, entries, ...flags });
    },
  });
