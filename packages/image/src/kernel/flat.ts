import type { FlatKernel } from "../containers/kernel-files.js";
import { Elf } from "../elf.js";
import { elfClass } from "../elf-class.js";
import { type FileView, hex } from "../file-view.js";
import { findMachine, type Machine } from "../machines.js";
import { type Section, SHF_ALLOC, SHF_EXECINSTR, SHT } from "../sections.js";
import { findBase } from "./base.js";
import { addressesOf, findKallsyms } from "./kallsyms.js";
import { KernelSymbols } from "./kernel-symbols.js";
import { findRelative, type Run } from "./structure.js";
import { findFlatTables } from "./tables.js";

/** ELF's number of the relocation that adds where the kernel lies to an address (AAELF64 5.7.16, RISC-V psABI). */
const relative: { readonly [machine: string]: number } = { AArch64: 1027, "RISC-V": 3 };

/**
 * Reads a kernel that lies in a file as it does in memory, without headers: what ELF would say of it is found from the symbols that
 * it has of itself, and where it has none for a table, by what the table looks like.
 *
 * @throws InputError when it has no symbols, or they or its pointers do not say where it lies in memory.
 */
export function readFlat(file: FileView, kernel: FlatKernel): Elf {
  const machine = findMachine(kernel.machine) as Machine;
  const layout = elfClass(machine.bits);
  const kallsyms = findKallsyms(file, layout.word);
  if (!kallsyms)
    throw file.fault("offset 0", "this kernel holds no names of its symbols; expected one built with CONFIG_KALLSYMS");
  const type = relative[machine.name];
  const relocations = type === undefined ? undefined : findRelative(file, type);
  const { address, lowest } = findBase(file, machine, kallsyms, relocations);
  const { addresses } = kallsyms;
  const self = addresses.kind === "relative" ? address + addresses.offsets : 0;
  const symbols = new KernelSymbols(file, kallsyms, addressesOf(file, kallsyms, { base: lowest, self }));
  const pieces = cut(file, address, kernel.memory, symbols, relocations);
  const first = new Elf(file, { machine, class: layout, relocatable: false, sections: pieces, symbols });
  const tables = findFlatTables(first);
  if (tables.length === 0) return first;
  const sections = tables.reduce(
    (sections, { name, run, size }) => insert(sections, name, run.offset, run.count * size, SHT.PROGBITS),
    pieces,
  );
  return new Elf(file, { machine, class: layout, relocatable: false, sections, symbols });
}

/** The sections of the file, by the symbols that the linker script puts at their borders. */
function cut(
  file: FileView,
  address: number,
  memory: number | undefined,
  symbols: KernelSymbols,
  relocations: Run | undefined,
): readonly Section[] {
  const names = ["_etext", "_sinittext", "_einittext"] as const;
  const found = symbols.find([...names, "__inittext_end", "__exittext_end"]);
  const [text, init, initEnd] = names.map((name) => {
    const symbol = found.get(name);
    if (symbol === undefined) throw file.fault("symbols", `${name} is missing; expected a kernel's own symbols`);
    const offset = symbols.value(symbol) - address;
    if (offset >= 0 && offset <= file.size) return offset;
    throw file.fault("symbols", `${name} would lie at offset ${hex(offset)} of ${file.size} bytes`);
  }) as [number, number, number];
  // Code that is freed goes on behind _einittext with what only an exit would need; without CONFIG_KALLSYMS_ALL nothing says how far.
  const ends = ["__inittext_end", "__exittext_end"].map((name) => symbols.value(found.get(name) ?? 0) - address);
  const freed = ends.find((end) => end > initEnd && end <= file.size) ?? file.size;
  const bounds = [
    { name: ".text", from: 0, to: text, flags: SHF_ALLOC | SHF_EXECINSTR },
    { name: ".rodata", from: text, to: init, flags: SHF_ALLOC },
    { name: ".init.text", from: init, to: freed, flags: SHF_ALLOC | SHF_EXECINSTR },
    { name: ".data", from: freed, to: file.size, flags: SHF_ALLOC },
  ];
  if (text > init || init > initEnd)
    throw file.fault(
      "symbols",
      "_etext, _sinittext and _einittext are not in this order; expected a kernel's own symbols",
    );
  const section = ({ name, from, to, flags }: (typeof bounds)[number], index: number): Section => ({
    ...{ index, name, type: SHT.PROGBITS, flags, address: address + from, offset: from, size: to - from },
    ...{ link: 0, info: 0, alignment: 4096 },
  });
  const pieces = [
    section({ name: "", from: 0, to: 0, flags: 0 }, 0),
    ...bounds.map((bound, i) => section(bound, i + 1)),
  ];
  const bss = { ...section({ name: ".bss", from: 0, to: 0, flags: SHF_ALLOC }, pieces.length), type: SHT.NOBITS };
  const zeros = {
    ...bss,
    address: address + file.size,
    offset: file.size,
    size: Math.max(0, (memory ?? 0) - file.size),
  };
  const whole = [...pieces, zeros];
  return relocations ? insert(whole, ".rela.dyn", relocations.offset, relocations.count * 24, SHT.RELA) : whole;
}

/** The sections with one more, which is cut out of that in which it lies. */
function insert(sections: readonly Section[], name: string, offset: number, size: number, type: number): Section[] {
  const parts = sections.flatMap((section): Omit<Section, "index">[] => {
    const end = section.offset + section.size;
    if (section.type !== SHT.PROGBITS || offset < section.offset || offset + size > end) return [section];
    const part = (from: number, to: number): Section => ({
      ...section,
      address: section.address + (from - section.offset),
      offset: from,
      size: to - from,
    });
    const own = { ...part(offset, offset + size), name, type };
    return [part(section.offset, offset), own, part(offset + size, end)];
  });
  return parts.map((part, index) => ({ ...part, index }));
}
