import { describeContainer } from "./containers.js";
import type { FileView } from "./file-view.js";
import { describeMachine, findMachine, type Machine, supportedMachines } from "./machines.js";

/** The ELF header as far as it is needed (System V ABI, chapter 4, "ELF Header"). */
export type Header = {
  readonly machine: Machine;
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

/** Bytes of an ELF64 header. */
const headerSize = 64;

/** Bytes of an ELF64 section header. */
export const sectionHeaderSize = 64;

/** Reads the header, or says why this file cannot be read. */
export function readHeader(file: FileView): Header {
  checkMagic(file);
  const machine = checkKind(file);
  file.range(0, headerSize, "ELF header");
  const type = file.u16(16);
  if (type < 1 || type > 3) {
    throw file.fault("ELF header, offset 0x10", `the file type is ${type}; expected 1 (relocatable), 2 or 3 (linked)`);
  }
  const offset = file.u64(40);
  if (offset === 0) {
    throw file.fault("ELF header, offset 0x28", "there are no section headers; expected a file that has them");
  }
  const entrySize = file.u16(58);
  if (entrySize !== sectionHeaderSize) {
    throw file.fault(
      "ELF header, offset 0x3a",
      `section headers have ${entrySize} bytes; expected ${sectionHeaderSize}`,
    );
  }
  return { machine, relocatable: type === 1, sections: { offset, count: file.u16(60), names: file.u16(62) } };
}

function checkMagic(file: FileView): void {
  const { bytes } = file;
  if (bytes.length === 0) throw file.fault("offset 0", "the file is empty; expected an ELF file");
  const start = bytes.subarray(0, 4);
  if (start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46) return;
  const container = describeContainer(bytes);
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
  if (machine && bits === 2 && order === 1) return machine;
  const width = bits === 1 ? "32-bit " : bits === 2 ? "64-bit " : "";
  const found = `${width}${bigEndian ? "big-endian " : ""}${describeMachine(number)}`;
  throw file.fault("ELF header", `the file is for ${found}; expected 64-bit little-endian ${supportedMachines}`);
}
