import { expect, test } from "vitest";
import { arm64 } from "../src/machines/arm64.js";
import { siteKinds } from "../src/sites.js";
import { bytes, expectBranch, word } from "./branches.js";

test.each<[string, number, readonly string[], string]>([
  ["nop", 0xd503201f, ["jump-label", "ftrace", "static-call", "patchable-entry", "xray-sled"], "nop"],
  ["b .+8", 0x14000002, ["jump-label"], "b"],
  ["bl .+8", 0x94000002, ["ftrace"], "bl"],
  ["b.eq .+8", 0x54000040, [], ""],
  ["brk #4", 0xd4200080, [], ""],
  ["mov x9, lr", 0xaa1e03e9, [], ""],
])("%s", (_, code, kinds, name) => {
  for (const kind of siteKinds) {
    expect(arm64.siteInstruction(kind, word(code))?.name, kind).toBe(kinds.includes(kind) ? name : undefined);
    expect(arm64.siteInstruction(kind, word(code).subarray(0, 3)), kind).toBeUndefined();
  }
});

// What the assembler of binutils 2.40 makes of them.
test.each([
  [0x14000002, 8],
  [0x17ffffff, -4],
  [0x15ffffff, 0x7fffffc],
  [0x16000000, -0x8000000],
])("b %x leads over %i bytes", (code, distance) => {
  expectBranch(arm64, "jump-label", word(code), distance);
});

test("bl leads as far", () => {
  expectBranch(arm64, "ftrace", word(0x95555555), 0x5555554);
  expect(arm64.siteInstruction("jump-label", word(0xd503201f))?.reach).toEqual({ least: -0x8000000, most: 0x7fffffc });
});

test.each([
  [0xd503201f, 4, 0],
  [0xd503241f, 0, 4],
  [0xd503245f, 0, 4],
  [0xd503249f, 0, 4],
  [0xd50324df, 0, 4],
  [0xd503233f, 0, 0],
  [0xd503203f, 0, 0],
])("%x as nop and as landing pad", (code, nop, pad) => {
  expect(arm64.nopLength(word(code), 0)).toBe(nop);
  expect(arm64.entry?.landingPad(word(code))).toBe(pad);
  expect(arm64.nopLength(word(code), 1)).toBe(0);
  expect(arm64.entry?.landingPad(bytes("5f 24 03"))).toBe(0);
});

// AAELF64 2023Q3, §5.7.
test.each([
  [257, "R_AARCH64_ABS64", 8, 0x1008],
  [258, "R_AARCH64_ABS32", 4, 0x1008],
  [260, "R_AARCH64_PREL64", 8, 0x1008 - 0x400],
  [261, "R_AARCH64_PREL32", 4, 0x1008 - 0x400],
  [282, "R_AARCH64_JUMP26", 4, 0x1008 - 0x400],
  [283, "R_AARCH64_CALL26", 4, 0x1008 - 0x400],
  [1027, "R_AARCH64_RELATIVE", 8, 8],
])("relocation %i is %s", (type, name, size, value) => {
  expect(arm64.relocations.types[type]).toEqual({ name, size });
  expect(arm64.relocations.apply(type, { symbol: 0x1000, addend: 8, place: 0x400, field: 7 })).toBe(value);
});
