import type { Access } from "../contract/instruction-set.js";
import { addressKey, type CpuState, type MachineCode, type MemoryState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { latestByte } from "../fetch/stale-code.js";
import type { WindowModel } from "./window-model.js";
import { sameLine, samePlace } from "./window-places.js";
import type { SeenEntry } from "./window-state.js";
import { codeOn, type WindowEntry } from "./window-state.js";
import type { WindowView } from "./window-view.js";

/** What a load finds: the values, and the stores that their bytes were forwarded from ({@link WindowEntry.from}). */
export type Found = { readonly loaded: readonly bigint[]; readonly from?: readonly number[] };

/**
 * What a load of the window finds if it takes place now: each byte that of the youngest older store of the window, or what memory holds.
 * Undefined while it has to wait for an older access of the same place.
 */
export const loadNow = (
  view: WindowView,
  index: number,
  cpu: CpuState,
  memory: MemoryState,
  model: WindowModel,
  machine: World,
): Found | undefined => {
  const load = view.entries[index] as SeenEntry;
  const { memory: stack } = codeOn(cpu);
  const left = new Set(bytesOf(load));
  const sources = new Map<bigint, number>();
  for (let i = index - 1; i >= 0; i--) {
    const older = view.entries[i] as SeenEntry;
    if (older.access === "clean" && !older.performed && sameLine(older, load, machine)) return undefined;
    if (left.size === 0 || !storesNow(older)) continue;
    const stored = [...left].filter((byte) => storesTo(older, byte));
    if (stored.length > 0 && !isForwarding(older, load, view, model)) return undefined;
    for (const byte of stored) {
      left.delete(byte);
      sources.set(byte, i);
    }
  }
  const from: number[] = [];
  const loaded = (load.accesses as readonly Access[]).map((access) => {
    let value = 0n;
    for (let i = 0; i < access.size; i++) {
      const address = access.address + BigInt(i);
      const source = sources.get(address);
      const store = source === undefined ? undefined : (view.entries[source] as SeenEntry);
      from.push(store === undefined || store.own ? 0 : index - (source as number));
      const byte = store === undefined ? byteIn(address, stack, memory, machine) : storedByte(store, address);
      value |= BigInt(byte ?? 0) << BigInt(8 * i);
    }
    return value;
  });
  return from.every((each) => each === 0) ? { loaded } : { loaded, from };
};

/** Whether an entry has still to store, or has stored to the stack that its context has of its own. */
const storesNow = (seen: SeenEntry): boolean => storesOf(seen).length > 0 && (!seen.performed || seen.own);

const storesOf = ({ stores, own, is, accesses = [] }: SeenEntry): readonly Access[] =>
  own && is.kind === "atomic" ? accesses : stores;

/** Whether a load may find now what an older store of its place has not made visible to others. */
const isForwarding = (older: SeenEntry, load: SeenEntry, view: WindowView, model: WindowModel): boolean => {
  if (!older.dataKnown) return false;
  if (older.own) return true;
  if (older.is.exclusive === "store") {
    const reserving = view.entries.slice(0, view.entries.indexOf(older)).findLast(({ is }) => is.exclusive === "load");
    return model.atomics !== undefined && (isPlain(load, model) || reserving === undefined || reserving.begun);
  }
  if (older.is.kind !== "atomic") return true;
  // A load that acquires comes behind the load of an atomic access whose store it finds.
  return model.atomics !== undefined && (older.begun || isPlain(load, model));
};

const isPlain = ({ is }: SeenEntry, model: WindowModel): boolean =>
  is.tags.every((tag) => model.tags[tag] === undefined);

const storedByte = (seen: SeenEntry, address: bigint): number | undefined => {
  for (const store of seen.stores) {
    const at = address - store.address;
    if (at >= 0n && at < BigInt(store.size)) return Number(((store.value ?? 0n) >> (8n * at)) & 0xffn);
  }
  return undefined;
};

/** The byte that memory, or the context's own stack, holds. */
const byteIn = (address: bigint, stack: MachineCode["memory"], memory: MemoryState, machine: World): number => {
  const byte = stack[addressKey(address)] ?? memory.data[addressKey(address)];
  return byte === undefined ? (latestByte(memory, address, machine) ?? 0) : Number.parseInt(byte, 16) || 0;
};

/** Whether an older load that has not taken place may be of the same place as a load. */
export const hasOlderLoad = (view: WindowView, index: number): boolean => {
  const load = view.entries[index] as SeenEntry;
  return view.entries
    .slice(0, index)
    .some(
      (older) =>
        (older.access === "read" || older.access === "atomic") &&
        !older.begun &&
        (older.accesses === undefined || samePlace(older, load)),
    );
};

/** The bytes of an entry's accesses: where each lies, in the order of {@link WindowEntry.from}. */
export const bytesOf = ({ accesses = [] }: SeenEntry): readonly bigint[] =>
  accesses.flatMap(({ address, size }) => Array.from({ length: size }, (_, i) => address + BigInt(i)));

/** Whether an entry stores to a byte, as far as its address is known. */
export const storesTo = (seen: SeenEntry, byte: bigint): boolean =>
  storesOf(seen).some(({ address, size }) => byte >= address && byte < address + BigInt(size));

/** How far before it the store stands that the byte at an index was forwarded from; 0 for a byte of memory. */
export const sourceOf = ({ from }: WindowEntry, index: number): number => from?.[index] ?? 0;
