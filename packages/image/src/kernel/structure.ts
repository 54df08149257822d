import type { FileView } from "../file-view.js";

/** A range of addresses. */
export type Range = { readonly from: number; readonly to: number };

/** A run of entries of one size in a file. */
export type Run = { readonly offset: number; readonly count: number };

export const within = (place: number, { from, to }: Range): boolean => place >= from && place < to;

/**
 * The longest run of entries of `size` bytes, each of which `fits` says can be one; entries are aligned to `step` bytes. Undefined when
 * it has less than `least`.
 */
export function longestRun(
  length: number,
  { size, step, least }: { readonly size: number; readonly step: number; readonly least: number },
  fits: (offset: number) => boolean,
): Run | undefined {
  let best: Run = { offset: 0, count: 0 };
  // Runs that begin at different steps modulo the size overlap: each is followed by itself.
  for (let phase = 0; phase < size; phase += step) {
    let count = 0;
    for (let offset = phase; offset + size <= length; offset += size) {
      count = fits(offset) ? count + 1 : 0;
      if (count > best.count) best = { offset: offset - (count - 1) * size, count };
    }
  }
  return best.count >= least ? best : undefined;
}

/** Entries of `Elf64_Rela` that add the kernel's own place to an address, and nothing else: the longest run of them. */
export function findRelative(file: FileView, type: number): Run | undefined {
  return longestRun(
    file.size,
    { size: 24, step: 8, least: 64 },
    (offset) => file.u32(offset + 8) === type && file.u32(offset + 12) === 0,
  );
}
