import { describeOther } from "./containers/kernel-files.js";
import { type ElfClass, elfClass } from "./elf-class.js";
import { type FileView, hex } from "./file-view.js";
import { describeMachine, findMachine, type Machine, supportedMachines } from "./machines.js";

/** The ELF header as far as it is needed (System V ABI, chapter 4, "ELF Header"). */
export type Header = {
  readonly machine: Machine;
  readonly class: ElfClass;
  /** ET_REL: sections have no addresses yet. */
  readonly relocatable: boolean;
  readonly sections: {
    /** File offset of the section header table in bytes. */
    readonly offset: number;
    /** Number of headers; 0 stands for "see section 0". */
    readonly count: number;
    /** Index of the section with the sections' names; 0xffff stands for "see section 0". */
    readonly names: number;
  };
};

/** Reads the header, or says why this file cannot be read. */
export function readHeader(file: FileView): Header {
  checkMagic(file);
  const machine = checkKind(file);
  const layout = elfClass(machine.bits);
  const { size, sections, sectionSize, sectionCount, sectionNames } = layout.header;
  file.range(0, size, "ELF header");
  const type = file.u16(16);
  if (type < 1 || type > 3) {
    throw file.fault("ELF header, offset 0x10", `the file type is ${type}; expected 1 (relocatable), 2 or 3 (linked)`);
  }
  const offset = file.word(sections, layout.word);
  if (offset === 0) {
    throw file.fault(
      `ELF header, offset ${hex(sections)}`,
      "there are no section headers; expected a file that has them",
    );
  }
  const entrySize = file.u16(sectionSize);
  if (entrySize !== layout.section.size) {
    throw file.fault(
      `ELF header, offset ${hex(sectionSize)}`,
      `section headers have ${entrySize} bytes; expected ${layout.section.size}`,
    );
  }
  return {
    machine,
    class: layout,
    relocatable: type === 1,
    sections: { offset, count: file.u16(sectionCount), names: file.u16(sectionNames) },
  };
}

function checkMagic(file: FileView): void {
  const { bytes } = file;
  if (bytes.length === 0) throw file.fault("offset 0", "the file is empty; expected an ELF file");
  const start = bytes.subarray(0, 4);
  if (start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46) return;
  const container = describeOther(bytes);
  if (container) throw file.fault("offset 0", `this is ${container}`);
  const shown = [...start].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw file.fault("offset 0", `this is not an ELF file: it starts with ${shown}; expected 7f 45 4c 46`);
}

function checkKind(file: FileView): Machine {
  file.range(0, 20, "ELF header");
  const [bits, order] = [file.u8(4), file.u8(5)];
  const bigEndian = order === 2;
  const number = bigEndian ? file.u8(18) * 256 + file.u8(19) : file.u16(18);
  const machine = findMachine(number);
  const width = bits === 1 ? 32 : bits === 2 ? 64 : undefined;
  if (machine?.bits === width && machine && order === 1) return machine;
  const found = `${width === undefined ? "" : `${width}-bit `}${bigEndian ? "big-endian " : ""}${describeMachine(number)}`;
  throw file.fault("ELF header", `the file is for ${found}; expected little-endian ${supportedMachines}`);
}
