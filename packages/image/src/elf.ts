import type { ElfClass } from "./elf-class.js";
import { FileView, hex } from "./file-view.js";
import { readHeader } from "./header.js";
import { readKernelSymbols } from "./kernel/kernel-symbols.js";
import type { Machine } from "./machines.js";
import { Modes } from "./modes.js";
import { isDynamicRelocations, Relocations } from "./relocations.js";
import { readSections, type Section, SHF_ALLOC, SHT } from "./sections.js";
import { SymbolIndex } from "./symbol-index.js";
import { SHN, STT, type Symbols, SymbolTable } from "./symbols.js";

/**
 * Distance between the sections of a relocatable file in the made-up layout that places are numbers of. Sections and
 * undefined symbols are each given a segment of their own, so that a sum of symbol and addend tells where it points.
 */
const segmentSize = 2 ** 32;

/** Where a place lies: in a section, or relative to an undefined symbol. */
export type Located =
  | { readonly section: Section; readonly offset: number }
  | { readonly section?: never; readonly undefinedSymbol: number; readonly offset: number }
  | undefined;

/** What is known of a file before its symbols are read. */
export type Layout = {
  readonly machine: Machine;
  readonly class: ElfClass;
  readonly relocatable: boolean;
  readonly sections: readonly Section[];
  /** The symbols of a file that has no symbol table. */
  readonly symbols?: Symbols;
};

/**
 * An ELF file, or a kernel that was one before its headers were cut off, read as far as its sections; symbols and relocations are read when first asked for.
 *
 * A *place* is a number: the virtual address in a linked file (signed when it has 64 bits), `segment * 2^32 + offset` in a
 * relocatable one, where the segment is a section's index or, above all sections, an undefined symbol's.
 */
export class Elf {
  readonly file: FileView;
  readonly machine: Machine;
  readonly class: ElfClass;
  readonly relocatable: boolean;
  readonly sections: readonly Section[];
  readonly #symbolTables = new Map<number, SymbolTable | undefined>();
  readonly #relocations = new Map<number, Relocations | undefined>();
  readonly #contents = new Map<Section, Uint8Array>();
  readonly #indices = new Map<number, SymbolIndex>();
  #modes: Modes | undefined;
  #symbols: { readonly table: Symbols | undefined } | undefined;
  #byAddress: readonly Section[] | undefined;

  constructor(file: FileView, layout: Layout) {
    this.file = file;
    this.machine = layout.machine;
    this.class = layout.class;
    this.relocatable = layout.relocatable;
    this.sections = layout.sections;
    if (layout.symbols) this.#symbols = { table: layout.symbols };
  }

  /** The file's name as the caller gave it. */
  get name(): string {
    return this.file.name;
  }

  /** The main symbol table; of a stripped kernel the one that it has of itself; undefined when there is neither. */
  get symbols(): Symbols | undefined {
    this.#symbols ??= { table: this.#findSymbols() };
    return this.#symbols.table;
  }

  /** Functions by place. */
  get functions(): SymbolIndex {
    return this.#index([STT.FUNC]);
  }

  /** Data objects and functions by place. */
  get objects(): SymbolIndex {
    return this.#index([STT.OBJECT, STT.FUNC]);
  }

  /** The decoder mode of the code at a place; undefined on a machine that has one only. */
  modeAt(place: number): string | undefined {
    this.#modes ??= new Modes(this);
    return this.#modes.at(place);
  }

  /** The place of code that an address means: without the bit that says which mode it is in. */
  codePlace(place: number): number {
    return this.machine.modes && place % 2 !== 0 ? place - 1 : place;
  }

  /** A place of a linked file as the unsigned address that it is. */
  toAddress(place: number): bigint {
    return BigInt.asUintN(this.machine.bits, BigInt(place));
  }

  /** The symbol table in a section. */
  symbolTable(index: number): SymbolTable | undefined {
    if (!this.#symbolTables.has(index)) {
      const section = this.sections[index];
      const isTable = section && (section.type === SHT.SYMTAB || section.type === SHT.DYNSYM);
      this.#symbolTables.set(
        index,
        isTable ? new SymbolTable(this.file, this.class, section, this.sections) : undefined,
      );
    }
    return this.#symbolTables.get(index);
  }

  /** The relocations that change a section; in a linked file those that are left to the dynamic loader. */
  relocations(target: Section): Relocations | undefined {
    const key = this.relocatable ? target.index : 0;
    if (!this.#relocations.has(key)) {
      const from = this.sections.filter((section) =>
        this.relocatable
          ? (section.type === SHT.RELA || section.type === SHT.REL) && section.info === target.index
          : isDynamicRelocations(section),
      );
      const relocations = new Relocations(this, from, this.relocatable ? target : undefined);
      this.#relocations.set(key, from.length > 0 ? relocations : undefined);
    }
    return this.#relocations.get(key);
  }

  /** The bytes of a section, zero-copy. */
  content(section: Section): Uint8Array {
    const known = this.#contents.get(section);
    if (known) return known;
    const what = `section ${section.index} (${section.name})`;
    if (section.type === SHT.NOBITS)
      throw this.file.fault(what, "it has no bytes in the file; expected code or a table");
    const content = this.file.range(section.offset, section.size, what);
    this.#contents.set(section, content);
    return content;
  }

  /** The place at an offset in a section. */
  place(section: Section, offset: number): number {
    return this.relocatable ? section.index * segmentSize + offset : section.address + offset;
  }

  /** The place, in a linked file, of what stands at an offset in the file. */
  placeOfOffset(offset: number): number {
    const holds = ({ type, flags, offset: start, size }: Section): boolean =>
      (flags & SHF_ALLOC) !== 0 && type !== SHT.NOBITS && offset >= start && offset < start + size;
    const section = this.sections.find(holds);
    if (!section) throw this.file.fault(`offset ${hex(offset)}`, "it is in no section; expected one that is loaded");
    return section.address + (offset - section.offset);
  }

  /** The place of a symbol. */
  symbolPlace(table: Symbols, symbol: number): number {
    const held = table.value(symbol);
    const value = table.type(symbol) === STT.FUNC ? this.codePlace(held) : held;
    if (!this.relocatable) return value;
    if (Math.abs(value) >= segmentSize / 2)
      throw this.#symbolFault(symbol, `its value ${hex(value)} is outside of any section`);
    const section = table.section(symbol);
    if (section === SHN.ABS) return value;
    if (section === SHN.UNDEF || section === SHN.COMMON) return (this.sections.length + symbol) * segmentSize;
    if (section < 0 || section >= this.sections.length) {
      throw this.#symbolFault(
        symbol,
        `it is in section ${section}, but there are only ${this.sections.length} sections`,
      );
    }
    return section * segmentSize + value;
  }

  /** Where a place lies; undefined when no section holds it. The end of a section still counts as inside. */
  locate(place: number): Located {
    if (!this.relocatable) return this.#locateAddress(place);
    const segment = Math.floor((place + segmentSize / 2) / segmentSize);
    const offset = place - segment * segmentSize;
    const section = this.sections[segment];
    if (segment < 0) return undefined;
    if (section) return segment > 0 && offset >= 0 && offset <= section.size ? { section, offset } : undefined;
    return { undefinedSymbol: segment - this.sections.length, offset };
  }

  /** Whether two places lie in one section. */
  sameSection(a: number, b: number): boolean {
    const section = this.locate(a)?.section;
    return section !== undefined && section === this.locate(b)?.section;
  }

  /** A place in words: `.text+0x10`, `printk+0x4`, `0xffffffff81000000`. */
  describe(place: number): string {
    if (!this.relocatable) return `0x${this.toAddress(place).toString(16)}`;
    const located = this.locate(place);
    if (!located) return hex(place);
    const name = located.section ? located.section.name : (this.symbols?.name(located.undefinedSymbol) ?? "");
    if (located.offset === 0 && !located.section) return name;
    return located.offset < 0 ? `${name}${hex(located.offset)}` : `${name}+${hex(located.offset)}`;
  }

  #findSymbols(): Symbols | undefined {
    const table = this.symbolTable(this.sections.findIndex(({ type }) => type === SHT.SYMTAB));
    return table ?? (this.relocatable ? undefined : readKernelSymbols(this));
  }

  #index(types: readonly number[]): SymbolIndex {
    const key = types.length;
    const index = this.#indices.get(key) ?? new SymbolIndex(this, types);
    this.#indices.set(key, index);
    return index;
  }

  #locateAddress(place: number): Located {
    this.#byAddress ??= this.sections
      .filter(({ type, flags }) => (flags & SHF_ALLOC) !== 0 && type !== SHT.NOBITS)
      .sort((a, b) => a.address - b.address);
    const section = this.#byAddress.findLast(({ address }) => address <= place);
    const offset = section ? place - section.address : 0;
    return section && offset <= section.size ? { section, offset } : undefined;
  }

  #symbolFault(symbol: number, sentence: string) {
    return this.file.fault(`symbol ${symbol} (${this.symbols?.name(symbol)})`, sentence);
  }
}

/**
 * Reads a little-endian ELF file for x86-64, AArch64, RISC-V (64 bits) or ARM (32 bits), relocatable (`.o`, `.ko`) or linked (an
 * executable, a shared object, vmlinux).
 *
 * Nothing is copied; the result and all that is found in it look into `bytes`, which must not change.
 *
 * @param bytes The whole file.
 * @param options.name The file's name for messages; by default `(input)`.
 * @throws InputError when it is not such a file, or is cut off or broken where it is read; the message names the file, the
 *   place and what was expected. Symbols and relocations are read, and so complained about, only where they are needed.
 *
 * Sources: System V ABI, chapter 4 "Object Files"; AMD64 supplement 1.0, §4; AAELF64; AAELF32; RISC-V ELF psABI 1.0.
 */
export function readElf(bytes: Uint8Array, options: { readonly name?: string } = {}): Elf {
  return elfOf(new FileView(bytes, options.name ?? "(input)"));
}

/** As {@link readElf}, of a view. */
export function elfOf(file: FileView): Elf {
  const header = readHeader(file);
  return new Elf(file, { ...header, sections: readSections(file, header) });
}
