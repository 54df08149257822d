import { type FileView, hex } from "../file-view.js";
import { startsWith } from "./format.js";

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

/** Where in a file that boots itself the compressed kernel lies, and whether its size stands in the four bytes behind it. */
export type Payload = {
  /** What the file is called in messages. */
  readonly name: string;
  readonly at: number;
  /** Offset behind the payload. */
  readonly end: number;
};

/** The payload of an x86 bzImage by its setup header (Linux Documentation/arch/x86/boot.rst, protocol 2.08 and later). */
export function bzImagePayload(file: FileView): Payload | undefined {
  if (!startsWith(file.bytes, 0x202, ascii("HdrS"))) return undefined;
  file.range(0, 0x250, "bzImage setup header");
  if (file.u16(0x206) < 0x208)
    throw file.fault("offset 0x206", `boot protocol ${hex(file.u16(0x206))}; expected 0x208 or later, with a payload`);
  const setup = (file.u8(0x1f1) || 4) + 1;
  const at = setup * 512 + file.u32(0x248);
  const size = file.u32(0x24c);
  file.range(at, size, "bzImage payload");
  return { name: "bzImage", at, end: at + size };
}

/** The payload of an EFI zboot image (Linux drivers/firmware/efi/libstub/zboot-header.S). */
export function zbootPayload(file: FileView): Payload | undefined {
  if (!startsWith(file.bytes, 0, ascii("MZ")) || !startsWith(file.bytes, 4, ascii("zimg"))) return undefined;
  file.range(0, 16, "EFI zboot header");
  const [at, size] = [file.u32(8), file.u32(12)];
  file.range(at, size, "EFI zboot payload");
  return { name: "EFI zboot image", at, end: at + size };
}

/** Whether this is an ARM zImage (Linux arch/arm/boot/compressed/head.S): its payload is where a whole stream is found. */
export function isZImage(file: FileView): boolean {
  return startsWith(file.bytes, 0x24, [0x18, 0x28, 0x6f, 0x01]);
}

/** A kernel as it lies in memory, without ELF headers. */
export type FlatKernel = {
  /** Number of the machine as ELF has it. */
  readonly machine: 40 | 183 | 243;
  /** Bytes that it takes in memory, those that are zero and not in the file included; absent where no header says it. */
  readonly memory?: number;
};

/**
 * Tells an arm64 or riscv `Image` by the magic at 0x38, and the size in memory at 0x10 (Linux Documentation/arch/arm64/booting.rst,
 * Documentation/arch/riscv/boot-image-header.rst).
 */
export function flatKernel(file: FileView): FlatKernel | undefined {
  const machine = startsWith(file.bytes, 0x38, ascii("ARM\x64"))
    ? 183
    : startsWith(file.bytes, 0x38, ascii("RSC\x05"))
      ? 243
      : undefined;
  return machine && { machine, memory: file.u64(0x10) };
}

/** What other files are, and what to do about it. */
const others: readonly { readonly name: string; readonly magic: readonly number[]; readonly advice: string }[] = [
  { name: "a file compressed with bzip2", magic: ascii("BZh"), advice: "unpack it first, e.g. with bzip2 -dk" },
  { name: "a file compressed with lzma", magic: [0x5d, 0, 0], advice: "unpack it first, e.g. with unlzma -k" },
  { name: "a file compressed with lzo", magic: [0x89, 0x4c, 0x5a, 0x4f], advice: "unpack it first, e.g. with lzop -d" },
  { name: "an lz4 frame", magic: [0x04, 0x22, 0x4d, 0x18], advice: "unpack it first, e.g. with lz4 -d" },
  { name: "an archive", magic: ascii("!<arch>\n"), advice: "give one of its members" },
  { name: "a PE (Windows or EFI) file", magic: ascii("MZ"), advice: "a kernel of another kind is expected" },
];

/** Says what a file of no known kind is; undefined when nothing tells. */
export function describeOther(bytes: Uint8Array, at = 0): string | undefined {
  const found = others.find(({ magic }) => startsWith(bytes, at, magic));
  return found && `${found.name}, which is not read: ${found.advice}`;
}
