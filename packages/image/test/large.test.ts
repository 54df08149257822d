import { expect, test } from "vitest";
import { findSites, readElf } from "../src/index.js";
import { errorOf, fixtureBytes, fixtureSites, patchSection } from "./fixture.js";

// A file with more than 65,279 sections keeps numbers that do not fit elsewhere (System V ABI, chapter 4, "Sections"). The
// fixture is changed to do so with its few sections.
const name = "patchsites.x86_64.o";
const original = findSites(readElf(fixtureBytes(name)));

test("the number of sections and the index of their names can stand in section 0", () => {
  const bytes = fixtureBytes(name);
  const header = new DataView(bytes.buffer);
  patchSection(bytes, 0, (view) => {
    view.setBigUint64(32, BigInt(header.getUint16(60, true)), true);
    view.setUint32(40, header.getUint16(62, true), true);
  });
  header.setUint16(60, 0, true);
  header.setUint16(62, 0xffff, true);
  expect(findSites(readElf(bytes))).toEqual(original);
});

test("so they can in a file of 32 bits", () => {
  const small = "patchsites.armv7-t32.o";
  const bytes = fixtureBytes(small);
  const header = new DataView(bytes.buffer);
  patchSection(bytes, 0, (view) => {
    view.setUint32(20, header.getUint16(48, true), true);
    view.setUint32(24, header.getUint16(50, true), true);
  });
  header.setUint16(48, 0, true);
  header.setUint16(50, 0xffff, true);
  expect(findSites(readElf(bytes))).toEqual(fixtureSites(small));
});

/** Moves the section indices of all symbols to a table at the end of the file. */
function withWideIndices(tableType: number): Uint8Array {
  const plain = fixtureBytes(name);
  const { sections } = readElf(plain);
  const symtab = sections.find((section) => section.name === ".symtab") ?? expect.fail("no .symtab");
  const spare = sections.find((section) => section.name === ".comment") ?? expect.fail("no .comment");
  const count = symtab.size / 24;
  const bytes = new Uint8Array(plain.length + count * 4);
  bytes.set(plain);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    const at = symtab.offset + i * 24 + 6;
    const index = view.getUint16(at, true);
    if (index >= 0xff00) continue;
    view.setUint32(plain.length + i * 4, index, true);
    view.setUint16(at, 0xffff, true);
  }
  return patchSection(bytes, spare.index, (header) => {
    header.setUint32(4, tableType, true);
    header.setBigUint64(24, BigInt(plain.length), true);
    header.setBigUint64(32, BigInt(count * 4), true);
    header.setUint32(40, symtab.index, true);
  });
}

test("the sections of symbols can stand in a table of their own", () => {
  expect(findSites(readElf(withWideIndices(18)))).toEqual(original);
});

test("without that table the symbol is refused", () => {
  expect(errorOf(withWideIndices(1)).message).toMatch(/symbol \d+ has its section in a table that is not there/);
});
