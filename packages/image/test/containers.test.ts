import { gzipSync } from "node:zlib";
import { InputError } from "@cmodx/core";
import { describe, expect, test } from "vitest";
import { findSites, readElf, readImage } from "../src/index.js";
import { type Fixture, fixtureBytes } from "./fixture.js";
import { bzImage, join, packed, u32, zboot } from "./packed.js";

const x86: Fixture = "patchsites.x86_64.elf";
const plain = fixtureBytes(x86);
const size = plain.length;

const files: readonly (readonly [what: string, file: Uint8Array, inside: Fixture])[] = [
  ["ELF", plain, x86],
  ["gzip", gzipSync(plain), x86],
  ["gzip in gzip", gzipSync(gzipSync(plain)), x86],
  ["xz", packed("patchsites.arm64.o.xz"), "patchsites.arm64.o"],
  ["xz with padding", join(packed("patchsites.arm64.o.xz"), [0, 0, 0, 0]), "patchsites.arm64.o"],
  ["xz, x86 branches", packed("patchsites.x86_64.elf.x86.xz"), x86],
  ["xz, ARM branches, large dictionary", packed("patchsites.armv7-a32.elf.arm.xz"), "patchsites.armv7-a32.elf"],
  ["xz, Thumb branches", packed("patchsites.armv7-t32.elf.armthumb.xz"), "patchsites.armv7-t32.elf"],
  ["zstd", packed("patchsites.arm64.o.zst"), "patchsites.arm64.o"],
  ["zstd without a size", packed("patchsites.x86_64.elf.zst"), x86],
  ["lz4", packed("patchsites.x86_64.elf.lz4"), x86],
  ["bzImage, gzip", bzImage(gzipSync(plain)), x86],
  ["bzImage, xz", bzImage(packed("patchsites.x86_64.elf.x86.xz"), size), x86],
  ["bzImage, zstd", bzImage(packed("patchsites.x86_64.elf.zst"), size), x86],
  ["bzImage, lz4", bzImage(packed("patchsites.x86_64.elf.lz4"), size), x86],
  ["EFI zboot, gzip", zboot(gzipSync(plain)), x86],
  ["EFI zboot, zstd", zboot(packed("patchsites.x86_64.elf.zst"), size), x86],
];

const errorOf = async (bytes: Uint8Array): Promise<string> => {
  const error = await readImage(bytes, { name: "broken" }).then(
    () => expect.fail("it was read"),
    (error) => error,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(error.file).toBe("broken");
  return error.message;
};

describe("what is inside is read as if it were not packed", () => {
  test.each(files)("%s", async (_, file, inside) => {
    const elf = await readImage(file, { name: inside });
    expect(Buffer.compare(elf.file.bytes, fixtureBytes(inside))).toBe(0);
    expect(findSites(elf)).toEqual(findSites(readElf(fixtureBytes(inside))));
  });
});

describe("damage is told", () => {
  test.each(files.slice(1))("%s, cut off", async (_, file) => {
    for (const length of [8, file.length >> 1, file.length - 40])
      expect(await errorOf(file.subarray(0, length))).toMatch(/^broken: .+: .+/);
  });

  const changed = (file: Uint8Array, at: number): Uint8Array => {
    const bytes = file.slice();
    bytes[at] = (bytes[at] as number) ^ 0x10;
    return bytes;
  };

  test.each([
    ["gzip", gzipSync(plain)],
    ["xz", packed("patchsites.arm64.o.xz")],
    ["xz, x86 branches", packed("patchsites.x86_64.elf.x86.xz")],
    ["zstd", packed("patchsites.arm64.o.zst")],
  ] as const)("%s: a byte of its content is another", async (_, file) => {
    for (let at = 100; at < file.length - 100; at += 61)
      expect(await errorOf(changed(file, at))).toMatch(/stream is broken \(.+\); expected a whole one$/);
  });

  test("xz, x86 branches: the check of its content is another", async () => {
    const file = packed("patchsites.x86_64.elf.x86.xz");
    // Behind it are the index and the footer, of twelve bytes each.
    for (let at = file.length - 28; at < file.length - 24; at++)
      expect(await errorOf(changed(file, at))).toContain("its content does not agree with its CRC32");
  });

  test("lz4 has no checksum; a payload's size is one", async () => {
    const file = bzImage(packed("patchsites.x86_64.elf.lz4"), size + 1);
    expect(await errorOf(file)).toContain(`the payload inflates to ${size} bytes, but should to ${size + 1}`);
  });

  test("a payload ends where its header says", async () => {
    const file = bzImage(join(packed("patchsites.x86_64.elf.x86.xz"), u32(size, size)));
    expect(await errorOf(file)).toContain(`the payload inflates to ${size} bytes`);
  });

  test.each([
    ["gzip", gzipSync(plain)],
    ["xz", packed("patchsites.arm64.o.xz")],
    ["zstd", packed("patchsites.arm64.o.zst")],
  ] as const)("%s: a second stream is not left out", async (_, file) => {
    const twice = join(file, file);
    if (_ === "gzip") expect(Buffer.compare((await readImage(twice)).file.bytes, join(plain, plain))).toBe(0);
    else expect(await errorOf(twice)).toContain(`${file.length} bytes follow the ${_} stream; expected its end`);
  });

  test("what inflates without measure is refused before it is inflated", async () => {
    // A block of exactly 8 MiB: one byte, a run of it, five bytes.
    const block = join([0x1f, 0, 1, 0], Array(32_896).fill(255), [103, 0x50, 1, 2, 3, 4, 5]);
    const lz4 = join([0x02, 0x21, 0x4c, 0x18], ...Array(33).fill(join(u32(block.length), block)));
    expect(await errorOf(lz4)).toContain("it inflates to 276824064 bytes; expected at most 268435456");
    const zeros = gzipSync(new Uint8Array(2 ** 28 + 1));
    expect(await errorOf(zeros)).toContain(
      "it inflates to 268435457 bytes; expected at most 268435456: unpack it first",
    );
  });

  test("containers come to an end", async () => {
    let file: Uint8Array = plain;
    for (let i = 0; i < 9; i++) file = gzipSync(file);
    expect(await errorOf(file)).toContain("it is in more than 8 containers");
  });

  test.each([
    ["bzip2", "BZh9", "a file compressed with bzip2, which is not read: unpack it first"],
    ["an archive", "!<arch>\n", "an archive, which is not read"],
    ["PE", "MZ\0\0", "a PE (Windows or EFI) file, which is not read"],
  ])("%s is called by its name", async (_, start, message) => {
    expect(await errorOf(new TextEncoder().encode(start))).toContain(message);
    const bytes = new TextEncoder().encode(start.padEnd(16, "\0"));
    expect(await errorOf(bzImage(bytes))).toContain(`the payload of this bzImage is ${message}`);
  });
});
