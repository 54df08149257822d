import type { Elf } from "./elf.js";
import { type Section, SHF_ALLOC, SHF_EXECINSTR } from "./sections.js";

/** What makes a relocatable file a module: the kernel's description of it. */
const MODULE = ".gnu.linkonce.this_module";

/** Sections whose size the loader decides: stubs for far calls (Linux arch/{arm,arm64,riscv}/kernel/module-sections.c and -plts.c). */
const stubs = /^\.(init\.)?(plt|text\.ftrace_trampoline)$|^\.init\.text\.ftrace_trampoline$/;

/**
 * Where the kernel's loader puts the code of a module: each section by its index, with its offset in bytes from the start of a page.
 * Empty for other files, and without those behind a section whose size is not known before it is loaded.
 *
 * Code is laid out in the order of the section headers, each section aligned as its header says, from the start of a page; what is
 * freed after the start is laid out apart (Linux 7.3 kernel/module/main.c, `__layout_sections`; since 6.4 in memory of its own kind,
 * before together with data behind it, which is the same for code).
 */
export function placeCode(elf: Elf): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  if (!elf.relocatable || !elf.sections.some(({ name }) => name === MODULE)) return places;
  const init = freed(elf);
  const code = elf.sections.filter(({ flags }) => (flags & SHF_EXECINSTR) !== 0 && (flags & SHF_ALLOC) !== 0);
  for (const sections of [code.filter(init), code.filter((section) => !init(section))]) {
    let end = 0;
    for (const section of sections) {
      if (stubs.test(section.name)) break;
      const offset = Math.ceil(end / section.alignment) * section.alignment;
      places.set(section.index, offset);
      end = offset + section.size;
    }
  }
  return places;
}

/** Which sections are freed: also what only unloading needs, where the kernel does not unload (no `mod_unload` in `vermagic`). */
function freed(elf: Elf): (section: Section) => boolean {
  const info = elf.sections.find(({ name }) => name === ".modinfo");
  const text = info ? Buffer.from(elf.content(info)).toString("latin1") : "";
  const unloads = !/(^|\0)vermagic=/.test(text) || /(^|\0)vermagic=[^\0]* mod_unload /.test(text);
  return ({ name }) => name.startsWith(".init") || (!unloads && name.startsWith(".exit"));
}
