import type { Elf } from "../elf.js";
import type { FileView } from "../file-view.js";
import { SHN, STT, type Symbols } from "../symbols.js";
import { addressesOf, findKallsyms, type Kallsyms } from "./kallsyms.js";
import { letterOf, type NameTables, nameOf } from "./kallsyms-tables.js";

/** Labels of the linker script that stand at functions, or at nops before them (Linux include/asm-generic/vmlinux.lds.h). */
const label = /^_+(s|e|sinit|einit)?text$|^__\w+_text_(start|end)$/;

/**
 * The symbols that a kernel has of itself. They have letters instead of types: each in code counts as a function, but for labels that
 * are known; where there are several at an address, the kernel's build puts the most telling first. A symbol reaches to the next, as
 * the kernel itself takes it.
 */
export class KernelSymbols implements Symbols {
  readonly typed = false;
  readonly count: number;
  readonly #file: FileView;
  readonly #tables: NameTables;
  readonly #addresses: Float64Array;
  #names: ReadonlyMap<string, number> | undefined;

  constructor(file: FileView, kallsyms: Kallsyms, addresses: Float64Array) {
    this.count = kallsyms.tables.count + 1;
    this.#file = file;
    this.#tables = kallsyms.tables;
    this.#addresses = addresses;
  }

  name(index: number): string {
    return nameOf(this.#file, this.#tables, index - 1);
  }

  type(index: number): number {
    const letter = letterOf(this.#file, this.#tables, index - 1);
    if (/[TtWw]/.test(letter)) return label.test(this.name(index)) ? STT.NOTYPE : STT.FUNC;
    return /[Aa]/.test(letter) ? STT.NOTYPE : STT.OBJECT;
  }

  placed(index: number): boolean {
    return this.section(index) > SHN.UNDEF;
  }

  section(index: number): number {
    const letter = letterOf(this.#file, this.#tables, index - 1);
    if (/[Uu]/.test(letter)) return SHN.UNDEF;
    return /[Aa]/.test(letter) ? SHN.ABS : 1;
  }

  value(index: number): number {
    return this.#addresses[index - 1] as number;
  }

  size(index: number): number {
    const start = this.value(index);
    let next = index;
    while (next < this.#addresses.length && this.#addresses[next] === start) next++;
    return (this.#addresses[next] ?? start) - start;
  }

  find(names: readonly string[]): ReadonlyMap<string, number> {
    this.#names ??= this.#byName();
    const found = new Map<string, number>();
    for (const name of names) {
      const index = this.#names.get(name);
      if (index !== undefined) found.set(name, index);
    }
    return found;
  }

  #byName(): ReadonlyMap<string, number> {
    const names = new Map<string, number>();
    for (let index = 1; index < this.count; index++) names.set(this.name(index), index);
    return names;
  }
}

/** The symbols of a linked kernel whose symbol table was stripped; undefined when it holds none of itself. */
export function readKernelSymbols(elf: Elf): KernelSymbols | undefined {
  const { file } = elf;
  const kallsyms = findKallsyms(file, elf.class.word);
  if (!kallsyms) return undefined;
  const { addresses } = kallsyms;
  const base = addresses.kind === "base" ? file.address(addresses.base, elf.class.word, "kallsyms_relative_base") : 0;
  const self = addresses.kind === "relative" ? elf.placeOfOffset(addresses.offsets) : 0;
  return new KernelSymbols(file, kallsyms, addressesOf(file, kallsyms, { base, self }));
}
