import type { Access } from "../../contract/instruction-set.js";
import { addressKey, type CpuState, type MachineCode, type MemoryState } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { accessesOf } from "../../execution/execute.js";
import { latestByte } from "../../fetch/stale-code.js";
import type { WindowModel } from "./model.js";
import { sameLine, samePlace } from "./places.js";
import type { SeenEntry } from "./state.js";
import { codeOn, type WindowEntry } from "./state.js";
import type { WindowView } from "./view.js";

/** What a load finds: its values, or as long as it is not complete its bytes; and the stores that bytes were forwarded from. */
export type Found = Pick<WindowEntry, "loaded" | "parts" | "from">;

/**
 * What a load of the window finds if it takes place now: each byte that of the youngest older store of the window, or what memory holds.
 * Undefined while it has to wait for an older access of the same place. `piece`: what takes place of it now, where that is not all.
 */
export const loadNow = (
  view: WindowView,
  index: number,
  cpu: CpuState,
  memory: MemoryState,
  model: WindowModel,
  machine: World,
  piece?: Access,
): Found | undefined => {
  const load = view.entries[index] as SeenEntry;
  const { memory: stack } = codeOn(cpu);
  const bytes = bytesOf(load);
  const now = piece === undefined ? load : { ...load, accesses: [piece] };
  const wanted = new Set(bytesOf(now));
  const left = new Set(wanted);
  const sources = new Map<bigint, number>();
  for (let i = index - 1; i >= 0; i--) {
    const older = view.entries[i] as SeenEntry;
    if (older.access === "clean" && !older.performed && sameLine(older, now, machine)) return undefined;
    if (left.size === 0 || !storesNow(older)) continue;
    const stored = [...left].filter((byte) => storesTo(older, byte));
    if (stored.length > 0 && !isForwarding(older, load, view, model)) return undefined;
    for (const byte of stored) {
      left.delete(byte);
      sources.set(byte, i);
    }
  }
  const from: number[] = [];
  const found = bytes.map((address, at): number | null => {
    if (!wanted.has(address)) {
      from.push(sourceOf(load.entry, at));
      return load.entry.parts?.[at] ?? null;
    }
    const source = sources.get(address);
    const store = source === undefined ? undefined : (view.entries[source] as SeenEntry);
    from.push(store === undefined || store.own ? 0 : index - (source as number));
    return (store === undefined ? byteIn(address, stack, memory, machine) : storedByte(store, address)) ?? 0;
  });
  const what = found.includes(null) ? { parts: found } : { loaded: valuesOf(load, found) };
  return from.every((each) => each === 0) ? what : { ...what, from };
};

/** The values of a load's accesses from its bytes. */
const valuesOf = ({ accesses = [] }: SeenEntry, bytes: readonly (number | null)[]): readonly bigint[] => {
  let end = 0;
  return accesses.map(({ size }) => {
    end += size;
    return littleEndian(bytes.slice(end - size, end));
  });
};

/** Values that a load has found; before it is complete those of its registers of four or eight bytes that it has found whole. */
export const valuesFound = ({ loaded, parts = [] }: Found): readonly bigint[] =>
  loaded ??
  [4, 8].flatMap((size) =>
    Array.from({ length: Math.floor(parts.length / size) }, (_, i) => parts.slice(size * i, size * (i + 1))).flatMap(
      (bytes) => (bytes.includes(null) ? [] : [littleEndian(bytes)]),
    ),
  );

const littleEndian = (bytes: readonly (number | null)[]): bigint =>
  bytes.reduceRight<bigint>((value, byte) => 256n * value + BigInt(byte ?? 0), 0n);

/** What a load has found in a piece of it, by default in its first access. */
export const valueAt = ({ loaded, parts }: Found, seen: SeenEntry, piece?: Access): bigint => {
  const { accesses = [] } = seen;
  const { address, size } = piece ?? (accesses[0] as Access);
  const byteOf = (value: bigint, i: number): number => Number((value >> BigInt(8 * i)) & 0xffn);
  const bytes =
    parts ?? accesses.flatMap((each, i) => Array.from({ length: each.size }, (_, at) => byteOf(loaded?.[i] ?? 0n, at)));
  const at = bytesOf(seen).indexOf(address);
  return littleEndian(bytes.slice(at, at + size));
};

/**
 * R4: what has still to be loaded, in pieces that are loaded one by one in any order; undefined where all is loaded at one moment.
 */
export const piecesLeft = (seen: SeenEntry, machine: World): readonly Access[] | undefined => {
  const { is, entry, accesses = [] } = seen;
  if (is.kind !== "read" || is.exclusive !== undefined) return undefined;
  const pieces = accesses.flatMap((access) => accessesOf(access, machine));
  if (pieces.length < 2) return undefined;
  const bytes = bytesOf(seen);
  return pieces.filter(({ address }) => !hasLoaded(entry, bytes.indexOf(address)));
};

/** Whether a load has found the byte at an index, as in {@link WindowEntry.from}. */
export const hasLoaded = ({ loaded, parts }: Found, index: number): boolean =>
  loaded !== undefined || (parts?.[index] ?? null) !== null;

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
