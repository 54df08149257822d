import type { FileView } from "../file-view.js";
import { findNameTables, type NameTables } from "./kallsyms-tables.js";

/** How the addresses of the symbols are held. */
type Addresses =
  /** Distances from the lowest symbol, whose address is held at `base`; of x86 before 6.15 those below 0 only, others are absolute. */
  | { readonly kind: "base"; readonly offsets: number; readonly base: number; readonly percpu: boolean }
  /** Distances from where they are held themselves (Linux 7.1 and later). */
  | { readonly kind: "relative"; readonly offsets: number }
  /** The addresses themselves (the same, 32 bits). */
  | { readonly kind: "absolute"; readonly offsets: number };

/** The symbols that a kernel holds of itself. */
export type Kallsyms = { readonly tables: NameTables; readonly addresses: Addresses };

const align = (offset: number, to: number): number => Math.ceil(offset / to) * to;

/**
 * Finds the symbols of a kernel in its bytes (CONFIG_KALLSYMS), in each layout since Linux 4.6: offsets before the number of symbols
 * (to 6.3) or behind the token index (6.4 and later), with or without the base. Symbols are in order of their addresses, by which
 * the layouts are told apart.
 */
export function findKallsyms(file: FileView, word: 4 | 8): Kallsyms | undefined {
  const tables = findNameTables(file);
  if (!tables) return undefined;
  const { count, countAt, end } = tables;
  const behind = align(end, word);
  const before = countAt - word;
  const places = [
    { offsets: behind, base: align(behind + 4 * count, word) },
    { offsets: align(end, 4), base: align(align(end, 4) + 4 * count, word) },
    { offsets: before - align(4 * count, word), base: before },
  ].filter(({ offsets, base }) => offsets >= 0 && base + word <= file.size);
  for (const { offsets, base } of places) {
    for (const percpu of [false, true]) {
      const distance = percpu ? percpuAddress : plainDistance;
      if (!startsAtBase(file, offsets, count, percpu)) continue;
      if (ascend(file, offsets, count, distance)) return { tables, addresses: { kind: "base", offsets, base, percpu } };
    }
  }
  const own = (offset: number, i: number): number => offset + 4 * i;
  const [kind, place] = word === 4 ? (["absolute", plainDistance] as const) : (["relative", own] as const);
  const found = places.find(({ offsets }) => ascend(file, offsets, count, place));
  return found && { tables, addresses: { kind, offsets: found.offsets } };
}

/** The base is the address of the lowest symbol that is not per-CPU. */
function startsAtBase(file: FileView, offsets: number, count: number, percpu: boolean): boolean {
  let i = 0;
  while (percpu && i < count && file.i32(offsets + 4 * i) >= 0) i++;
  return i < count && file.i32(offsets + 4 * i) === (percpu ? -1 : 0);
}

const plainDistance = (offset: number): number => offset >>> 0;

/** Addresses of per-CPU symbols are small and absolute; those of others count down from -1, far above. */
const percpuAddress = (offset: number): number => (offset >= 0 ? offset : 2 ** 32 - 1 - offset);

/** Whether places are in order, and further apart than zeros would be. */
function ascend(file: FileView, offsets: number, count: number, place: (offset: number, i: number) => number): boolean {
  const first = place(file.i32(offsets), 0);
  let last = first;
  for (let i = 1; i < count; i++) {
    const here = place(file.i32(offsets + 4 * i), i);
    if (here < last) return false;
    last = here;
  }
  return last - first > 4 * count;
}

/** The addresses of all symbols, signed; `base` is that of the lowest, `self` that of the table of distances. */
export function addressesOf(
  file: FileView,
  { tables, addresses }: Kallsyms,
  { base, self }: { readonly base: number; readonly self: number },
): Float64Array {
  const { offsets } = addresses;
  return Float64Array.from({ length: tables.count }, (_, i) => {
    const offset = file.i32(offsets + 4 * i);
    if (addresses.kind === "relative") return self + 4 * i + offset;
    if (addresses.kind === "absolute") return offset >>> 0;
    if (!addresses.percpu) return base + (offset >>> 0);
    return offset >= 0 ? offset : base - 1 - offset;
  });
}
