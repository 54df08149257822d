/** A file format that is not ELF, told by bytes at a fixed offset. */
type Container = {
  readonly name: string;
  readonly at: number;
  readonly magic: readonly number[];
  readonly advice: string;
};

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
const unpack = (tool: string): string => `unpack it first, e.g. with ${tool}`;

// bzImage stands first: one with an EFI stub also starts with "MZ". Offsets: Documentation/arch/x86/boot.rst (HdrS at
// 0x202), Documentation/arch/arm64/booting.rst and Documentation/arch/riscv/boot-image-header.rst (magic at 0x38).
const containers: readonly Container[] = [
  {
    name: "an x86 bzImage",
    at: 0x202,
    magic: ascii("HdrS"),
    advice: "give the vmlinux it was made from, with its symbols",
  },
  { name: "an arm64 kernel Image", at: 0x38, magic: ascii("ARM\x64"), advice: "give the vmlinux it was made from" },
  { name: "a RISC-V kernel Image", at: 0x38, magic: ascii("RSC\x05"), advice: "give the vmlinux it was made from" },
  { name: "a file compressed with xz", at: 0, magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], advice: unpack("xz -dk") },
  { name: "a file compressed with gzip", at: 0, magic: [0x1f, 0x8b], advice: unpack("gzip -dk") },
  { name: "a file compressed with zstd", at: 0, magic: [0x28, 0xb5, 0x2f, 0xfd], advice: unpack("zstd -d") },
  { name: "a file compressed with lz4", at: 0, magic: [0x02, 0x21, 0x4c, 0x18], advice: unpack("lz4 -d") },
  { name: "a file compressed with bzip2", at: 0, magic: ascii("BZh"), advice: unpack("bzip2 -dk") },
  { name: "an archive", at: 0, magic: ascii("!<arch>\n"), advice: "give one of its members" },
  { name: "a PE (Windows or EFI) file", at: 0, magic: ascii("MZ"), advice: "only ELF is read" },
];

/** Says what a file that is not ELF is, and what to do about it; undefined when it is no known format. */
export function describeContainer(bytes: Uint8Array): string | undefined {
  const found = containers.find(({ at, magic }) => magic.every((byte, i) => bytes[at + i] === byte));
  return found && `${found.name}, which is not read yet: ${found.advice}`;
}
