import { type FileView, hex } from "../file-view.js";
import type { Machine } from "../machines.js";
import { voteForBase } from "./arm-base.js";
import { addressesOf, type Kallsyms } from "./kallsyms.js";
import { findNames, nameOf } from "./kallsyms-tables.js";
import type { Run } from "./structure.js";

/** Where a flat kernel lies in memory. */
export type Base = {
  /** Address of the file's first byte. */
  readonly address: number;
  /** Address of the lowest symbol that distances are counted from. */
  readonly lowest: number;
};

/** Alignment in bytes of 64-bit kernels in memory (arm64 booting.rst, riscv boot-image-header.rst). */
const ALIGNMENT = 2 ** 21;

/** Bytes before `_stext` on arm64, whose header has a segment of its own; the lowest symbol without CONFIG_KALLSYMS_ALL. */
const HEAD = 2 ** 16;

/** Relocated pointers that are looked at. */
const SAMPLE = 20_000;

/** Finds where a flat kernel lies, which no header says. */
export function findBase(file: FileView, machine: Machine, kallsyms: Kallsyms, relocations: Run | undefined): Base {
  const { addresses } = kallsyms;
  const held = addresses.kind === "base" ? file.address(addresses.base, machine.bits === 64 ? 8 : 4, "kallsyms") : 0;
  if (machine.bits === 32) return { address: voteForBase(file, machine, kallsyms, held), lowest: held };
  if (addresses.kind === "base" && held !== 0) {
    const address = Math.floor(held / ALIGNMENT) * ALIGNMENT;
    if (held - address === 0 || held - address === HEAD) return { address, lowest: held };
    throw file.fault(
      "kallsyms",
      `the lowest symbol, ${nameOf(file, kallsyms.tables, 0)}, is at ${hex(held)}; expected the kernel's start`,
    );
  }
  if (relocations) return baseByPointers(file, kallsyms, relocations);
  return baseByFtrace(file, kallsyms);
}

/** By the first address of ftrace's table, which is sorted: it is that of one of the first functions. */
function baseByFtrace(file: FileView, kallsyms: Kallsyms): Base {
  const symbols = addressesOf(file, kallsyms, { base: 0, self: kallsyms.addresses.offsets });
  const names = ["__start_mcount_loc", "__stop_mcount_loc", "_stext"];
  const found = findNames(file, kallsyms.tables, names).map((index) => symbols[index] ?? -1);
  const [start, stop, text] = found as [number, number, number];
  let at = start;
  while (at >= 0 && at + 8 <= Math.min(stop, file.size) && file.u64(at) === 0) at += 8;
  if (at >= 0 && at + 8 <= Math.min(stop, file.size)) {
    const address = Math.floor((file.i64(at, "__mcount_loc") - text) / ALIGNMENT) * ALIGNMENT;
    const last = file.i64(Math.min(stop, file.size) - 8, "__mcount_loc") - address;
    if (last >= text && last < file.size) return { address, lowest: address };
  }
  throw file.fault("kallsyms", "neither relocations nor ftrace's table say where it lies; expected one or the other");
}

/**
 * The base that most relocated pointers lead to symbols from; where the distances are counted from may lie a header behind it.
 * Relocations tell their own places, which must be in the file.
 */
function baseByPointers(file: FileView, { tables, addresses }: Kallsyms, { offset, count }: Run): Base {
  const pick = Math.max(1, Math.floor(count / SAMPLE));
  const pointers: number[] = [];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < count; i++) {
    const at = offset + 24 * i;
    const place = file.i64(at, "relocation");
    [least, most] = [Math.min(least, place), Math.max(most, place)];
    if (i % pick === 0) pointers.push(file.i64(at + 16, "relocation"));
  }
  const symbols = new Set<number>();
  const relative = addresses.kind === "relative";
  for (let i = 0; i < tables.count; i++) {
    const distance = file.i32(addresses.offsets + 4 * i);
    symbols.add(relative ? addresses.offsets + 4 * i + distance : distance >>> 0);
  }
  let best = { address: 0, lowest: 0, hits: 0 };
  const lowest = most - file.size;
  for (let address = Math.floor(least / ALIGNMENT) * ALIGNMENT; address > lowest; address -= ALIGNMENT) {
    for (const head of relative ? [0] : [0, HEAD]) {
      const hits = pointers.filter((pointer) => symbols.has(pointer - address - head)).length;
      if (hits > best.hits) best = { address, lowest: address + head, hits };
    }
  }
  if (best.hits * 4 >= pointers.length) return best;
  throw file.fault(
    "kallsyms",
    "its symbols and its relocations do not agree on where it lies; expected those of one kernel",
  );
}
