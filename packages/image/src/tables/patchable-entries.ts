import type { Elf } from "../elf.js";
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
 */
export function readPatchableEntries(elf: Elf): Entry[] {
  return readAddresses(elf, "patchable-entry", elf.machine.entry ? { ...name, ...ftraceBounds } : name);
}
