import { expect, test } from "vitest";
import { riscv64 } from "../src/machines/riscv64.js";
import { siteKinds } from "../src/sites.js";
import { bytes, expectBranch, word } from "./branches.js";

test.each<[string, string, string]>([
  ["nop", "13 00 00 00", "nop"],
  ["jal zero, .+8", "6f 00 80 00", "jal"],
  ["jal ra, .+8", "ef 00 80 00", ""],
  ["auipc t0, 0", "97 02 00 00", ""],
  ["c.nop, c.nop", "01 00 01 00", ""],
  ["c.j .", "01 a0 01 00", ""],
  ["cut off", "13 00 00", ""],
])("%s at a jump label", (_, code, name) => {
  for (const kind of siteKinds) {
    const expected = kind === "jump-label" && name !== "" ? name : undefined;
    expect(riscv64.siteInstruction(kind, bytes(code))?.name, kind).toBe(expected);
  }
});

// What the assembler of binutils 2.40 makes of them.
test.each([
  [0x0080006f, 8],
  [0xfffff06f, -2],
  [0x7ff7f06f, 0x7fffe],
  [0x8008006f, -0x80000],
  [0x2abaa06f, 0xaaaaa],
  [0x5545506f, 0x55554],
])("jal %x leads over %i bytes", (code, distance) => {
  expectBranch(riscv64, "jump-label", word(code), distance);
});

test("the kernel uses half of a jump's reach", () => {
  expect(riscv64.siteInstruction("jump-label", word(0x13))?.reach).toEqual({ least: -0x80000, most: 0x7fffe });
});

test.each([
  ["01 00", 2],
  ["01 00 01 00", 2],
  ["13 00 00 00", 4],
  ["13 00", 0],
  ["01", 0],
  ["02 00", 0],
  ["93 00 00 00", 0],
])("the nop in %s has %i bytes", (code, length) => {
  expect(riscv64.nopLength(bytes(code), 0)).toBe(length);
  expect(riscv64.nopLength(bytes(`9002${code}`), 2)).toBe(length);
});

// RISC-V ELF psABI 1.0, "Relocations".
test.each([
  [1, "R_RISCV_32", 4, 0x1008],
  [2, "R_RISCV_64", 8, 0x1008],
  [3, "R_RISCV_RELATIVE", 8, 8],
  [17, "R_RISCV_JAL", 4, 0x1008 - 0x400],
  [35, "R_RISCV_ADD32", 4, 7 + 0x1008],
  [36, "R_RISCV_ADD64", 8, 7 + 0x1008],
  [39, "R_RISCV_SUB32", 4, 7 - 0x1008],
  [40, "R_RISCV_SUB64", 8, 7 - 0x1008],
  [57, "R_RISCV_32_PCREL", 4, 0x1008 - 0x400],
])("relocation %i is %s", (type, name, size, value) => {
  expect(riscv64.relocations.types[type]).toEqual({ name, size });
  expect(riscv64.relocations.apply(type, { symbol: 0x1000, addend: 8, place: 0x400, field: 7 })).toBe(value);
});
