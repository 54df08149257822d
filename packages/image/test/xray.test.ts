import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findSites, hazards, isPadding, readElf } from "../src/index.js";
import { findMachine } from "../src/machines.js";

const fixtureBytes = (name: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
const read = (name: string) => findSites(readElf(fixtureBytes(name), { name }));

test.each(["xray.x86_64.o", "xray.x86_64.elf"])("%s: the sleds of XRay, with what is stored last at each", (name) => {
  const sites = read(name);
  expect(sites.map(({ symbol, sled, instruction }) => [symbol, sled, instruction])).toEqual([
    ["_start+0x0", "entry", "jmp8+nops"],
    ["_start+0x0", "entry-with-arguments", "jmp8+nops"],
    ["_start+0xc", "custom-event", "jmp8"],
    ["_start+0x20", "exit", "ret+nops"],
    [undefined, "entry", "unknown"],
    ["tail+0x0", "tail-exit", "jmp8+nops"],
  ]);
  expect(sites.map(({ length, boundaries, patched }) => [length, boundaries, patched.length])).toEqual([
    [11, [0, 2], 2],
    [11, [0, 2], 2],
    [2, [0], 2],
    [11, [0, 1], 2],
    [1, [0], 1],
    [11, [0, 2], 2],
  ]);
  expect(sites.map(hazards)[5]).toEqual(["multi-instruction"]);
});

test("a sled of a kind that is not known is refused", () => {
  const bytes = fixtureBytes("xray.x86_64.elf");
  const { sections } = readElf(bytes);
  bytes[(sections.find(({ name }) => name === "xray_instr_map")?.offset ?? 0) + 16] = 6;
  expect(() => findSites(readElf(bytes, { name: "f" }))).toThrow("entry 1: the kind of sled is 6; expected 0 to 5");
});

// As LLVM writes them: xray_AArch64.cpp, xray_arm.cpp; on RISC-V the compressed jump and the other.
test.each([
  [183, "08000014", "b", 32],
  [40, "050000ea", "b", 28],
  [243, "a1a0", "c.j", 72],
  [243, "6f004004", "j", 68],
  [62, "eb09", "jmp8", 11],
  [62, "eb00", "jmp8", 2],
])("machine %i: a sled that begins with %s", (machine, code, name, to) => {
  const bytes = new Uint8Array(Buffer.from(code, "hex"));
  expect(findMachine(machine)?.sled?.(bytes)).toMatchObject({ name, to });
  expect(findMachine(machine)?.sled?.(new Uint8Array(bytes.length))).toBeUndefined();
  expect(findMachine(machine)?.sled?.(bytes.subarray(0, 1))).toBeUndefined();
});

test("hot patching: of the no-operations those that a jump back takes are patched", () => {
  const [site] = read("hot.x86_64.o");
  expect(site).toMatchObject({ padding: 5, length: 7, patched: { at: 5, length: 2, instructions: 2 } });
  expect(site && isPadding(site)).toBe(false);
});
