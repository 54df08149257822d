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
    ...(more.linked === false ? {} : { pageOffset: address % 4096 }),
    section: ".text",
    alignment: 16,
    fixed: true,
    length,
    bytes: new Uint8Array(length),
    instruction: "nop5",
    boundaries: [0],
    patched: { at: 0, length, instructions: 1 },
    fetchAlignment: 1,
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

test("only what the kernel rewrites counts", () => {
  const nops = { kind: "patchable-entry", instruction: "nops", padding: 16 } as const;
  const part = (length: number, instructions: number) => ({ patched: { at: 16, length, instructions } });
  expect(hazards(at(48, 21, { ...nops, ...part(5, 1) }))).toEqual([]);
  expect(hazards(at(48, 21, { ...nops, ...part(5, 2) }))).toEqual(["multi-instruction"]);
  expect(hazards(at(44, 21, { ...nops, ...part(5, 1) }))).toEqual(["crosses-8", "crosses-32", "crosses-line"]);
  expect(hazards(at(62, 16, { ...nops, ...part(0, 0) }))).toEqual([]);
});

test.each([
  [0, ""],
  [2, "misaligned"],
  [4, ""],
  [6, "crosses-8 misaligned"],
  [62, "crosses-8 crosses-32 crosses-line misaligned"],
])("a word at %i where words are fetched whole: %s", (address, expected) => {
  expect(hazards(at(address, 4, { fetchAlignment: 4 })).join(" ")).toBe(expected);
  expect(hazards(at(address, 4)).join(" ")).toBe(expected.replace(/ ?misaligned/, ""));
});

test("alignment is that of the part that is rewritten", () => {
  const patched = { at: 6, length: 4, instructions: 1 };
  expect(hazards(at(2, 10, { fetchAlignment: 4, patched }))).toEqual([]);
  expect(hazards(at(4, 10, { fetchAlignment: 4, patched }))).toEqual(["misaligned"]);
});

test("a literal stands in an aligned word of 8 bytes", () => {
  const entry = { fetchAlignment: 4, patched: { at: 12, length: 4, instructions: 1 } } as const;
  expect(hazards(at(8, 16, { ...entry, literal: 0 }))).toEqual([]);
  expect(hazards(at(12, 16, { ...entry, literal: 0 }))).toEqual(["misaligned"]);
  expect(hazards(at(12, 16, { ...entry, literal: 4 }))).toEqual([]);
  expect(hazards(at(12, 16, entry))).toEqual([]);
});

test("a target is out of reach only when that is known", () => {
  expect(hazards(at(0, 2, { inReach: false }))).toEqual(["out-of-reach"]);
  expect(hazards(at(0, 2, { inReach: true }))).toEqual([]);
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
