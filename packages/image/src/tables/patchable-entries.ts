import type { Elf } from "../elf.js";
import { hasRoomForLiteral } from "../nops.js";
import { type Entry, readAddresses } from "./table.js";

const name = {
  section: "__patchable_function_entries",
  start: "__start___patchable_function_entries",
  stop: "__stop___patchable_function_entries",
};

const ftraceBounds = { start: "__start_mcount_loc", stop: "__stop_mcount_loc" };

/**
 * The addresses of the first nop that `-fpatchable-function-entry=N,M` puts before and after the entry of functions
 * (GCC manual, "Instrumentation Options"). In x86 kernels from 6.12 on these are call padding, and not ftrace's sites. Where they
 * are, a linked kernel has them between ftrace's symbols (Linux 7.3 include/asm-generic/vmlinux.lds.h, `MCOUNT_REC`).
 *
 * A kernel's own symbols do not tell functions from labels, of which some stand at a literal. There the table as a whole tells: all
 * of a kernel is compiled alike, so that each entry has room for the literal of CALL_OPS or none has one.
 */
export function readPatchableEntries(elf: Elf): Entry[] {
  const layout = elf.machine.entry;
  const entries = readAddresses(elf, "patchable-entry", layout ? { ...name, ...ftraceBounds } : name);
  if (!layout || elf.symbols?.typed !== false) return entries;
  const padding = entries.every(({ place }) => hasRoomForLiteral(elf, place)) ? layout.literal : 0;
  return entries.map((entry) => ({ ...entry, padding }));
}
