import { describe, expect, test } from "vitest";
import { armv7 } from "../src/machines/armv7.js";
import { siteKinds } from "../src/sites.js";
import { bytes, expectBranch, word } from "./branches.js";

// What the assembler of binutils 2.40 makes of them; halfwords of Thumb in the order in which they lie in memory.
describe.each<["a32" | "t32", readonly (readonly [string, string, string, string])[]]>([
  [
    "a32",
    [
      ["nop", "00 f0 20 e3", "jump-label", "nop"],
      ["mov r0, r0", "00 00 a0 e1", "jump-label", "mov r0, r0"],
      ["b .+8", "00 00 00 ea", "jump-label", "b"],
      ["bl .+8", "00 00 00 eb", "ftrace", "bl"],
      ["add sp, sp, #4", "04 d0 8d e2", "ftrace", "add sp, sp, #4"],
      ["bleq .+8", "00 00 00 0b", "", ""],
      ["push {lr}", "04 e0 2d e5", "", ""],
      ["nop.w", "af f3 00 80", "", ""],
      ["cut off", "00 f0 20", "", ""],
    ],
  ],
  [
    "t32",
    [
      ["nop.w", "af f3 00 80", "jump-label", "nop.w"],
      ["b.w .+4", "00 f0 00 b8", "jump-label", "b.w"],
      ["bl .+4", "00 f0 00 f8", "ftrace", "bl"],
      ["bl .+0x800004", "00 f0 00 d8", "ftrace", "bl"],
      ["add.w sp, sp, #4", "0d f1 04 0d", "ftrace", "add.w sp, sp, #4"],
      ["nop, nop", "00 bf 00 bf", "", ""],
      ["b.n .+4", "00 e0 00 bf", "", ""],
      ["blx .+4", "00 f0 00 e8", "", ""],
      ["nop of A32", "00 f0 20 e3", "", ""],
      ["cut off", "af f3 00", "", ""],
    ],
  ],
])("%s", (mode, rows) => {
  test.each(rows)("%s", (_, code, of, name) => {
    for (const kind of siteKinds) {
      expect(armv7.siteInstruction(kind, bytes(code), mode)?.name, kind).toBe(kind === of ? name : undefined);
    }
  });
});

test.each([
  [0xea000000, 8],
  [0xeafffffc, -8],
  [0xea7fffff, 0x2000004],
  [0xea800000, -0x1fffff8],
])("A32: b %x leads over %i bytes", (code, distance) => {
  expectBranch(armv7, "jump-label", word(code), distance, "a32");
});

test.each([
  ["00 f0 00 b8", 4],
  ["00 f0 02 b8", 8],
  ["ff f7 fd bf", -2],
  ["ff f3 ff 97", 0x1000002],
  ["00 f4 00 90", -0xfffffc],
  ["aa f2 55 9d", 0xaaaaae],
  ["aa f6 54 b5", -0x555554],
])("T32: b.w %s leads over %i bytes", (code, distance) => {
  expectBranch(armv7, "jump-label", bytes(code), distance, "t32");
});

test("calls lead as far", () => {
  expectBranch(armv7, "ftrace", word(0xeb555553), 0x1555554, "a32");
  expectBranch(armv7, "ftrace", bytes("00 f0 00 f0"), 0x400004, "t32");
  expectBranch(armv7, "ftrace", bytes("00 f4 00 f8"), -0x3ffffc, "t32");
  expectBranch(armv7, "ftrace", bytes("00 f0 00 d8"), 0x800004, "t32");
  const reach = (code: string, mode: string) => armv7.siteInstruction("jump-label", bytes(code), mode)?.reach;
  expect(reach("00 f0 20 e3", "a32")).toEqual({ least: -0x1fffff8, most: 0x2000004 });
  expect(reach("af f3 00 80", "t32")).toEqual({ least: -0xfffffc, most: 0x1000002 });
});

test.each([
  ["00 f0 20 e3", 4, 0],
  ["00 00 a0 e1", 4, 0],
  ["af f3 00 80", 0, 4],
  ["00 bf 00 bf", 0, 2],
  ["00 bf", 0, 2],
  ["af f3", 0, 0],
  ["00", 0, 0],
])("the nop in %s has %i bytes in A32, %i in T32", (code, a32, t32) => {
  expect(armv7.nopLength(bytes(code), 0, "a32")).toBe(a32);
  expect(armv7.nopLength(bytes(code), 0, "t32")).toBe(t32);
});

test("modes are told by mapping symbols and by bit 0 of functions", () => {
  const { modes } = armv7;
  expect(["$a", "$a.12", "$t", "$t.x", "$d", "$ab", "$x", "a", ""].map((name) => modes?.ofMappingSymbol(name))).toEqual(
    ["a32", "a32", "t32", "t32", undefined, undefined, undefined, undefined, undefined],
  );
  expect([0x8000, 0x8001].map((value) => modes?.ofFunction(value))).toEqual(["a32", "t32"]);
});

// AAELF32 2023Q3, §5.6, without T.
test.each([
  [1, "R_ARM_PC24", 0x1008 - 0x400],
  [2, "R_ARM_ABS32", 0x1008],
  [3, "R_ARM_REL32", 0x1008 - 0x400],
  [10, "R_ARM_THM_CALL", 0x1008 - 0x400],
  [23, "R_ARM_RELATIVE", 8],
  [28, "R_ARM_CALL", 0x1008 - 0x400],
  [29, "R_ARM_JUMP24", 0x1008 - 0x400],
  [30, "R_ARM_THM_JUMP24", 0x1008 - 0x400],
])("relocation %i is %s", (type, name, value) => {
  expect(armv7.relocations.types[type]).toEqual({ name, size: 4 });
  expect(armv7.relocations.apply(type, { symbol: 0x1000, addend: 8, place: 0x400, field: 8 })).toBe(value);
});
