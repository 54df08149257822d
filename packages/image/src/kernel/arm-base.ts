import type { FileView } from "../file-view.js";
import type { Machine } from "../machines.js";
import { addressesOf, type Kallsyms } from "./kallsyms.js";
import { findNames } from "./kallsyms-tables.js";
import { longestRun, type Range, type Run, within } from "./structure.js";

/** The start of a Thumb-2 kernel, which is entered in A32: `add r9, pc, #1`, `bx r9`. */
const THUMB = [0xe28f9001, 0xe12fff19];

/** The start is behind the page tables: at 0x8000 from a multiple of this (Linux arch/arm/Makefile, `textofs-y`). */
const STEP = 2 ** 16;

/**
 * The jump table of an ARM kernel: addresses of code, target and key. `isLabel` tells whether a label's instruction stands at an address,
 * where that is known already.
 */
export function findAbsoluteJumpTable(
  file: FileView,
  text: readonly Range[],
  code: Range,
  isLabel: (address: number) => boolean = () => true,
): Run | undefined {
  const inCode = (address: number): boolean => text.some((range) => within(address, range));
  return longestRun(file.size, { size: 12, step: 4, least: 16 }, (offset) => {
    const [from, to, key] = [file.u32(offset), file.u32(offset + 4), file.u32(offset + 8)];
    if (![from, to].every(inCode) || Math.abs(to - from) >= 2 ** 20 || from % 4 !== 0 || key < code.to) return false;
    return isLabel(from);
  });
}

/** The address of the first byte at which every jump label holds an instruction that one can; its symbols say where code is. */
export function voteForBase(file: FileView, machine: Machine, kallsyms: Kallsyms, held: number): number {
  if (THUMB.every((word, i) => file.size > 64 && [0, 4, 8, 12, 16].some((at) => file.u32(at + 4 * i) === word)))
    throw file.fault("offset 0", "this is a Thumb-2 kernel without ELF headers; expected an A32 one, or its vmlinux");
  const symbols = addressesOf(file, kallsyms, { base: held, self: 0 });
  const borders = ["_stext", "_etext", "_sinittext", "_einittext"];
  const [text, textEnd, init, initEnd] = findNames(file, kallsyms.tables, borders).map((index, i) => {
    if (index >= 0) return symbols[index] as number;
    throw file.fault("kallsyms", `${borders[i]} is missing; expected a kernel's own symbols`);
  }) as [number, number, number, number];
  const code = { from: text, to: textEnd };
  const table = findAbsoluteJumpTable(file, [code, { from: init, to: initEnd }], code);
  if (!table) throw file.fault("kallsyms", "nothing in it looks like a table of jump labels; expected one");
  for (let base = Math.floor(code.from / STEP) * STEP + 0x8000; base > code.from - 2 ** 24; base -= STEP) {
    if (base > code.from) continue;
    const fits = Array.from({ length: table.count }, (_, i) => file.u32(table.offset + 12 * i) - base).every(
      (offset) => offset + 4 <= file.size && machine.siteInstruction("jump-label", file.bytes.subarray(offset), "a32"),
    );
    if (fits) return base;
  }
  throw file.fault("kallsyms", "no address makes its jump labels instructions that can be labels; expected one");
}
