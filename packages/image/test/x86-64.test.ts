import { expect, test } from "vitest";
import { x86_64 } from "../src/machines/x86-64.js";
import { type SiteKind, siteKinds } from "../src/sites.js";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));

test.each<[string, string, readonly SiteKind[]]>([
  ["66 90 00", "nop2", ["jump-label"]],
  ["0f 1f 44 00 00", "nop5", ["jump-label", "ftrace", "static-call"]],
  ["eb 10", "jmp8", ["jump-label"]],
  ["e9 10 00 00 00", "jmp32", ["jump-label", "ftrace", "static-call"]],
  ["e8 10 00 00 00", "call", ["ftrace", "static-call"]],
  ["2e 2e 2e 31 c0", "xor5", ["static-call"]],
  ["c3 cc cc cc cc", "ret5", ["static-call"]],
  ["67 48 0f b9 3a", "warn5", ["static-call"]],
  ["3e 3e c6 07 00", "unlock5", ["static-call"]],
  ["0f 84 10 00 00 00", "jcc32", ["static-call"]],
  ["cc 1f 44 00 00", "", []],
  ["0f 1f 44 00 08", "", []],
  ["e8 10 00 00", "", []],
  ["0f 84 10 00 00", "", []],
  ["", "", []],
])("%s is %s", (code, name, kinds) => {
  for (const kind of siteKinds) {
    expect(x86_64.siteInstruction(kind, bytes(code))?.name, kind).toBe(kinds.includes(kind) ? name : undefined);
  }
});

// Intel SDM vol. 2B, NOP, table 4-12 "Recommended Multi-Byte Sequence of NOP Instruction", and what assemblers add.
test.each([
  ["90", 1],
  ["66 90", 2],
  ["0f 1f 00", 3],
  ["0f 1f 40 00", 4],
  ["0f 1f 44 00 00", 5],
  ["66 0f 1f 44 00 00", 6],
  ["0f 1f 80 00 00 00 00", 7],
  ["0f 1f 84 00 00 00 00 00", 8],
  ["66 0f 1f 84 00 00 00 00 00", 9],
  ["66 66 2e 0f 1f 84 00 00 00 00 00", 11],
  ["0f 1f 05 00 00 00 00", 7],
  ["0f 1f 04 05 00 00 00 00", 8],
  ["0f 1f 44 00", 0],
  ["0f 1f", 0],
  ["0f 1f 08", 0],
  ["0f 1f c0", 0],
  ["0f 0b", 0],
  ["66", 0],
  ["f3 90", 0],
  ["66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", 0],
  ["", 0],
])("the nop in %s has %i bytes", (code, length) => {
  expect(x86_64.nopLength(bytes(code), 0)).toBe(length);
  expect(x86_64.nopLength(bytes(`cc${code}`), 1)).toBe(length);
});

// AMD64 psABI 1.0, §4.4.
test.each([
  [1, "R_X86_64_64", 8, 0x1008],
  [2, "R_X86_64_PC32", 4, 0x1008 - 0x400],
  [4, "R_X86_64_PLT32", 4, 0x1008 - 0x400],
  [8, "R_X86_64_RELATIVE", 8, 8],
  [10, "R_X86_64_32", 4, 0x1008],
  [11, "R_X86_64_32S", 4, 0x1008],
  [24, "R_X86_64_PC64", 8, 0x1008 - 0x400],
])("relocation %i is %s", (type, name, size, value) => {
  expect(x86_64.relocations.types[type]).toEqual({ name, size });
  expect(x86_64.relocations.apply(type, { symbol: 0x1000, addend: 8, place: 0x400, field: 7 })).toBe(value);
});
