import type { Elf } from "../elf.js";
import { type Entry, readAddresses } from "./table.js";

const name = {
  section: "__mcount_loc",
  start: "__start_mcount_loc",
  stop: "__stop_mcount_loc",
};

/**
 * The addresses of the calls that `-pg` puts at the start of functions (Linux 7.3 kernel/trace/ftrace.c,
 * ftrace_process_locs). Zero entries are functions that the linker dropped, and are skipped as the kernel does.
 */
export function readFtrace(elf: Elf): Entry[] {
  // In a linked kernel whose ftrace patches the nops, the symbols stand around these.
  const named = elf.sections.some((section) => section.name === name.section);
  return elf.machine.entry && !named ? [] : readAddresses(elf, "ftrace", name);
}
