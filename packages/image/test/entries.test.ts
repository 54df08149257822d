import { describe, expect, test } from "vitest";
import { findSites, hazards, lineOffsets, type PatchSite, readElf } from "../src/index.js";
import { type Fixture, fixtureBytes, fixtureSites, hexOf, sectionIndex, site } from "./fixture.js";

// Places and code are what `objdump -dr` and `readelf -r` of binutils 2.40 say of the fixtures; offsets in a line and hazards are
// those that entries.c arranges.

const rows = (sites: readonly PatchSite[]) =>
  sites.map((each) =>
    [
      each.number,
      each.kind,
      `0x${each.address.toString(16)}`,
      each.symbol,
      hexOf(each.bytes),
      `+${lineOffsets(each)[0]}`,
      ...hazards(each),
    ].join(" "),
  );

const expected = (table: string) =>
  table
    .trim()
    .split("\n")
    .map((line) => line.trim().replace(/ +/g, " "));

const count = (sites: readonly PatchSite[], ...names: string[]) =>
  names.map((name) => sites.filter((each) => (hazards(each) as string[]).includes(name)).length);

const labels = (sites: readonly PatchSite[]) => sites.filter(({ kind }) => kind === "jump-label");

/** Facts that do not hang on where the file is linked, in an order that does not either. */
const placeless = (name: Fixture) =>
  fixtureSites(name)
    .map(({ kind, symbol, instruction, length, mode, key, enabled, padding, literal, patched, boundaries }) =>
      JSON.stringify({ kind, symbol, instruction, length, mode, key, enabled, padding, literal, patched, boundaries }),
    )
    .sort();

test.each<[Fixture, Fixture]>([
  ["patchsites.arm64.elf", "patchsites.arm64.o"],
  ["patchsites.merged.arm64.elf", "patchsites.arm64.o"],
  ["patchsites.riscv64-6.12.elf", "patchsites.riscv64-6.12.o"],
  ["patchsites.riscv64-call-ops.elf", "patchsites.riscv64-call-ops.o"],
  ["patchsites.armv7-a32.elf", "patchsites.armv7-a32.o"],
  ["patchsites.armv7-t32.elf", "patchsites.armv7-t32.o"],
  ["patchsites.merged.armv7-t32.elf", "patchsites.armv7-t32.o"],
])("%s has the sites of %s", (linked, relocatable) => {
  expect(placeless(linked)).toEqual(placeless(relocatable));
});

// The keys of entries.c, in the order of its branches.
const keyed = [
  ["key_off", false],
  ["key_on", true],
  ["key_local", false],
  ["subsystem+0x10", true],
  ["key_on", true],
] as const;

test.each<[Fixture, string, string]>([
  ["patchsites.arm64.o", "nop", "b"],
  ["patchsites.riscv64-6.12.o", "nop", "jal"],
  ["patchsites.riscv64-call-ops.o", "nop", "jal"],
  ["patchsites.armv7-a32.o", "nop", "b"],
  ["patchsites.armv7-t32.o", "nop.w", "b.w"],
])("%s: jump labels with key, state, instruction and target", (name, nop, branch) => {
  const found = labels(fixtureSites(name)).slice(0, 5);
  expect(found.map(({ key, enabled }) => [key, enabled])).toEqual(keyed);
  expect(found.map(({ instruction }) => instruction)).toEqual([nop, nop, branch, branch, branch]);
  const inside = found.slice(0, 4);
  expect(new Set(inside.map(({ target }) => target)).size).toBe(1);
  expect(inside.map(({ targetSection, inReach, relocated }) => [targetSection, inReach, relocated])).toEqual(
    Array(4).fill([".text", true, undefined]),
  );
  // The entry of `rare` lies behind a literal where there is one.
  expect(found[4]).toMatchObject({ relocated: "rare", targetSection: ".text.far" });
  expect(found[4]?.target).toBe(name.includes("arm64") || name.includes("call-ops") ? 8n : 0n);
  expect(found[4]?.inReach).toBeUndefined();
});

test("a branch leads to the target that its table gives", () => {
  for (const name of ["arm64", "riscv64-6.12", "riscv64-call-ops", "armv7-a32", "armv7-t32"] as const) {
    const linked = labels(fixtureSites(`patchsites.${name}.elf`));
    expect(linked.length, name).toBeGreaterThan(5);
    for (const each of linked) expect(each.inReach, name).toBe(true);
    const far = linked.find(({ symbol }) => symbol?.startsWith("far_jump"));
    const elf = readElf(fixtureBytes(`patchsites.${name}.elf`));
    const rare = elf.symbols?.find(["rare"]).get("rare") ?? 0;
    const value = BigInt(elf.symbols?.value(rare) ?? 0);
    expect(far?.target, name).toBe(name === "armv7-t32" ? value - 1n : value);
  }
});

describe("arm64", () => {
  const sites = fixtureSites("patchsites.arm64.o");
  const [nop, pad] = ["1f2003d5", "5f2403d5"];

  test("has the sites that binutils show", () => {
    expect(rows(sites)).toEqual(
      expected(`
         1 patchable-entry 0x0   labels-0x8      ${nop.repeat(4)}             +0
         2 jump-label      0x50  labels+0x48     ${nop}                       +16
         3 jump-label      0x9c  labels+0x94     ${nop}                       +28
         4 jump-label      0xe8  labels+0xe0     18000014                     +40
         5 jump-label      0x13c labels+0x134    03000014                     +60
         6 patchable-entry 0x160 far_jump-0x8    ${nop.repeat(4)}             +32
         7 jump-label      0x1a0 far_jump+0x38   00000014                     +32
         8 patchable-entry 0x1c0 entry_0-0x8     ${nop.repeat(4)}             +0
         9 patchable-entry 0x200 entry_2-0x8     ${nop.repeat(4)}             +0
        10 patchable-entry 0x260 entry_28-0x8    ${nop.repeat(4)}             +32
        11 patchable-entry 0x2b0 entry_46-0x8    ${nop.repeat(4)}             +48
        12 patchable-entry 0x338 entry_58-0x8    ${nop.repeat(4)}             +56
        13 patchable-entry 0x3c0 entry_60-0x8    ${nop.repeat(4)}             +0
        14 patchable-entry 0x440 entry_62-0x8    ${nop.repeat(4)}             +0
        15 patchable-entry 0x460 landing-0x8     ${nop.repeat(2)}${pad}${nop.repeat(2)} +32
        16 patchable-entry 0x480 plain+0x0       ${nop.repeat(2)}             +0
        17 patchable-entry 0x0   rare-0x8        ${nop.repeat(4)}             +0
        18 patchable-entry 0x0   loose-0x8       ${nop.repeat(4)}             +0
        19 jump-label      0x10  loose+0x8       ${nop}                       +0
        20 patchable-entry 0x0   cold_before-0x8 ${nop.repeat(4)}             +0
        21 patchable-entry 0x1c  cold-0x8        ${nop.repeat(4)}             +0 misaligned`),
    );
  });

  test("of an entry the second nop changes, behind the literal and a landing pad", () => {
    const patched = (number: number) => site(sites, number);
    const one = { length: 4, instructions: 1 };
    expect(patched(1)).toMatchObject({ padding: 8, literal: 0, length: 16, patched: { at: 12, ...one } });
    expect(patched(15)).toMatchObject({ padding: 8, literal: 0, length: 20, patched: { at: 16, ...one } });
    expect(patched(15).boundaries).toEqual([0, 4, 8, 12, 16]);
    expect(patched(16)).toMatchObject({ padding: 0, length: 8, patched: { at: 4, ...one } });
    expect(patched(16).literal).toBeUndefined();
    expect(patched(2)).toMatchObject({ patched: { at: 0, ...one }, fetchAlignment: 4 });
    expect(sites.some(({ mode }) => mode !== undefined)).toBe(false);
  });

  test("the offset in a line is open where the section is aligned to less", () => {
    expect(lineOffsets(site(sites, 1))).toEqual([0]);
    expect(lineOffsets(site(sites, 19))).toEqual([0, 8, 16, 24, 32, 40, 48, 56]);
  });

  test("nops behind the start of a function are no padding, however many", () => {
    const bytes = fixtureBytes("patchsites.arm64.o");
    const { sections } = readElf(bytes);
    // The entry of `labels` is moved four nops into the function's own.
    const relocations = sections[sectionIndex(bytes, ".rela__patchable_function_entries")] ?? expect.fail("none");
    const view = new DataView(bytes.buffer, relocations.offset, relocations.size);
    const at = Array.from({ length: view.byteLength / 24 }, (_, i) => i * 24 + 16);
    const entry = at.find((addend) => view.getBigInt64(addend, true) === 0x200n) ?? expect.fail("no entry_2");
    view.setBigInt64(entry, 0x54n, true);
    const moved = findSites(readElf(bytes)).find(({ address, section }) => section === ".text" && address === 0x54n);
    expect(moved).toMatchObject({ symbol: "labels+0x4c", padding: 0, length: 8 });
  });

  test("an entry without a nop behind its literal and landing pad is unknown", () => {
    const bytes = fixtureBytes("patchsites.arm64.o");
    const text = readElf(bytes).sections[sectionIndex(bytes, ".text")] ?? expect.fail("no code");
    for (const entry of [0x8, 0x470]) bytes.fill(0, text.offset + entry - 4, text.offset + entry + 4);
    bytes.fill(0, text.offset + 0x46c, text.offset + 0x470);
    bytes.set([0x1f, 0x20, 0x03, 0xd5], text.offset + 0x4);
    bytes.set([0x5f, 0x24, 0x03, 0xd5], text.offset + 0x468);
    const unknown = findSites(readElf(bytes)).filter(({ instruction }) => instruction === "unknown");
    expect(unknown.map(({ number, length, padding }) => [number, length, padding])).toEqual([
      [1, 1, 0],
      [15, 1, 0],
    ]);
    expect(unknown.flatMap(hazards)).toEqual(["unknown-opcode", "unknown-opcode"]);
  });

  test("a literal that no function's alignment keeps in one word stays so when it is linked", () => {
    expect(count(fixtureSites("patchsites.arm64.elf"), "misaligned", "crosses-8", "multi-instruction")).toEqual([
      1, 0, 0,
    ]);
  });

  test("merged tables are found by their symbols, their addresses by dynamic relocations", () => {
    const merged = fixtureSites("patchsites.merged.arm64.elf");
    expect(merged[0]).toMatchObject({ kind: "patchable-entry", address: 0xffff800080000000n, symbol: "labels-0x8" });
    expect(merged[6]).toMatchObject({ symbol: "far_jump+0x38", target: 0xffff8000800004a0n });
  });

  test("without function symbols the room for a literal tells the entry", () => {
    const bytes = fixtureBytes("patchsites.arm64.elf");
    const { sections } = readElf(bytes);
    const symtab = sections[sectionIndex(bytes, ".symtab")] ?? expect.fail("no symbols");
    for (let at = symtab.offset; at < symtab.offset + symtab.size; at += 24) bytes[at + 4] = 0;
    const entries = findSites(readElf(bytes)).filter(({ kind }) => kind === "patchable-entry");
    const known = fixtureSites("patchsites.arm64.elf").filter(({ kind }) => kind === "patchable-entry");
    const facts = (all: readonly PatchSite[]) =>
      all.filter(({ boundaries }) => boundaries.length !== 5).map(({ padding, patched }) => [padding, patched]);
    // `landing` is left out: its landing pad ends the run.
    expect(facts(entries).filter(([padding]) => padding === 8)).toEqual(
      facts(known).filter(([padding]) => padding === 8),
    );
    expect(entries.filter(({ padding }) => padding === 0).length).toBe(2);
  });
});

describe("riscv64", () => {
  const old = fixtureSites("patchsites.riscv64-6.12.elf");
  const callOps = fixtureSites("patchsites.riscv64-call-ops.elf");
  const [nop, nops] = ["13000000", "0100".repeat(4)];

  test("6.12: entries of eight bytes at 2-byte boundaries", () => {
    expect(rows(old)).toEqual(
      expected(`
         1 patchable-entry 0x10140 labels+0x0       ${nops}  +0  multi-instruction
         2 jump-label      0x10190 labels+0x50      ${nop}   +16
         3 jump-label      0x101dc labels+0x9c      ${nop}   +28
         4 jump-label      0x10228 labels+0xe8      6f00c005 +40
         5 jump-label      0x1027c labels+0x13c     6f008000 +60
         6 patchable-entry 0x1029a far_jump+0x0     ${nops}  +26 crosses-8 crosses-32 misaligned multi-instruction
         7 jump-label      0x102e0 far_jump+0x46    6f00003e +32
         8 patchable-entry 0x102e8 straddling+0x0   ${nops}  +40 multi-instruction
         9 jump-label      0x10302 straddling+0x1a  ${nop}   +2  misaligned
        10 jump-label      0x10346 straddling+0x5e  ${nop}   +6  crosses-8 misaligned
        11 jump-label      0x1039e straddling+0xb6  6f008006 +30 crosses-8 crosses-32 misaligned
        12 jump-label      0x103fe straddling+0x116 ${nop}   +62 crosses-8 crosses-32 crosses-line misaligned
        13 patchable-entry 0x10440 entry_0+0x0      ${nops}  +0  multi-instruction
        14 patchable-entry 0x10482 entry_2+0x0      ${nops}  +2  crosses-8 misaligned multi-instruction
        15 patchable-entry 0x104dc entry_28+0x0     ${nops}  +28 crosses-8 crosses-32 multi-instruction
        16 patchable-entry 0x1052e entry_46+0x0     ${nops}  +46 crosses-8 misaligned multi-instruction
        17 patchable-entry 0x1057a entry_58+0x0     ${nops}  +58 crosses-8 crosses-32 crosses-line misaligned multi-instruction
        18 patchable-entry 0x105fc entry_60+0x0     ${nops}  +60 crosses-8 crosses-32 crosses-line multi-instruction
        19 patchable-entry 0x1067e entry_62+0x0     ${nops}  +62 crosses-8 crosses-32 crosses-line misaligned multi-instruction
        20 patchable-entry 0x106c0 rare+0x0         ${nops}  +0  multi-instruction
        21 patchable-entry 0x106e0 loose+0x0        ${nops}  +32 multi-instruction
        22 jump-label      0x106e8 loose+0x8        ${nop}   +40`),
    );
  });

  test("CALL_OPS: the same functions, aligned to 8, have none of these hazards", () => {
    const both = nops.repeat(2);
    expect(rows(callOps)).toEqual(
      expected(`
         1 patchable-entry 0x10140 labels-0x8     ${both}  +0
         2 jump-label      0x10190 labels+0x48    ${nop}   +16
         3 jump-label      0x101dc labels+0x94    ${nop}   +28
         4 jump-label      0x10228 labels+0xe0    6f00c005 +40
         5 jump-label      0x1027c labels+0x134   6f008000 +60
         6 patchable-entry 0x102a0 far_jump-0x8   ${both}  +32
         7 jump-label      0x102e0 far_jump+0x38  6f00802e +32
         8 patchable-entry 0x10300 entry_0-0x8    ${both}  +0
         9 patchable-entry 0x10348 entry_2-0x8    ${both}  +8
        10 patchable-entry 0x103a0 entry_28-0x8   ${both}  +32
        11 patchable-entry 0x103f0 entry_46-0x8   ${both}  +48
        12 patchable-entry 0x10480 entry_58-0x8   ${both}  +0
        13 patchable-entry 0x10500 entry_60-0x8   ${both}  +0
        14 patchable-entry 0x10580 entry_62-0x8   ${both}  +0
        15 patchable-entry 0x105c0 rare-0x8       ${both}  +0
        16 patchable-entry 0x105e8 loose-0x8      ${both}  +40
        17 jump-label      0x105f8 loose+0x8      ${nop}   +56`),
    );
  });

  test("the hazard and its disappearance, counted", () => {
    const names = ["misaligned", "crosses-8", "crosses-line", "multi-instruction"];
    const entries = (sites: readonly PatchSite[]) => sites.filter(({ kind }) => kind === "patchable-entry");
    expect(count(entries(old), ...names)).toEqual([5, 7, 3, 12]);
    expect(count(callOps, ...names)).toEqual([0, 0, 0, 0]);
  });

  test("without a literal both instructions change, with one the second does", () => {
    expect(site(old, 19)).toMatchObject({ padding: 0, length: 8, patched: { at: 0, length: 8, instructions: 2 } });
    expect(site(old, 19).literal).toBeUndefined();
    const one = { at: 12, length: 4, instructions: 1 };
    expect(site(callOps, 14)).toMatchObject({ padding: 8, literal: 0, length: 16, patched: one });
  });

  test("an entry is eight bytes, even when more nops follow", () => {
    const bytes = fixtureBytes("patchsites.riscv64-6.12.elf");
    const text = readElf(bytes).sections[sectionIndex(bytes, ".text")] ?? expect.fail("no code");
    const at = text.offset + 0x10440 - text.address;
    bytes.set([0x01, 0, 0x13, 0, 0, 0], at + 8);
    expect(site(findSites(readElf(bytes)), 13)).toMatchObject({ length: 8, boundaries: [0, 2, 4, 6] });
    // A long nop over the end of the entry is not cut in two.
    bytes.set([0x13, 0, 0, 0], at + 6);
    expect(site(findSites(readElf(bytes)), 13)).toMatchObject({
      length: 6,
      patched: { at: 0, length: 6, instructions: 3 },
    });
  });

  test("a jump label further away than the kernel accepts is out of reach", () => {
    const change = (target: number) => {
      const bytes = fixtureBytes("patchsites.riscv64-6.12.elf");
      const table = readElf(bytes).sections[sectionIndex(bytes, "__jump_table")] ?? expect.fail("no table");
      // From the code of the first label.
      new DataView(bytes.buffer).setInt32(table.offset + 4, 0x10190 + target - (table.address + 4), true);
      return bytes;
    };
    const first = (bytes: Uint8Array) => labels(findSites(readElf(bytes)))[0] ?? expect.fail("no label");
    expect(first(change(0x7fffe)).inReach).toBe(true);
    expect(hazards(first(change(0x80000)))).toEqual(["out-of-reach"]);
    expect(first(change(-0x80000)).inReach).toBe(true);
    expect(first(change(-0x80002)).inReach).toBe(false);
  });
});

describe("armv7", () => {
  const a32 = fixtureSites("patchsites.armv7-a32.o");
  const t32 = fixtureSites("patchsites.armv7-t32.o");

  test("A32: everything is aligned", () => {
    expect(rows(a32)).toEqual(
      expected(`
        1 jump-label 0x10  labels+0x10   00f020e3 +16
        2 jump-label 0x5c  labels+0x5c   00f020e3 +28
        3 jump-label 0xa8  labels+0xa8   160000ea +40
        4 jump-label 0xfc  labels+0xfc   010000ea +60
        5 jump-label 0x160 far_jump+0x40 feffffea +32
        6 ftrace     0x184 traced_0+0x4  feffffeb +4
        7 ftrace     0x1e0 traced_28+0x4 feffffeb +32
        8 ftrace     0x240 traced_60+0x4 feffffeb +0
        9 jump-label 0x0   loose+0x0     00f020e3 +0`),
    );
    expect(a32.every(({ mode }) => mode === "a32")).toBe(true);
  });

  test("T32: instructions at 2 mod 4 straddle two words", () => {
    expect(rows(t32)).toEqual(
      expected(`
         1 jump-label 0x10  labels+0x10      aff30080 +16
         2 jump-label 0x5c  labels+0x5c      aff30080 +28
         3 jump-label 0xa8  labels+0xa8      00f02cb8 +40
         4 jump-label 0xfc  labels+0xfc      00f002b8 +60
         5 jump-label 0x160 far_jump+0x4c    fff7febf +32
         6 jump-label 0x182 straddling+0x1a  aff30080 +2  misaligned
         7 jump-label 0x1c6 straddling+0x5e  aff30080 +6  crosses-8 misaligned
         8 jump-label 0x21e straddling+0xb6  00f032b8 +30 crosses-8 crosses-32 misaligned
         9 jump-label 0x27e straddling+0x116 aff30080 +62 crosses-8 crosses-32 crosses-line misaligned
        10 ftrace     0x2c2 traced_0+0x2     fff7feff +2  misaligned
        11 ftrace     0x31e traced_28+0x2    fff7feff +30 crosses-8 crosses-32 misaligned
        12 ftrace     0x37e traced_60+0x2    fff7feff +62 crosses-8 crosses-32 crosses-line misaligned
        13 ftrace     0x3c4 traced_2+0x2     fff7feff +4
        14 jump-label 0x3cc in_a32+0x0       00f020e3 +12
        15 jump-label 0x3d0 in_a32+0x4       010000ea +16
        16 jump-label 0x0   loose+0x0        aff30080 +0`),
    );
    const modes = [...Array(13).fill("t32"), "a32", "a32", "t32"];
    expect(t32.map(({ mode }) => mode)).toEqual(modes);
  });

  test("a call to another file is named, one within this file leads to it", () => {
    for (const sites of [a32, t32]) {
      const calls = sites.filter(({ kind }) => kind === "ftrace");
      expect(new Set(calls.map(({ relocated }) => relocated))).toEqual(new Set(["__gnu_mcount_nc"]));
    }
    for (const name of ["patchsites.armv7-a32.elf", "patchsites.armv7-t32.elf"] as const) {
      const elf = readElf(fixtureBytes(name));
      const callee = elf.symbols?.find(["__gnu_mcount_nc"]).get("__gnu_mcount_nc") ?? 0;
      const place = elf.symbols ? elf.symbolPlace(elf.symbols, callee) : 0;
      expect(place % 2).toBe(0);
      const calls = fixtureSites(name).filter(({ kind }) => kind === "ftrace");
      expect(new Set(calls.map(({ target }) => target))).toEqual(new Set([BigInt(place)]));
    }
  });

  test("addresses above 2^31 are unsigned", () => {
    const merged = fixtureSites("patchsites.merged.armv7-t32.elf");
    expect(site(merged, 1)).toMatchObject({ address: 0xc0008010n, target: 0xc0008104n, mode: "t32" });
    expect(site(merged, 5)).toMatchObject({ symbol: "far_jump+0x4c", target: 0xc00083f8n, enabled: true });
    expect(site(merged, 14)).toMatchObject({ symbol: "in_a32+0x0", mode: "a32" });
  });

  /** The sites of a linked file without its symbols of some types. */
  const without = (...types: readonly number[]) => {
    const bytes = fixtureBytes("patchsites.armv7-t32.elf");
    const { sections } = readElf(bytes);
    const symtab = sections[sectionIndex(bytes, ".symtab")] ?? expect.fail("no symbols");
    for (let at = symtab.offset; at < symtab.offset + symtab.size; at += 16) {
      const info = bytes[at + 12] ?? 0;
      if (types.includes(info & 15)) bytes[at + 12] = (info & 0xf0) | 3;
    }
    return findSites(readElf(bytes));
  };
  const [mapping, functions] = [0, 2];

  test("mapping symbols tell the mode, without them bit 0 of the function, without both it is A32", () => {
    const whole = fixtureSites("patchsites.armv7-t32.elf");
    expect(without(functions).map(({ mode }) => mode)).toEqual(whole.map(({ mode }) => mode));
    expect(without(mapping)).toEqual(whole);
    const blind = without(mapping, functions);
    expect(new Set(blind.map(({ mode }) => mode))).toEqual(new Set(["a32"]));
    expect(blind.filter(({ instruction }) => instruction === "unknown").length).toBe(14);
  });
});
