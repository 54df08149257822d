import type { Elf } from "../elf.js";
import { type Entry, readAddresses } from "./table.js";

const name = {
  section: "__mcount_loc",
  start: "__start_mcount_loc",
  stop: "__stop_mcount_loc",
  entrySize: 8,
};

/**
 * The addresses of the calls that `-pg -mfentry` puts at the start of functions (Linux 7.3 kernel/trace/ftrace.c,
 * ftrace_process_locs). Zero entries are functions that the linker dropped, and are skipped as the kernel does.
 */
export function readFtrace(elf: Elf): Entry[] {
  return readAddresses(elf, "ftrace", name);
}
