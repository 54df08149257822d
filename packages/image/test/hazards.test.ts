import { InputError } from "@cmodx/core";
import { expect, test } from "vitest";
import { hazardKinds, hazards, lineOffsets, type PatchSite } from "../src/index.js";

function at(address: number, length: number, more: Partial<PatchSite> = {}): PatchSite {
  return {
    kind: "jump-label",
    number: 1,
    index: 1,
    linked: true,
    address: BigInt(address),
    section: ".text",
    alignment: 16,
    fixed: true,
    length,
    bytes: new Uint8Array(length),
    instruction: "nop5",
    boundaries: [0],
    ...more,
  };
}

test.each([
  [0, 5, ""],
  [3, 5, ""],
  [4, 5, "crosses-8"],
  [6, 2, ""],
  [7, 2, "crosses-8"],
  [27, 5, ""],
  [28, 5, "crosses-8 crosses-32"],
  [59, 5, ""],
  [60, 5, "crosses-8 crosses-32 crosses-line"],
  [63, 2, "crosses-8 crosses-32 crosses-line"],
  [64, 8, ""],
  [4091, 5, ""],
  [4092, 5, "crosses-8 crosses-32 crosses-line crosses-page"],
])("%i bytes into a page, %i long: %s", (address, length, expected) => {
  expect(hazards(at(address, length)).join(" ")).toBe(expected);
});

test("only what is executed counts", () => {
  const nops = { kind: "patchable-entry", instruction: "nops" } as const;
  expect(hazards(at(48, 21, { ...nops, padding: 16, boundaries: [0, 16] }))).toEqual([]);
  expect(hazards(at(48, 21, { ...nops, padding: 16, boundaries: [0, 16, 20] }))).toEqual(["multi-instruction"]);
  expect(hazards(at(62, 16, { ...nops, padding: 16, boundaries: [0, 1] }))).toEqual([]);
});

test("an unknown opcode hides everything else", () => {
  expect(hazards(at(63, 1, { instruction: "unknown" }))).toEqual(["unknown-opcode"]);
  expect(hazardKinds).toContain("unknown-opcode");
});

test("all congruent offsets are given while the section has no address", () => {
  const open = { linked: false, fixed: false };
  expect(lineOffsets(at(0x125, 5, { ...open, alignment: 32 }))).toEqual([5, 37]);
  expect(lineOffsets(at(0x125, 5, { ...open, alignment: 4096 }))).toEqual([37]);
  expect(lineOffsets(at(0x125, 5, { ...open, alignment: 1 }), 4)).toEqual([0, 1, 2, 3]);
  expect(lineOffsets(at(0x125, 5), 4096)).toEqual([0x125]);
});

test.each([0, -64, 48, 8192, Number.NaN, 1.5])("a line of %d bytes is refused", (line) => {
  expect(() => lineOffsets(at(0, 5), line)).toThrow(InputError);
});
