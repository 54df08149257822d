import type { Elf } from "./elf.js";
import { hex } from "./file-view.js";
import { type Section, SHF_ALLOC, SHT } from "./sections.js";

/** What a relocation computes with; places are numbers as `Elf` gives them. */
export type Operands = {
  /** S: the place of the symbol. */
  readonly symbol: number;
  /** A: the explicit addend; 0 where the machine keeps it in the field. */
  readonly addend: number;
  /** P: the place of the field. */
  readonly place: number;
  /** What the field holds before this relocation: an addend in place, or the sum of those before it (RISC-V's pairs). */
  readonly field: number;
};

/** The relocations of one machine: which it has, and what they compute. */
export type RelocationRules = {
  /** By number; `size` is the length of the field in bytes. A type that is not listed is refused. */
  readonly types: Readonly<Record<number, { readonly name: string; readonly size: number }>>;
  /** The value of the field after the relocation; not cut to the field's length. */
  readonly apply: (type: number, operands: Operands) => number;
};

/** What relocations make of a field. */
export type Relocated = {
  readonly value: number;
  /** Place of the last symbol named. */
  readonly symbol: number;
};

/** Bytes of an ELF64 relocation with addend. */
const relaSize = 24;

/** The relocations of one section, or of a whole linked file, sorted by the place that they change. */
export class Relocations {
  readonly #elf: Elf;
  readonly #places: Float64Array;
  /** File offset of each, and the relocation section that it is from. */
  readonly #entries: Float64Array;
  readonly #sections: readonly { readonly upTo: number; readonly section: Section }[];

  constructor(elf: Elf, sections: readonly Section[], target?: Section) {
    this.#elf = elf;
    const { file } = elf;
    const places: number[] = [];
    const entries: number[] = [];
    let sorted = true;
    for (const section of sections) {
      const what = `section ${section.index} (${section.name})`;
      if (section.type === SHT.REL)
        throw file.fault(what, "it has no addends; expected relocations with addends (RELA)");
      file.range(section.offset, section.size, what);
      const end = section.offset + section.size - relaSize;
      for (let at = section.offset; at <= end; at += relaSize) {
        const place = target ? elf.place(target, file.u64(at)) : file.i64(at, what);
        if (places.length > 0 && place < (places[places.length - 1] as number)) sorted = false;
        places.push(place);
        entries.push(at);
      }
    }
    this.#sections = sections.map((section) => ({ upTo: section.offset + section.size, section }));
    if (sorted) {
      this.#places = Float64Array.from(places);
      this.#entries = Float64Array.from(entries);
    } else {
      const order = places.map((_, i) => i).sort((a, b) => (places[a] as number) - (places[b] as number));
      this.#places = Float64Array.from(order, (i) => places[i] as number);
      this.#entries = Float64Array.from(order, (i) => entries[i] as number);
    }
  }

  /** Applies all relocations of the field of `size` bytes at `place` to `field`; undefined when there are none. */
  apply(place: number, size: number, field: number): Relocated | undefined {
    let relocated: Relocated | undefined;
    for (let i = this.#first(place); this.#places[i] === place; i++) {
      relocated = this.#applyOne(this.#entries[i] as number, place, size, relocated?.value ?? field);
    }
    return relocated;
  }

  /** The place of the symbol of the first relocation from `place` on, less than `size` bytes after it. */
  symbolWithin(place: number, size: number): number | undefined {
    const i = this.#first(place);
    const found = this.#places[i];
    if (found === undefined || found >= place + size) return undefined;
    return this.#symbol(this.#entries[i] as number);
  }

  #applyOne(at: number, place: number, size: number, field: number): Relocated {
    const { file, machine } = this.#elf;
    const type = file.u32(at + 8);
    const rule = machine.relocations.types[type];
    if (rule?.size !== size) {
      const known = Object.values(machine.relocations.types).filter((known) => known.size === size);
      const expected = `expected one of ${known.map(({ name }) => name).join(", ")} for a field of ${size} bytes`;
      const what = `relocation at offset ${hex(at)} for ${this.#elf.describe(place)}`;
      throw file.fault(what, `its type is ${rule?.name ?? type}; ${expected}`);
    }
    const symbol = this.#symbol(at);
    const addend = file.i64(at + 16, "relocation");
    return { value: machine.relocations.apply(type, { symbol, addend, place, field }), symbol };
  }

  #symbol(at: number): number {
    const { file } = this.#elf;
    const symbol = file.u32(at + 12);
    if (symbol === 0) return 0;
    const section = this.#sections.find(({ upTo, section }) => at >= section.offset && at < upTo)?.section;
    const table = this.#elf.symbolTable(section?.link ?? 0);
    if (!table || symbol >= table.count) {
      const there = table ? `there are only ${table.count} symbols` : "there is no symbol table";
      throw file.fault(`relocation at offset ${hex(at)}`, `it names symbol ${symbol}, but ${there}`);
    }
    return this.#elf.symbolPlace(table, symbol);
  }

  /** Index of the first relocation at or after `place`. */
  #first(place: number): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] as number) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether a section holds relocations that a linked file keeps for its dynamic loader. */
export function isDynamicRelocations({ type, flags }: Section): boolean {
  return (type === SHT.RELA || type === SHT.REL) && (flags & SHF_ALLOC) !== 0;
}
