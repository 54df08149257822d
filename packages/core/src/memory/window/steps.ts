import type { Effect } from "../../contract/effect.js";
import type { Observation } from "../../contract/events.js";
import type { Access } from "../../contract/instruction-set.js";
import { cpuMap } from "../../contract/rule.js";
import { addressKey, type Cell, type CpuState, type MemoryState, running } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { bytesByAddress, PAGE_FAULT, readOnlyIn } from "../../execution/execute.js";
import { dataSiteAt, freedData } from "../../execution/loads.js";
import { type Change, overlaid } from "../../fetch/stale-code.js";
import { freedIn } from "../../fetch/text.js";
import { reservedIn } from "../exclusive.js";
import { ageStored, begins, cleaned, completes, invalidationsOf, withBegun, withStored } from "./code.js";
import { isGranted, isPending } from "./exclusive.js";
import { fetchedAt, fetchesAt, observation, textAt } from "./fetch.js";
import { heldBy, heldByOthers, isHeld, withHeld } from "./held.js";
import {
  bytesOf,
  type Found,
  hasLoaded,
  hasOlderLoad,
  loadNow,
  piecesLeft,
  sourceOf,
  storesTo,
  valueAt,
} from "./loads.js";
import type { LocalOrder } from "./local-order.js";
import type { WindowModel } from "./model.js";
import { overlap, sameLine, samePlace } from "./places.js";
import { restartedAt } from "./restart.js";
import type { Settled } from "./retire.js";
import { settle } from "./settle.js";
import { cutTo, type SeenEntry, type WindowEntry, windowOfCpu, withEntry, withWindow } from "./state.js";
import { viewOf, type WindowView } from "./view.js";

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
  const { cpu, view, model, machine } = stepping;
  const at = fetchesAt(cpu, view, model);
  if (at === undefined || textAt(at, view.mode, machine) !== undefined) return [];
  return fetchedAt(stepping, at).flatMap((each) => settled(stepping, each.cpu, each.observed));
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

/** R4: of a load in several pieces one takes place, whichever. */
const load = (stepping: Stepping, index: number): readonly Effect[] => {
  const pieces = piecesLeft(stepping.view.entries[index] as SeenEntry, stepping.machine) ?? [undefined];
  return pieces.flatMap((piece) => loadPiece(stepping, index, piece));
};

const loadPiece = (stepping: Stepping, index: number, piece: Access | undefined): readonly Effect[] => {
  const { cpu, memory, view, model, machine } = stepping;
  const seen = view.entries[index] as SeenEntry;
  const found = loadNow(view, index, cpu, memory, model, machine, piece);
  if (found === undefined) return [];
  const other = disagrees(view, index, found);
  if (other !== undefined) return restart(stepping, other);
  const accesses = seen.accesses as readonly Access[];
  const { address } = piece ?? (accesses[0] as Access);
  const { parts: _, data: stood, ...before } = seen.entry;
  const isLoaded = (access: Access): boolean => piece === undefined || overlap(access, piece);
  const data = accesses.map((access, i) => {
    const known = stood?.[i] ?? null;
    return known === null && isLoaded(access) ? (dataSiteAt(access.address, memory, machine) ?? null) : known;
  });
  const entry: WindowEntry = {
    ...before,
    ...found,
    ...(seen.access === "atomic" ? { half: true } : {}),
    ...(seen.is.exclusive === "load" ? { reserves: true } : {}),
    ...(before.overtaken === undefined && hasOlderLoad(view, index)
      ? { overtaken: bytesOf(seen).map(() => false) }
      : {}),
    ...(data.every((each) => each === null) ? {} : { data }),
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
      value: valueAt(found, seen, piece),
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
  const isNow = (at: number): boolean => hasLoaded(found, at) && !hasLoaded(older.entry, at);
  const bytes = new Map(
    bytesOf(older).flatMap((byte, at) => (isNow(at) ? [[byte, found.from?.[at] ?? 0] as const] : [])),
  );
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
      if (from === undefined || !hasLoaded(entry, at)) return false;
      const source = sourceOf(entry, at);
      return from === 0 ? source > 0 || entry.overtaken?.[at] === true : source === 0 || i - source !== index - from;
    };
    if (younger.access !== "write" && bytesOf(younger).some(isOlder)) return i;
    leaveOut(younger);
  }
  return undefined;
};

/** R25: accesses of one place, and maintenance of one line, stay in order, but for two loads. */
const waitsForPlace = ({ view, machine }: Stepping, index: number, piece?: Access): boolean => {
  const whole = view.entries[index] as SeenEntry;
  const seen = piece === undefined ? whole : { ...whole, accesses: [piece] };
  return view.entries.slice(0, index).some((older) => {
    if (older.performed || older.access === undefined || older.access === "invalidate") return false;
    if (older.access === "clean" || seen.access === "clean") return sameLine(older, seen, machine);
    const accesses = older.entry.parts === undefined ? older.accesses : piecesLeft(older, machine);
    return samePlace({ ...older, accesses }, seen);
  });
};

/** R4: of a store in several pieces one takes place, whichever. */
const store = (stepping: Stepping, index: number): readonly Effect[] => {
  const seen = stepping.view.entries[index] as SeenEntry;
  const { half: _, stored = [], ...entry } = seen.entry;
  if (seen.access === "atomic" || seen.stores.length < 2)
    return waitsForPlace(stepping, index) ? [] : write(stepping, index, { ...entry, done: true }, seen.stores);
  return seen.stores.flatMap((piece) => {
    if (waitsForPlace(stepping, index, piece)) return [];
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
  const loaded = found.loaded as readonly bigint[];
  const outcome = machine.instructionSet.execute(seen.is.insn, seen.entry.at, seen.given ?? {}, loaded);
  const stores = outcome.do === "retire" ? (outcome.stores ?? []) : [];
  return write(stepping, index, { ...seen.entry, loaded, done: true }, stores);
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
        hasLoaded(entry, at) &&
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
      const left = lost < 0 ? cpu : cutTo(cpu, []);
      return withWindow(left, { ...windowOfCpu(left), entries, ...flags });
    },
  });
