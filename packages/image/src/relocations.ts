import type { Elf } from "./elf.js";
import { hex } from "./file-view.js";
import { type Section, SHF_ALLOC, SHT } from "./sections.js";

/** What a relocation computes with; places are numbers as `Elf` gives them. */
type Operands = {
  /** S: the place of the symbol. */
  readonly symbol: number;
  /** A: the explicit addend, or what the field holds where the machine keeps it there. */
  readonly addend: number;
  /** P: the place of the field. */
  readonly place: number;
  /** What the field holds before this relocation: the sum of those before it (RISC-V's pairs). */
  readonly field: number;
};

/** The relocations of one machine: which it has, and what they compute. */
export type RelocationRules = {
  /**
   * By number; `size` is the length of the field in bytes, 0 of one that changes nothing. A type that is not listed is
   * refused.
   */
  readonly types: Readonly<Record<number, { readonly name: string; readonly size: number }>>;
  /** Whether relocations without an addend (REL) are usual: it then stands in the field. */
  readonly addendInField?: boolean;
  /** The value of the field after the relocation; not cut to the field's length. */
  readonly apply: (type: number, operands: Operands) => number;
};

/** What relocations make of a field. */
export type Relocated = {
  readonly value: number;
  /** Place of the last symbol named. */
  readonly symbol: number;
};

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
      if (section.type === SHT.REL && elf.machine.relocations.addendInField !== true)
        throw file.fault(what, "it has no addends; expected relocations with addends (RELA)");
      file.range(section.offset, section.size, what);
      const { word, relocation } = elf.class;
      const size = relocation.size + (section.type === SHT.RELA ? word : 0);
      const end = section.offset + section.size - size;
      for (let at = section.offset; at <= end; at += size) {
        const place = target ? elf.place(target, file.word(at, word)) : file.address(at, word, what);
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
      relocated = this.#applyOne(this.#entries[i] as number, place, size, relocated?.value ?? field) ?? relocated;
    }
    return relocated;
  }

  /** The place of the symbol of the first relocation from `place` on, less than `size` bytes after it. */
  symbolWithin(place: number, size: number): number | undefined {
    for (let i = this.#first(place); (this.#places[i] ?? Number.POSITIVE_INFINITY) < place + size; i++) {
      const at = this.#entries[i] as number;
      if (this.#elf.machine.relocations.types[this.#type(at)]?.size !== 0) return this.#symbol(at);
    }
    return undefined;
  }

  #applyOne(at: number, place: number, size: number, field: number): Relocated | undefined {
    const { file, machine } = this.#elf;
    const type = this.#type(at);
    const rule = machine.relocations.types[type];
    if (rule?.size === 0) return undefined;
    if (rule?.size !== size) {
      const known = Object.values(machine.relocations.types).filter((known) => known.size === size);
      const expected = `expected one of ${known.map(({ name }) => name).join(", ")} for a field of ${size} bytes`;
      const what = `relocation at offset ${hex(at)} for ${this.#elf.describe(place)}`;
      throw file.fault(what, `its type is ${rule?.name ?? type}; ${expected}`);
    }
    const symbol = this.#symbol(at);
    const { word, relocation } = this.#elf.class;
    const explicit = this.#sectionOf(at)?.type === SHT.RELA;
    const addend = explicit ? file.difference(at + relocation.addend, word, "relocation") : field;
    return { value: machine.relocations.apply(type, { symbol, addend, place, field }), symbol };
  }

  #sectionOf(at: number): Section | undefined {
    return this.#sections.find(({ upTo, section }) => at >= section.offset && at < upTo)?.section;
  }

  /** `r_info` of 4 bytes has the type in its low byte, of 8 bytes in its low half. */
  #type(at: number): number {
    const info = this.#elf.file.u32(at + this.#elf.class.relocation.info);
    return this.#elf.class.word === 4 ? info & 0xff : info;
  }

  #symbol(at: number): number {
    const { file } = this.#elf;
    const { word, relocation } = this.#elf.class;
    const symbol = word === 4 ? file.u32(at + relocation.info) >>> 8 : file.u32(at + relocation.info + 4);
    if (symbol === 0) return 0;
    const table = this.#elf.symbolTable(this.#sectionOf(at)?.link ?? 0);
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
