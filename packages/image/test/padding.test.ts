import { expect, test } from "vitest";
import { findSites, hazards, readElf } from "../src/index.js";
import { fixtureBytes } from "./fixture.js";

/** The relocatable fixture with a function symbol moved, renamed or made no function, and its first ftrace entry moved. */
function changed(symbol: string, change: (entry: DataView, name: Uint8Array) => void, ftraceAt?: bigint) {
  const bytes = fixtureBytes("patchsites.x86_64.o");
  const { sections, symbols } = readElf(bytes);
  const offset = (name: string) => sections.find((section) => section.name === name)?.offset ?? 0;
  const index = symbols?.find([symbol]).get(symbol) ?? expect.fail(`${symbol} is not in the fixture`);
  const entry = new DataView(bytes.buffer, offset(".symtab") + index * 24, 24);
  change(entry, bytes.subarray(offset(".strtab") + entry.getUint32(0, true)));
  const relocations = new DataView(bytes.buffer, offset(".rela__mcount_loc"), 24);
  if (ftraceAt !== undefined) relocations.setBigInt64(16, ftraceAt, true);
  return findSites(readElf(bytes)).filter((site) => site.kind === "patchable-entry" && site.address === 0x360n);
}

test("padding can have a symbol of its own", () => {
  const sites = changed("far_jump", (entry, name) => {
    entry.setBigUint64(8, 0x360n, true);
    name.set(new TextEncoder().encode("__pfx_f\0"));
  });
  expect(sites).toMatchObject([{ symbol: "__pfx_f+0x0", padding: 16, length: 16 }]);
});

test("a function of that size that starts there has no padding", () => {
  const sites = changed("far_jump", (entry) => entry.setBigUint64(8, 0x360n, true));
  expect(sites).toMatchObject([{ symbol: "far_jump+0x0", padding: 0, length: 16 }]);
  expect(sites.flatMap(hazards)).toEqual(["crosses-8", "multi-instruction"]);
});

const withoutSymbol = (entry: DataView) => entry.setUint8(4, 0x10);

test.each([0x370n, 0x374n])("an ftrace site at %x tells padding whose function lost its symbol", (at) => {
  const sites = changed("padded", withoutSymbol, at);
  expect(sites).toMatchObject([{ padding: 16, length: 16 }]);
  expect(sites[0]?.symbol).toBeUndefined();
});

test("without symbol and ftrace site nops are taken to be executed", () => {
  expect(changed("padded", withoutSymbol, 0x375n)).toMatchObject([{ padding: 0, length: 16 }]);
});

test("a run of nops ends at the next site", () => {
  expect(changed("padded", withoutSymbol, 0x368n)).toMatchObject([{ padding: 8, length: 8 }]);
});
