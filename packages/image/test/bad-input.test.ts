import { describe, expect, test } from "vitest";
import { describeMachine, findSites, readElf } from "../src/index.js";
import { errorOf, type Fixture, fixtureBytes, patchEntry, patchSection, sectionIndex } from "./fixture.js";

const object: Fixture = "patchsites.x86_64.o";

/** The fixture with some bytes of its start replaced. */
function withBytes(at: number, ...values: number[]): Uint8Array {
  const bytes = fixtureBytes(object);
  bytes.set(values, at);
  return bytes;
}

const sectionOf = (name: string) => sectionIndex(fixtureBytes(object), name);

/** The object file with one entry of a relocation section changed. */
const withRelocation = (name: string, entry: number, change: (view: DataView) => void) =>
  patchEntry(fixtureBytes(object), name, entry, 24, change);

const text = (content: string) => new TextEncoder().encode(content);

describe("files that are not ELF", () => {
  test.each<[string, Uint8Array, string]>([
    ["empty", new Uint8Array(), "broken.o: offset 0: the file is empty; expected an ELF file"],
    ["text", text("#!/bin/sh\n"), "it starts with 23 21 2f 62; expected 7f 45 4c 46"],
    ["one byte", text("\x7f"), "it starts with 7f; expected 7f 45 4c 46"],
    ["bzip2", text("BZh9"), "compressed with bzip2"],
    ["ar", text("!<arch>\ndebian-binary"), "an archive"],
    ["PE", text("MZ\0\0"), "a PE (Windows or EFI) file"],
  ])("%s", (_, bytes, message) => {
    expect(errorOf(bytes).message).toContain(message);
  });
});

describe("ELF files of another kind", () => {
  test.each<[string, Uint8Array, string]>([
    [
      "LoongArch",
      withBytes(18, 2, 1),
      "the file is for 64-bit LoongArch; expected little-endian 32-bit ARM, 64-bit x86-64, 64-bit AArch64, 64-bit RISC-V",
    ],
    [
      "RISC-V with 32 bits",
      withBytes(4, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 243, 0),
      "for 32-bit RISC-V; expected",
    ],
    ["AArch64 with 32 bits", withBytes(4, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 183, 0), "for 32-bit AArch64"],
    ["ARM with 64 bits", withBytes(18, 40, 0), "the file is for 64-bit ARM"],
    ["no class", withBytes(4, 0), "the file is for x86-64; expected"],
    ["x32", withBytes(4, 1), "the file is for 32-bit x86-64"],
    ["big-endian", withBytes(4, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 22), "for 64-bit big-endian S/390"],
    ["unknown machine", withBytes(18, 0x34, 0x12), "for 64-bit machine 0x1234"],
    ["core dump", withBytes(16, 4, 0), "the file type is 4; expected 1 (relocatable), 2 or 3 (linked)"],
    ["no sections", withBytes(40, 0, 0, 0, 0, 0, 0, 0, 0), "there are no section headers"],
    ["odd headers", withBytes(58, 40, 0), "section headers have 40 bytes; expected 64"],
    ["names outside", withBytes(62, 200, 0), "section 200 should hold the names, but there are"],
    ["headers outside", withBytes(60, 0xff, 0x7f), "section header table: it should lie at offset"],
  ])("%s", (_, bytes, message) => {
    expect(errorOf(bytes).message).toContain(message);
  });

  test("machines are named by their number", () => {
    expect([62, 183, 40, 243, 3, 258, 0xfffe].map(describeMachine)).toEqual([
      "x86-64",
      "AArch64",
      "ARM",
      "RISC-V",
      "x86 (32-bit)",
      "LoongArch",
      "machine 0xfffe",
    ]);
  });
});

describe("broken sections", () => {
  const field = { name: 0, type: 4, offset: 24, size: 32, link: 40, alignment: 48 } as const;
  const change = (section: string, at: number, value: bigint) =>
    patchSection(fixtureBytes(object), sectionOf(section), (view) =>
      at === field.link || at <= field.type
        ? view.setUint32(at, Number(value), true)
        : view.setBigUint64(at, value, true),
    );

  test.each<[string, string, number, bigint, RegExp]>([
    [
      "code outside of the file",
      ".text",
      field.offset,
      0x100000n,
      /section 1 \(\.text\): it should lie at offset 0x100000 with \d+ bytes/,
    ],
    ["size beyond all numbers", ".text", field.size, 0xffffffffffffffffn, /but the file has only \d+ bytes/],
    ["code without bytes", ".text", field.type, 8n, /it has no bytes in the file; expected code or a table/],
    ["table outside of the file", "__jump_table", field.offset, 0x100000n, /\(__jump_table\): it should lie/],
    ["part of an entry", "__jump_table", field.size, 40n, /the table has 40 bytes; expected a multiple of 16/],
    ["part of an address", "__mcount_loc", field.size, 12n, /the table has 12 bytes; expected a multiple of 8/],
    [
      "a name outside",
      ".text",
      field.name,
      0x10000n,
      /section header 1 has its name at offset 0x10000; expected a zero-terminated/,
    ],
    ["alignment", ".text", field.alignment, 24n, /its alignment is 24; expected a power of two/],
    ["no symbol names", ".symtab", field.link, 999n, /its names should be in section 999, which is not there/],
    ["symbols outside", ".symtab", field.offset, 0x100000n, /\(\.symtab\): it should lie/],
    ["no addends", ".rela__jump_table", field.type, 9n, /it has no addends; expected relocations with addends/],
    ["relocations outside", ".rela__jump_table", field.offset, 0x100000n, /\(\.rela__jump_table\): it should lie/],
    ["no symbols", ".rela__jump_table", field.link, 1n, /it names symbol 2, but there is no symbol table/],
    ["few symbols", ".symtab", field.size, 48n, /it names symbol \d+, but there are only 2 symbols/],
    [
      "missing relocations",
      ".rela__jump_table",
      field.size,
      24n,
      /__jump_table\+0x4: the table's field has no relocation; expected one/,
    ],
  ])("%s", (_, section, at, value, message) => {
    expect(errorOf(change(section, at, value)).message).toMatch(message);
  });

  test("an unterminated name", () => {
    const bytes = fixtureBytes(object);
    const strings = readElf(bytes).sections[sectionOf(".shstrtab")];
    bytes.fill(0x41, strings?.offset, (strings?.offset ?? 0) + (strings?.size ?? 0));
    expect(errorOf(bytes).message).toContain("expected a zero-terminated name within");
  });
});

describe("broken relocations", () => {
  test("an unknown type in a table", () => {
    const bytes = withRelocation(".rela__jump_table", 0, (view) => view.setUint32(8, 42, true));
    expect(errorOf(bytes).message).toMatch(
      /relocation at offset 0x[0-9a-f]+ for __jump_table\+0x0: its type is 42; expected one of R_X86_64_PC32, .* for a field of 4 bytes$/,
    );
  });

  test("a type of another size", () => {
    const bytes = withRelocation(".rela__jump_table", 2, (view) => view.setUint32(8, 2, true));
    expect(errorOf(bytes).message).toContain("its type is R_X86_64_PC32; expected one of R_X86_64_64");
  });

  test("an unknown type at the site itself", () => {
    const bytes = withRelocation(".rela.text", 0, (view) => view.setUint32(8, 9, true));
    expect(errorOf(bytes).message).toContain("for .text+0x1: its type is 9");
  });

  test("a missing symbol", () => {
    const bytes = withRelocation(".rela__mcount_loc", 1, (view) => view.setUint32(12, 5000, true));
    expect(errorOf(bytes).message).toMatch(/it names symbol 5000, but there are only \d+ symbols/);
  });

  test("a site behind the end of its section", () => {
    const bytes = withRelocation(".rela__mcount_loc", 0, (view) => view.setBigInt64(16, 0x10000n, true));
    expect(errorOf(bytes).message).toContain("ftrace entry 1: it points to 0x100010000; expected a place in a section");
  });

  test("an addend beyond all addresses", () => {
    const bytes = withRelocation(".rela__mcount_loc", 0, (view) => view.setBigInt64(16, 2n ** 60n, true));
    expect(errorOf(bytes).message).toContain("is no canonical address");
  });

  test("the order of the entries does not matter", () => {
    const bytes = fixtureBytes(object);
    const at = readElf(bytes).sections[sectionOf(".rela__jump_table")]?.offset ?? 0;
    const first = bytes.slice(at, at + 24);
    bytes.copyWithin(at, at + 24 * 26, at + 24 * 27);
    bytes.set(first, at + 24 * 26);
    expect(findSites(readElf(bytes))).toEqual(findSites(readElf(fixtureBytes(object))));
  });
});

describe("tables", () => {
  test("an opcode that the kernel would not accept is unknown, and no error", () => {
    const bytes = fixtureBytes(object);
    const code = readElf(bytes).sections[sectionOf(".text")]?.offset ?? 0;
    bytes[code + 0x4a] = 0xcc;
    bytes[code + 0x350] = 0xcc;
    const unknown = findSites(readElf(bytes)).filter((site) => site.instruction === "unknown");
    expect(unknown.map(({ number, length, enabled }) => [number, length, enabled])).toEqual([
      [2, 1, undefined],
      [17, 1, undefined],
    ]);
  });

  test("a file without tables has no sites", () => {
    const bytes = fixtureBytes(object);
    for (const name of ["__jump_table", "__mcount_loc", ".static_call_sites", "__patchable_function_entries"]) {
      patchSection(bytes, sectionOf(name), (view) => view.setBigUint64(32, 0n, true));
    }
    expect(findSites(readElf(bytes))).toEqual([]);
  });
});

describe("merged tables", () => {
  const merged: Fixture = "patchsites.merged.x86_64.elf";
  const rename = (from: string, to: string) => {
    const bytes = fixtureBytes(merged);
    const at = Buffer.from(bytes.buffer).lastIndexOf(`\0${from}\0`) + 1;
    expect(at).toBeGreaterThan(0);
    bytes.set(text(to), at);
    return bytes;
  };

  test("one symbol alone is refused", () => {
    const bytes = rename("__stop___jump_table", "__stop___hump_table");
    expect(errorOf(bytes, "vmlinux").message).toContain("__stop___jump_table is missing; expected both");
  });

  test("symbols around nothing are refused", () => {
    const bytes = fixtureBytes(merged);
    const elf = readElf(bytes);
    const stop = elf.symbols?.find(["__stop___jump_table"]).get("__stop___jump_table") ?? 0;
    const table = elf.sections.find(({ name }) => name === ".symtab")?.offset ?? 0;
    new DataView(bytes.buffer).setBigUint64(table + stop * 24 + 8, 0xffffffff81fffff0n, true);
    expect(errorOf(bytes, "vmlinux").message).toContain("is not within one section of the file");
  });

  test("a stripped kernel image is refused, not taken for one without sites", () => {
    const bytes = fixtureBytes(merged);
    const { sections } = readElf(bytes);
    const index = (name: string) => sections.findIndex((section) => section.name === name);
    patchSection(bytes, index(".symtab"), (view) => view.setUint32(4, 1, true));
    expect(findSites(readElf(bytes))).toEqual([]);
    const names = sections[index(".shstrtab")]?.offset ?? 0;
    const at = Buffer.from(bytes.buffer).indexOf("\0.init.data\0", names) + 1;
    bytes.set(text("__ksymtab\0"), at);
    expect(errorOf(bytes, "vmlinux").message).toContain("this kernel has no symbol table and no names of its own");
  });
});
