import { expect, test } from "vitest";
import { findSites, readElf } from "../src/index.js";
import {
  errorOf,
  type Fixture,
  fixtureBytes,
  fixtureSites,
  patchEntry,
  patchSection,
  sectionIndex,
} from "./fixture.js";

const arm: Fixture = "patchsites.armv7-t32.o";
const riscv: Fixture = "patchsites.riscv64-6.12.o";
const arm64: Fixture = "patchsites.arm64.o";

/** A fixture with some bytes of its header replaced. */
function withBytes(at: number, ...values: number[]): Uint8Array {
  const bytes = fixtureBytes(arm);
  bytes.set(values, at);
  return bytes;
}

test.each<[string, Uint8Array, string]>([
  ["half a header", fixtureBytes(arm).subarray(0, 51), "ELF header: it should lie at offset 0x0 with 52 bytes"],
  ["no sections", withBytes(32, 0, 0, 0, 0), "ELF header, offset 0x20: there are no section headers"],
  ["odd headers", withBytes(46, 64, 0), "offset 0x2e: section headers have 64 bytes; expected 40"],
  ["names outside", withBytes(50, 200, 0), "offset 0x32: section 200 should hold the names, but there are"],
  ["headers outside", withBytes(48, 0xff, 0x7f), "section header table: it should lie at offset"],
  ["big-endian", withBytes(4, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 40), "for 32-bit big-endian ARM; expected"],
])("a file of 32 bits with %s", (_, bytes, message) => {
  expect(errorOf(bytes).message).toContain(message);
});

const field = { type: 4, offset: 16, size: 20, link: 24, alignment: 32 } as const;

test.each<[string, string, number, number, RegExp]>([
  [
    "code outside of the file",
    ".text",
    field.offset,
    0x100000,
    /section 1 \(\.text\): it should lie at offset 0x100000/,
  ],
  ["part of an entry", "__jump_table", field.size, 40, /the table has 40 bytes; expected a multiple of 12/],
  ["part of an address", "__mcount_loc", field.size, 6, /the table has 6 bytes; expected a multiple of 4/],
  ["alignment", ".text", field.alignment, 24, /its alignment is 24; expected a power of two/],
  ["no symbol names", ".symtab", field.link, 999, /its names should be in section 999, which is not there/],
  ["few symbols", ".symtab", field.size, 48, /it names symbol \d+, but there are only 3 symbols/],
  [
    "missing relocations",
    ".rel__jump_table",
    field.size,
    8,
    /__jump_table\+0x4: the table's field has no relocation; expected one/,
  ],
])("a file of 32 bits with %s", (_, section, at, value, message) => {
  const bytes = fixtureBytes(arm);
  patchSection(bytes, sectionIndex(bytes, section), (view) => view.setUint32(at, value, true));
  expect(errorOf(bytes).message).toMatch(message);
});

test("ARM: an unknown relocation", () => {
  const unknown = (name: string, entry: number) =>
    errorOf(patchEntry(fixtureBytes(arm), name, entry, 8, (view) => view.setUint8(4, 99))).message;
  expect(unknown(".rel__jump_table", 0)).toMatch(
    /for __jump_table\+0x0: its type is 99; expected one of R_ARM_PC24, R_ARM_ABS32, .* for a field of 4 bytes$/,
  );
  expect(unknown(".rel__mcount_loc", 0)).toContain("for __mcount_loc+0x0: its type is 99");
  expect(unknown(".rel.text", 5)).toContain("for .text+0x2c2: its type is 99");
});

test("ARM: addends in the field and explicit ones mean the same", () => {
  // The table's relocations are moved to the end of the file, with what their fields held as addends.
  const plain = fixtureBytes(arm);
  const { sections } = readElf(plain);
  const table = sections[sectionIndex(plain, "__jump_table")] ?? expect.fail("no table");
  const from = sections[sectionIndex(plain, ".rel__jump_table")] ?? expect.fail("no relocations");
  const count = from.size / 8;
  const bytes = new Uint8Array(plain.length + count * 12);
  bytes.set(plain);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    const at = plain.length + i * 12;
    bytes.copyWithin(at, from.offset + i * 8, from.offset + i * 8 + 8);
    const place = table.offset + view.getUint32(at, true);
    view.setInt32(at + 8, view.getInt32(place, true), true);
    view.setUint32(place, 0x7777, true);
  }
  patchSection(bytes, from.index, (header) => {
    header.setUint32(field.type, 4, true);
    header.setUint32(field.offset, plain.length, true);
    header.setUint32(field.size, count * 12, true);
  });
  expect(findSites(readElf(bytes))).toEqual(fixtureSites(arm));
});

test("relocations without addends are refused where the machine's files have them", () => {
  for (const name of [arm64, riscv]) {
    const bytes = fixtureBytes(name);
    patchSection(bytes, sectionIndex(bytes, ".rela__jump_table"), (view) => view.setUint32(4, 9, true));
    expect(errorOf(bytes).message).toContain("it has no addends; expected relocations with addends (RELA)");
  }
});

test("arm64: an unknown relocation", () => {
  const bytes = patchEntry(fixtureBytes(arm64), ".rela__jump_table", 0, 24, (view) => view.setUint32(8, 42, true));
  expect(errorOf(bytes).message).toMatch(
    /__jump_table\+0x0: its type is 42; expected one of R_AARCH64_ABS32, .* 4 bytes$/,
  );
});

test("RISC-V: an unknown relocation, and half a pair", () => {
  const change = (entry: number, type: number) =>
    patchEntry(fixtureBytes(riscv), ".rela__jump_table", entry, 24, (view) => view.setUint32(8, type, true));
  expect(errorOf(change(0, 99)).message).toMatch(
    /its type is 99; expected one of R_RISCV_32, .*R_RISCV_SUB32.* 4 bytes$/,
  );
  expect(errorOf(change(0, 36)).message).toContain("its type is R_RISCV_ADD64; expected one of R_RISCV_32");
  expect(errorOf(change(1, 51)).message).toContain(
    "jump-label entry 1: it points to .rela__jump_table+0x50; expected a place in a section of code",
  );
});

test("RISC-V: marks for the linker change nothing", () => {
  const { sections } = readElf(fixtureBytes(riscv));
  const code = sections.find(({ name }) => name === ".rela.text");
  const view = new DataView(fixtureBytes(riscv).buffer, code?.offset, code?.size);
  const entries = Array.from({ length: view.byteLength / 24 }, (_, i) => i);
  const jump = entries.find((i) => view.getUint32(i * 24, true) === 0xe8) ?? expect.fail("no relocation of the jump");
  const marked = (type: number, at: number) =>
    findSites(
      readElf(
        patchEntry(fixtureBytes(riscv), ".rela.text", jump, 24, (entry) => {
          entry.setUint32(0, at, true);
          entry.setUint32(8, type, true);
        }),
      ),
    );
  // The jump keeps what the assembler wrote, which is right already; the nop at 0x50 has no symbol.
  for (const type of [43, 51]) {
    expect(marked(type, 0xe8)).toEqual(fixtureSites(riscv));
    expect(marked(type, 0x50)).toEqual(fixtureSites(riscv));
  }
  const named = marked(1, 0x50).find(({ address }) => address === 0x50n);
  expect(named?.relocated).toBe(".text+0x144");
});

test("a site outside of code is refused", () => {
  const bytes = fixtureBytes(arm64);
  patchSection(bytes, sectionIndex(bytes, ".text"), (view) => view.setUint32(8, 2, true));
  expect(errorOf(bytes).message).toMatch(/entry 1: it points to \.text\+0x\w+; expected a place in a section of code/);
});
