import { describe, expect, test } from "vitest";
import { findSites, hazards, lineOffsets, readElf } from "../src/index.js";
import { fixtureBytes, fixtureSites, hexOf, site } from "./fixture.js";

// What `objdump -dr` and `readelf -r` of binutils 2.40 say of the fixtures.
const relocatable = `
 1 ftrace          .text       0x0   short_nops+0x0    e800000000
 2 jump-label      .text       0x4a  short_nops+0x4a   6690
 3 jump-label      .text       0x87  short_nops+0x87   6690
 4 ftrace          .text       0xa0  long_nops+0x0     e800000000
 5 jump-label      .text       0xc8  long_nops+0x28    0f1f440000
 6 jump-label      .text       0x11d long_nops+0x7d    0f1f440000
 7 jump-label      .text       0x17d long_nops+0xdd    0f1f440000
 8 ftrace          .text       0x198 jumps+0x0         e800000000
 9 jump-label      .text       0x1d0 jumps+0x38        eb4e
10 jump-label      .text       0x218 jumps+0x80        e903000000
11 ftrace          .text       0x230 far_jump+0x0      e800000000
12 jump-label      .text       0x260 far_jump+0x30     e900000000
13 ftrace          .text       0x273 static_calls+0x0  e800000000
14 static-call     .text       0x2a8 static_calls+0x35 e800000000
15 static-call     .text       0x2fe static_calls+0x8b e800000000
16 static-call     .text       0x343 static_calls+0xd0 e900000000
17 patchable-entry .text       0x350 five_nops+0x0     9090909090
18 patchable-entry .text       0x360 padded-0x10       90909090909090909090909090909090
19 patchable-entry .text       0x380 both-0x10         909090909090909090909090909090909090909090
20 ftrace          .text.loose 0x0   loose+0x0         e800000000
21 jump-label      .text.loose 0xd   loose+0xd         0f1f440000
22 patchable-entry .text.split 0x3e  split_nops+0x0    9090909090`;

const linked = `
 1 ftrace          .text 0x400140 short_nops+0x0    e88a040000
 2 jump-label      .text 0x40018a short_nops+0x4a   6690
 3 jump-label      .text 0x4001c7 short_nops+0x87   6690
 4 ftrace          .text 0x4001e0 long_nops+0x0     e8ea030000
 5 jump-label      .text 0x400208 long_nops+0x28    0f1f440000
 6 jump-label      .text 0x40025d long_nops+0x7d    0f1f440000
 7 jump-label      .text 0x4002bd long_nops+0xdd    0f1f440000
 8 ftrace          .text 0x4002d8 jumps+0x0         e8f2020000
 9 jump-label      .text 0x400310 jumps+0x38        eb4e
10 jump-label      .text 0x400358 jumps+0x80        e903000000
11 ftrace          .text 0x400370 far_jump+0x0      e85a020000
12 jump-label      .text 0x4003a0 far_jump+0x30     e96afdffff
13 ftrace          .text 0x4003b3 static_calls+0x0  e817020000
14 static-call     .text 0x4003e8 static_calls+0x35 e8eb010000
15 static-call     .text 0x40043e static_calls+0x8b e88d010000
16 static-call     .text 0x400483 static_calls+0xd0 e948010000
17 patchable-entry .text 0x400490 five_nops+0x0     9090909090
18 patchable-entry .text 0x4004a0 padded-0x10       90909090909090909090909090909090
19 patchable-entry .text 0x4004c0 both-0x10         909090909090909090909090909090909090909090
20 ftrace          .text 0x4004e0 loose+0x0         e8ea000000
21 jump-label      .text 0x4004ed loose+0xd         0f1f440000
22 patchable-entry .text 0x40057e split_nops+0x0    9090909090`;

const rows = (table: string) =>
  table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ +/));

test.each([
  ["patchsites.x86_64.o", relocatable],
  ["patchsites.x86_64.elf", linked],
] as const)("%s has the sites that binutils show", (name, table) => {
  const found = fixtureSites(name).map((s) => [
    `${s.number}`,
    s.kind,
    s.section,
    `0x${s.address.toString(16)}`,
    s.symbol,
    hexOf(s.bytes),
  ]);
  expect(found).toEqual(rows(table));
});

describe("a relocatable file", () => {
  const sites = fixtureSites("patchsites.x86_64.o");

  test("numbers the entries of each kind in the order of their table", () => {
    const order = (kind: string) => sites.filter((s) => s.kind === kind).map((s) => [s.index, s.number]);
    expect(order("jump-label")).toEqual([2, 3, 5, 6, 7, 9, 10, 12, 21].map((number, i) => [i + 1, number]));
    // static_calls stands before loose in .text, but after it in the table.
    expect(order("ftrace")).toEqual([
      [1, 1],
      [2, 4],
      [3, 8],
      [4, 11],
      [6, 13],
      [5, 20],
    ]);
    expect(order("static-call")).toEqual([
      [1, 14],
      [2, 15],
      [3, 16],
    ]);
    expect(order("patchable-entry")).toEqual([
      [1, 17],
      [3, 18],
      [4, 19],
      [2, 22],
    ]);
  });

  test("gives jump labels with key, target and state", () => {
    const labels = sites.filter((s) => s.kind === "jump-label");
    expect(labels.map((s) => [s.instruction, s.key, s.enabled, s.targetSection, Number(s.target)])).toEqual([
      ["nop2", "key_off", false, ".text", 0x90],
      ["nop2", "key_on", true, ".text", 0x90],
      ["nop5", "key_off", false, ".text", 0x188],
      ["nop5", "key_local", false, ".text", 0x188],
      ["nop5", "subsystem+0x10", false, ".text", 0x188],
      ["jmp8", "key_on", true, ".text", 0x220],
      ["jmp32", "key_off", false, ".text", 0x220],
      ["jmp32", "key_on", true, ".text.unlikely", 0xf],
      ["nop5", "key_off", false, ".text.loose", 0x18],
    ]);
  });

  test("names what a relocation at the site points to when its result is open", () => {
    expect(sites.filter((s) => s.kind === "ftrace").map((s) => s.relocated)).toEqual(Array(6).fill("__fentry__"));
    expect(site(sites, 12)).toMatchObject({
      relocated: "far_jump.cold",
      targetSection: ".text.unlikely",
      target: 0xfn,
    });
    expect(site(sites, 10).relocated).toBeUndefined();
    expect(site(sites, 1).target).toBeUndefined();
  });

  test("gives static calls with key, flags and target", () => {
    const local = { key: "__SCK__local", tail: false, init: false, relocated: "__SCT__local", target: 0n };
    expect(site(sites, 14)).toMatchObject({ ...local, targetSection: ".static_call.text", instruction: "call" });
    const other = { key: "__SCK__other", relocated: "__SCT__other" };
    expect(site(sites, 15)).toMatchObject({ ...other, tail: false, init: true, instruction: "call" });
    expect(site(sites, 16)).toMatchObject({ ...other, tail: true, init: false, instruction: "jmp32" });
    expect(site(sites, 16).target).toBeUndefined();
  });

  test("tells padding before a function from nops at its entry", () => {
    expect(site(sites, 17)).toMatchObject({ instruction: "nops", length: 5, padding: 0, boundaries: [0, 1, 2, 3, 4] });
    expect(site(sites, 18)).toMatchObject({ length: 16, padding: 16 });
    expect(site(sites, 19)).toMatchObject({ length: 21, padding: 16 });
    expect(hazards(site(sites, 18))).toEqual([]);
  });

  test("knows the offset in a line modulo the section's alignment only", () => {
    expect(site(sites, 7)).toMatchObject({ linked: false, alignment: 64, fixed: true });
    expect(lineOffsets(site(sites, 7))).toEqual([61]);
    expect(site(sites, 21)).toMatchObject({ linked: false, alignment: 16, fixed: false });
    expect(lineOffsets(site(sites, 21))).toEqual([13, 29, 45, 61]);
    expect(lineOffsets(site(sites, 21), 32)).toEqual([13, 29]);
    expect(lineOffsets(site(sites, 7), 128)).toEqual([61, 125]);
  });
});

test("applies a relocation within one section to a copy of the code", () => {
  const bytes = fixtureBytes("patchsites.x86_64.o");
  const { sections, symbols } = readElf(bytes);
  const relocations = sections.find(({ name }) => name === ".rela.text");
  const view = new DataView(bytes.buffer, relocations?.offset, relocations?.size);
  const at = Array.from({ length: view.byteLength / 24 }, (_, i) => i * 24).find(
    (i) => view.getUint32(i, true) === 0x2a9,
  );
  view.setUint32((at ?? 0) + 12, symbols?.find(["jumps"]).get("jumps") ?? 0, true);
  const before = bytes.slice();
  // From the end of the call at 0x2ad to jumps.
  const call = site(findSites(readElf(bytes)), 14);
  expect(call).toMatchObject({ target: 0x198n, targetSection: ".text" });
  expect(hexOf(call.bytes)).toBe("e8ebfeffff");
  expect(call.relocated).toBeUndefined();
  expect(bytes).toEqual(before);
});

describe("a linked file", () => {
  const sites = fixtureSites("patchsites.x86_64.elf");

  test("leaves nothing open", () => {
    expect(sites.every((s) => s.linked && s.fixed && s.relocated === undefined)).toBe(true);
    expect(lineOffsets(site(sites, 21))).toEqual([45]);
  });

  test("gives the destinations of branches and the targets of jump labels", () => {
    expect(sites.filter((s) => s.kind === "ftrace").map((s) => s.target)).toEqual(Array(6).fill(0x4005cfn));
    expect(sites.filter((s) => s.kind === "static-call").map((s) => s.target)).toEqual([
      0x4005d8n,
      0x4005d0n,
      0x4005d0n,
    ]);
    expect(site(sites, 12).target).toBe(0x40010fn);
    expect(site(sites, 21).target).toBe(0x4004f8n);
  });

  test("has the hazards that its source arranges", () => {
    const found = sites.map((s) => [s.number, lineOffsets(s)[0], hazards(s).join(" ")]);
    expect(found.filter(([, , list]) => list !== "")).toEqual([
      [3, 7, "crosses-8"],
      [6, 29, "crosses-8 crosses-32"],
      [7, 61, "crosses-8 crosses-32 crosses-line"],
      [15, 62, "crosses-8 crosses-32 crosses-line"],
      [17, 16, "multi-instruction"],
      [19, 0, "multi-instruction"],
      [21, 45, "crosses-8"],
      [22, 62, "crosses-8 crosses-32 crosses-line multi-instruction"],
    ]);
    expect(lineOffsets(site(sites, 5))).toEqual([8]);
  });
});

// Facts that do not hang on where the file is linked.
const placeless = (name: Parameters<typeof fixtureSites>[0]) =>
  fixtureSites(name).map((s) => [
    s.kind,
    s.index,
    s.symbol,
    s.instruction,
    s.length,
    s.key,
    s.enabled,
    s.padding,
    s.tail,
    s.init,
  ]);

test.each(["patchsites.x86_64.elf", "patchsites.merged.x86_64.elf", "patchsites.pie.x86_64.elf"] as const)(
  "%s has the same sites as the relocatable file",
  (name) => {
    expect(placeless(name)).toEqual(placeless("patchsites.x86_64.o"));
  },
);

test("finds merged tables by their symbols, at kernel addresses", () => {
  const sites = fixtureSites("patchsites.merged.x86_64.elf");
  expect(site(sites, 1).address).toBe(0xffffffff81000000n);
  expect(site(sites, 12)).toMatchObject({ section: ".text", target: 0xffffffff810003abn });
});

test("takes the addresses of a position-independent file from its dynamic relocations", () => {
  const sites = fixtureSites("patchsites.pie.x86_64.elf");
  expect(sites.filter((s) => s.kind === "ftrace").map((s) => Number(s.address))).toEqual([
    0x300, 0x3a0, 0x498, 0x530, 0x573, 0x6a0,
  ]);
});
