import type { ElfClass } from "./elf-class.js";
import type { FileView } from "./file-view.js";
import { type Section, SHT, StringTable } from "./sections.js";

/** Symbol types used here (System V ABI, chapter 4, "Symbol Table"). */
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2 } as const;

/** Special section indices of symbols; reserved ones are made negative, since a large file has sections of these numbers. */
export const SHN = { UNDEF: 0, ABS: 0xfff1 - 0x10000, COMMON: 0xfff2 - 0x10000 } as const;

/** The first reserved index, and the one that says that the real index is in a table of its own. */
const [reserved, elsewhere] = [0xff00, 0xffff];

/** The symbols of a file by number; 0 is none. */
export interface Symbols {
  /** Number of symbols, the empty one at 0 included. */
  readonly count: number;
  /** Whether types tell functions from the labels that a linker script puts beside them. */
  readonly typed: boolean;
  /** Name; empty for most section symbols. */
  name(index: number): string;
  /** One of {@link STT}, or another number. */
  type(index: number): number;
  /** Whether it names a place in a section of this file. */
  placed(index: number): boolean;
  /** Section index, or `SHN.UNDEF`, `SHN.ABS`, `SHN.COMMON`; of a linked file only whether it is one of these is asked. */
  section(index: number): number;
  /** Offset in its section, or address in a linked file; signed when it has 64 bits. */
  value(index: number): number;
  /** Bytes; 0 when not known. */
  size(index: number): number;
  /** Indices of defined symbols by name, for each of `names` that is there. */
  find(names: readonly string[]): ReadonlyMap<string, number>;
}

/** A symbol table, read symbol by symbol when asked: large modules have 200,000 of which few are needed. */
export class SymbolTable implements Symbols {
  readonly typed = true;
  readonly count: number;
  readonly #file: FileView;
  readonly #class: ElfClass;
  readonly #what: string;
  readonly #offset: number;
  readonly #strings: StringTable;
  readonly #wideSections: Uint8Array | undefined;

  constructor(file: FileView, layout: ElfClass, section: Section, sections: readonly Section[]) {
    this.#file = file;
    this.#class = layout;
    this.#what = `section ${section.index} (${section.name})`;
    file.range(section.offset, section.size, this.#what);
    this.#offset = section.offset;
    this.count = Math.floor(section.size / layout.symbol.size);
    const strings = sections[section.link];
    if (!strings || strings.type === SHT.NOBITS) {
      throw file.fault(this.#what, `its names should be in section ${section.link}, which is not there`);
    }
    const what = `section ${strings.index} (${strings.name})`;
    this.#strings = new StringTable(file, file.range(strings.offset, strings.size, what), what);
    const wide = sections.find(({ type, link }) => type === SHT.SYMTAB_SHNDX && link === section.index);
    this.#wideSections = wide && file.range(wide.offset, wide.size, `section ${wide.index} (${wide.name})`);
  }

  name(index: number): string {
    return this.#strings.at(this.#file.u32(this.#at(index)), `symbol ${index}`);
  }

  /** The low four bits of `st_info`. */
  type(index: number): number {
    return this.#file.u8(this.#at(index) + this.#class.symbol.info) & 15;
  }

  placed(index: number): boolean {
    return this.section(index) > SHN.UNDEF;
  }

  section(index: number): number {
    const section = this.#file.u16(this.#at(index) + this.#class.symbol.section);
    if (section < reserved) return section;
    if (section !== elsewhere) return section - 0x10000;
    const wide = this.#wideSections?.subarray(index * 4, index * 4 + 4);
    if (wide?.length !== 4)
      throw this.#file.fault(this.#what, `symbol ${index} has its section in a table that is not there`);
    return new DataView(wide.buffer, wide.byteOffset).getUint32(0, true);
  }

  value(index: number): number {
    return this.#file.address(this.#at(index) + this.#class.symbol.value, this.#class.word, this.#what);
  }

  size(index: number): number {
    return this.#file.word(this.#at(index) + this.#class.symbol.bytes, this.#class.word);
  }

  /** Compares bytes, decodes nothing. */
  find(names: readonly string[]): ReadonlyMap<string, number> {
    const encoder = new TextEncoder();
    const wanted = names.map((name) => ({ name, bytes: encoder.encode(`${name}\0`) }));
    const found = new Map<string, number>();
    const strings = this.#strings.bytes;
    for (let index = 1; index < this.count; index++) {
      const at = this.#file.u32(this.#at(index));
      const match = wanted.find(({ bytes }) => bytes.every((byte, i) => strings[at + i] === byte));
      if (match && this.section(index) !== SHN.UNDEF) found.set(match.name, index);
    }
    return found;
  }

  #at(index: number): number {
    if (index >= this.count) {
      throw this.#file.fault(this.#what, `symbol ${index} is asked for; there are only ${this.count} symbols`);
    }
    return this.#offset + index * this.#class.symbol.size;
  }
}
