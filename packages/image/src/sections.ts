import { type FileView, hex } from "./file-view.js";
import { type Header, sectionHeaderSize } from "./header.js";

/** Section types used here (System V ABI, chapter 4, "Sections"). */
export const SHT = { SYMTAB: 2, RELA: 4, NOBITS: 8, REL: 9, DYNSYM: 11, SYMTAB_SHNDX: 18 } as const;

/** Section flag: occupies memory at run time. */
export const SHF_ALLOC = 2;

/** One section header. */
export type Section = {
  /** Its number in the section header table. */
  readonly index: number;
  readonly name: string;
  /** `sh_type`. */
  readonly type: number;
  /** `sh_flags`, its low 32 bits. */
  readonly flags: number;
  /** Its virtual address as a signed number; 0 in relocatable files. */
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
  file.range(offset, sectionHeaderSize, "section header 0");
  // More than 0xfeff sections: the number and the index of the names stand in section 0.
  const count = header.sections.count || file.u64(offset + 32);
  const names = header.sections.names === 0xffff ? file.u32(offset + 40) : header.sections.names;
  file.range(offset, count * sectionHeaderSize, "section header table");
  if (names >= count) {
    throw file.fault(
      "ELF header, offset 0x3e",
      `section ${names} should hold the names, but there are ${count} sections`,
    );
  }
  const strings = readStrings(file, offset + names * sectionHeaderSize, `section ${names} (section names)`);
  return Array.from({ length: count }, (_, index) => readSection(file, header, index, strings));
}

function readSection(file: FileView, header: Header, index: number, strings: StringTable): Section {
  const at = header.sections.offset + index * sectionHeaderSize;
  const name = strings.at(file.u32(at), `section header ${index}`);
  const alignment = file.u64(at + 48) || 1;
  if (!isPowerOfTwo(alignment)) {
    throw file.fault(`section ${index} (${name})`, `its alignment is ${alignment}; expected a power of two`);
  }
  return {
    index,
    name,
    type: file.u32(at + 4),
    flags: file.u32(at + 8),
    address: header.relocatable ? 0 : file.i64(at + 16, `section ${index} (${name})`),
    offset: file.u64(at + 24),
    size: file.u64(at + 32),
    link: file.u32(at + 40),
    info: file.u32(at + 44),
    alignment,
  };
}

function readStrings(file: FileView, at: number, what: string): StringTable {
  return new StringTable(file, file.range(file.u64(at + 24), file.u64(at + 32), what), what);
}

/** Whether a positive number is a power of two; safe above 2^31. */
export function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

const decoder = new TextDecoder();

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
    const end = this.bytes.indexOf(0, offset);
    if (offset >= this.bytes.length || end < 0) {
      const why = `${user} has its name at offset ${hex(offset)}`;
      throw this.#file.fault(this.#what, `${why}; expected a zero-terminated name within ${this.bytes.length} bytes`);
    }
    return decoder.decode(this.bytes.subarray(offset, end));
  }
}
