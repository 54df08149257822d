import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findSites, otherTables, readElf } from "../src/index.js";

const read = (name: string) =>
  readElf(new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url))), { name });

test.each([
  ["tables.x86_64.o", 6],
  // As many bytes of shorter entries.
  ["tables-6.1.x86_64.o", 7],
])("%s: entries of tables that list no sites", (name, alternatives) => {
  expect(otherTables(read(name))).toEqual({ alternatives, "kprobe-blacklist": 3 });
});

test("a table that is not there is not counted", () => {
  expect(otherTables(read("patchsites.x86_64.elf"))).toEqual({});
});

test("a table that is no whole number of entries is refused", () => {
  const bytes = new Uint8Array(readFileSync(new URL("../fixtures/tables.x86_64.o", import.meta.url)));
  const view = new DataView(bytes.buffer);
  const headers = Number(view.getBigUint64(0x28, true));
  // sh_size of _kprobe_blacklist, the sixth section.
  view.setBigUint64(headers + 6 * 64 + 32, 23n, true);
  expect(() => otherTables(readElf(bytes, { name: "cut" }))).toThrow(
    "cut: section 6 (_kprobe_blacklist): the table has 23 bytes; expected a multiple of 8",
  );
});

test("position-independent code calls the tracer through a pointer", () => {
  const [site] = findSites(read("fentry.pie.x86_64.o"));
  expect(site).toMatchObject({
    kind: "ftrace",
    instruction: "call-got",
    length: 6,
    relocated: "__fentry__",
    symbol: "f+0x0",
  });
});
