import type { InputError } from "@cmodx/core";
import type { Elf } from "../elf.js";
import { hex } from "../file-view.js";
import type { Section } from "../sections.js";
import type { SiteKind } from "../sites.js";
import type { SledKind } from "./xray.js";

/** What a table says of one site; places are numbers as `Elf` gives them. */
export type Entry = {
  readonly kind: SiteKind;
  /** Counted from 1 within its kind. */
  readonly index: number;
  /** Where the code is. */
  readonly place: number;
  readonly target?: number;
  readonly key?: string;
  readonly tail?: boolean;
  readonly init?: boolean;
  /** The jump entry's bit 0: the kernel's `branch` argument. */
  readonly branch?: boolean;
  /** Bytes before a function's entry, where the whole table tells. */
  readonly padding?: number;
  readonly sled?: SledKind;
};

/** How a table is found: by its section, or when a linker script merged it away by the symbols around it. */
export type TableName = {
  readonly section: string;
  readonly start: string;
  readonly stop: string;
};

/** A part of a section that holds entries of one size. */
export class Table {
  /** Number of entries. */
  readonly count: number;
  readonly #elf: Elf;
  readonly #section: Section;
  readonly #offset: number;
  readonly #entrySize: number;
  readonly #size: number;

  constructor(elf: Elf, section: Section, offset: number, size: number, entrySize: number) {
    this.#elf = elf;
    this.#section = section;
    this.#offset = offset;
    this.#entrySize = entrySize;
    this.#size = size;
    this.count = this.entriesOf(entrySize);
    elf.content(section);
  }

  /** Its bytes. */
  get bytes(): Uint8Array {
    return this.#elf.content(this.#section).subarray(this.#offset, this.#offset + this.#size);
  }

  /** How many entries of a size it has. Throws where that is no whole number. */
  entriesOf(entrySize: number): number {
    const count = this.#size / entrySize;
    if (Number.isInteger(count)) return count;
    const what = `section ${this.#section.index} (${this.#section.name})`;
    throw this.#elf.file.fault(what, `the table has ${this.#size} bytes; expected a multiple of ${entrySize}`);
  }

  /** The place that a field of `size` bytes points to, which holds the distance from itself. */
  relative(entry: number, at: number, size: 4 | 8): number {
    const { place, offset } = this.#field(entry, at);
    const { file } = this.#elf;
    const field = file.difference(offset, size, this.#name(entry));
    const relocated = this.#relocate(place, size, field);
    if (relocated === undefined && this.#elf.relocatable) throw this.#unrelocated(place);
    return place + (relocated ?? field);
  }

  /** The place that a field holds the address of; 0 when it is empty. */
  absolute(entry: number, at: number): number {
    const { place, offset } = this.#field(entry, at);
    const { word } = this.#elf.class;
    const value = this.#elf.file.address(offset, word, this.#name(entry));
    const relocated = this.#relocate(place, word, value);
    if (relocated !== undefined) return relocated;
    if (value !== 0 && this.#elf.relocatable) throw this.#unrelocated(place);
    return value;
  }

  #relocate(place: number, size: number, field: number): number | undefined {
    return this.#elf.relocations(this.#section)?.apply(place, size, field)?.value;
  }

  #unrelocated(place: number): InputError {
    return this.#elf.file.fault(this.#elf.describe(place), "the table's field has no relocation; expected one");
  }

  #field(entry: number, at: number): { place: number; offset: number } {
    const offset = this.#offset + entry * this.#entrySize + at;
    return { place: this.#elf.place(this.#section, offset), offset: this.#section.offset + offset };
  }

  #name(entry: number): string {
    return `section ${this.#section.index} (${this.#section.name}), entry ${entry + 1}`;
  }
}

/** All tables of a name: an object file can have one for each code section. */
export function findTables(
  elf: Elf,
  { section: name, start, stop, entrySize }: TableName & { readonly entrySize: number },
): readonly Table[] {
  const named = elf.sections.filter((section) => section.name === name && section.size > 0);
  if (named.length > 0) return named.map((section) => new Table(elf, section, 0, section.size, entrySize));
  if (elf.relocatable || !elf.symbols) return [];
  const bounds = elf.symbols.find([start, stop]);
  const [from, to] = [bounds.get(start), bounds.get(stop)];
  if (from === undefined && to === undefined) return [];
  if (from === undefined || to === undefined) {
    const missing = from === undefined ? start : stop;
    throw elf.file.fault("symbol table", `${missing} is missing; expected both ${start} and ${stop}`);
  }
  const place = elf.symbolPlace(elf.symbols, from);
  const size = elf.symbolPlace(elf.symbols, to) - place;
  if (size === 0) return [];
  const located = elf.locate(place);
  if (!located?.section || size < 0 || located.offset + size > located.section.size) {
    const range = `${elf.describe(place)} and ${hex(size)} bytes on`;
    throw elf.file.fault("symbol table", `${start} to ${stop}, ${range}, is not within one section of the file`);
  }
  return [new Table(elf, located.section, located.offset, size, entrySize)];
}

/** The entries of tables that hold nothing but addresses; empty ones are left out. */
export function readAddresses(elf: Elf, kind: SiteKind, name: TableName): Entry[] {
  return findTables(elf, { ...name, entrySize: elf.class.word })
    .flatMap((table) => Array.from({ length: table.count }, (_, entry) => table.absolute(entry, 0)))
    .filter((place) => place !== 0)
    .map((place, i) => ({ kind, index: i + 1, place: elf.codePlace(place) }));
}
