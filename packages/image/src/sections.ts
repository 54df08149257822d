import { type FileView, hex } from "./file-view.js";
import type { Header } from "./header.js";

/** Section types used here (System V ABI, chapter 4, "Sections"). */
export const SHT = { PROGBITS: 1, SYMTAB: 2, RELA: 4, NOBITS: 8, REL: 9, DYNSYM: 11, SYMTAB_SHNDX: 18 } as const;

/** Section flag: occupies memory at run time. */
export const SHF_ALLOC = 2;

/** Section flag: holds code. */
export const SHF_EXECINSTR = 4;

/** One section header. */
export type Section = {
  /** Its number in the section header table. */
  readonly index: number;
  readonly name: string;
  /** `sh_type`. */
  readonly type: number;
  /** `sh_flags`, its low 32 bits. */
  readonly flags: number;
  /** Its virtual address, signed when it has 64 bits; 0 in relocatable files. */
  readonly address: number;
  /** File offset in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** `sh_link`: for symbols the string table, for relocations the symbol table. */
  readonly link: number;
  /** `sh_info`: for relocations the section they change. */
  readonly info: number;
  /** Bytes, a power of two, 1 or more. */
  readonly alignment: number;
};

/** Reads all section headers. */
export function readSections(file: FileView, header: Header): readonly Section[] {
  const { offset } = header.sections;
  const { word, section } = header.class;
  file.range(offset, section.size, "section header 0");
  // More than 0xfeff sections: the number and the index of the names stand in section 0.
  const count = header.sections.count || file.word(offset + section.bytes, word);
  const names = header.sections.names === 0xffff ? file.u32(offset + section.link) : header.sections.names;
  file.range(offset, count * section.size, "section header table");
  if (names >= count) {
    throw file.fault(
      `ELF header, offset ${hex(header.class.header.sectionNames)}`,
      `section ${names} should hold the names, but there are ${count} sections`,
    );
  }
  const at = offset + names * section.size;
  const what = `section ${names} (section names)`;
  const bytes = file.range(file.word(at + section.offset, word), file.word(at + section.bytes, word), what);
  const strings = new StringTable(file, bytes, what);
  return Array.from({ length: count }, (_, index) => readSection(file, header, index, strings));
}

function readSection(file: FileView, header: Header, index: number, strings: StringTable): Section {
  const { word, section } = header.class;
  const at = header.sections.offset + index * section.size;
  const name = strings.at(file.u32(at), `section header ${index}`);
  const alignment = file.word(at + section.alignment, word) || 1;
  if (!isPowerOfTwo(alignment)) {
    throw file.fault(`section ${index} (${name})`, `its alignment is ${alignment}; expected a power of two`);
  }
  return {
    index,
    name,
    type: file.u32(at + 4),
    flags: file.u32(at + 8),
    address: header.relocatable ? 0 : file.address(at + section.address, word, `section ${index} (${name})`),
    offset: file.word(at + section.offset, word),
    size: file.word(at + section.bytes, word),
    link: file.u32(at + section.link),
    info: file.u32(at + section.info),
    alignment,
  };
}

/** Whether a positive number is a power of two; safe above 2^31. */
export function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

const decoder = new TextDecoder();

/** The most bytes of a name: those of several symbols may be one, so that names without end would be read again and again. */
const LONGEST = 4096;

/** Names that end with a zero byte, told by their offset. */
export class StringTable {
  readonly #file: FileView;
  readonly bytes: Uint8Array;
  readonly #what: string;

  constructor(file: FileView, bytes: Uint8Array, what: string) {
    this.#file = file;
    this.bytes = bytes;
    this.#what = what;
  }

  /** The string at `offset`; `user` names what asks for it, for the message. */
  at(offset: number, user: string): string {
    const why = `${user} has its name at offset ${hex(offset)}`;
    const end = this.bytes.subarray(offset, offset + LONGEST + 1).indexOf(0) + offset;
    if (offset + LONGEST < this.bytes.length && end < offset)
      throw this.#file.fault(this.#what, `${why}; expected a name of at most ${LONGEST} bytes`);
    if (offset >= this.bytes.length || end < offset) {
      throw this.#file.fault(this.#what, `${why}; expected a zero-terminated name within ${this.bytes.length} bytes`);
    }
    return decoder.decode(this.bytes.subarray(offset, end));
  }
}
