/** Where the fields of a file's structures lie, in bytes from the start of each; `size` is the whole structure's. */
export type ElfClass = {
  /** Bytes of an address, a file offset or a size. */
  readonly word: 4 | 8;
  readonly header: {
    readonly size: number;
    readonly sections: number;
    readonly sectionSize: number;
    readonly sectionCount: number;
    readonly sectionNames: number;
  };
  readonly section: {
    readonly size: number;
    readonly address: number;
    readonly offset: number;
    readonly bytes: number;
    readonly link: number;
    readonly info: number;
    readonly alignment: number;
  };
  readonly symbol: {
    readonly size: number;
    readonly info: number;
    readonly section: number;
    readonly value: number;
    readonly bytes: number;
  };
  readonly relocation: {
    /** Without an addend: `Elf32_Rel`, `Elf64_Rel`. */
    readonly size: number;
    readonly info: number;
    readonly addend: number;
  };
};

/** ELFCLASS32 (System V ABI, chapter 4, "Object Files"). */
const elf32: ElfClass = {
  word: 4,
  header: { size: 52, sections: 32, sectionSize: 46, sectionCount: 48, sectionNames: 50 },
  section: { size: 40, address: 12, offset: 16, bytes: 20, link: 24, info: 28, alignment: 32 },
  symbol: { size: 16, info: 12, section: 14, value: 4, bytes: 8 },
  relocation: { size: 8, info: 4, addend: 8 },
};

/** ELFCLASS64. */
const elf64: ElfClass = {
  word: 8,
  header: { size: 64, sections: 40, sectionSize: 58, sectionCount: 60, sectionNames: 62 },
  section: { size: 64, address: 16, offset: 24, bytes: 32, link: 40, info: 44, alignment: 48 },
  symbol: { size: 24, info: 4, section: 6, value: 8, bytes: 16 },
  relocation: { size: 16, info: 8, addend: 16 },
};

/** The class of a machine's files. */
export function elfClass(bits: 32 | 64): ElfClass {
  return bits === 32 ? elf32 : elf64;
}
