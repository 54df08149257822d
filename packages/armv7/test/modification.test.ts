import { armv7, isInList, type Mode, mayBeModified } from "@cmodx/armv7";
import type { Bytes } from "@cmodx/core";
import { describe, expect, it } from "vitest";

const AT = 0x8000n;

const code = (text: string, mode: Mode): Bytes => armv7({ fetch: mode }).instructionSet.assemble(text, AT, mode);

const inList = (mode: Mode, texts: readonly string[]): readonly string[] =>
  texts.filter((text) => isInList(code(text, mode), mode));

const may = (mode: Mode, ...texts: readonly string[]): boolean =>
  mayBeModified(
    texts.map((text) => code(text, mode)),
    mode,
  );

describe("the lists of A3.5.4", () => {
  it("A32: B and BL of any condition, the hint NOP, BKPT, SVC, HVC, SMC", () => {
    const listed = ["b .+8", "bne .+8", "bl .+8", "nop", "bkpt #0", "svc #0", "hvc #0", "smc #0"];
    const others = [
      "blx .+8",
      "bx lr",
      "mov r0, r0",
      "mov r0, r1",
      "ldr r0, [r1]",
      "push {lr}",
      "udf #24",
      "isb",
      "yield",
    ];
    expect(inList("a32", [...listed, ...others])).toEqual(listed);
  });

  it("Thumb: the 16-bit encodings of B, NOP, BKPT, SVC", () => {
    const listed = ["b .+8", "bne .+8", "nop", "bkpt #0", "svc #0"];
    const others = [
      "b.w .+8",
      "bl .+8",
      "nop.w",
      "hvc #0",
      "smc #0",
      "cbz r0, .+8",
      "mov r0, r1",
      "push {lr}",
      "udf #24",
    ];
    expect(inList("t32", [...listed, ...others])).toEqual(listed);
  });

  it("what is no instruction is in none", () => {
    expect(isInList([0, 0, 0, 0xff], "a32")).toBe(false);
    expect(isInList([0xff, 0xff, 0xff, 0xff], "t32")).toBe(false);
  });
});

describe("what may be modified", () => {
  it("one version always", () => {
    expect(may("a32", "mov r0, r1")).toBe(true);
  });

  it("any number of versions, all of which are in the list", () => {
    expect(may("a32", "nop", "b .+8", "bl .+16")).toBe(true);
    expect(may("a32", "nop", "b .+8", "mov r0, r1")).toBe(false);
    expect(may("t32", "nop", "b .+8")).toBe(true);
    expect(may("t32", "nop", "bl .+8")).toBe(false);
  });

  it("a Thumb BL in one of its halfwords", () => {
    expect(may("t32", "bl .+0x1000", "bl .+0x2000")).toBe(true);
    expect(may("t32", "bl .+0x1004", "bl .+0x1008")).toBe(true);
    expect(may("t32", "bl .+0x1000", "bl .+0x1004")).toBe(false);
    expect(may("t32", "b.w .+0x1000", "b.w .+0x2000")).toBe(false);
    expect(may("t32", "bl .+0x1000", "blx .+0x1000")).toBe(false);
  });
});

describe("the fetch models", () => {
  const admits = (mode: Mode, given: string, ...texts: readonly string[]) => {
    const versions = texts.map((text) => code(text, mode));
    return armv7({ fetch: mode }).fetch.admits([], versions[0] ?? [], { at: AT, mode: given, versions });
  };

  it("refuse by naming the value that is none of the list", () => {
    expect(admits("a32", "", "nop", "b .+8")).toBe("run");
    expect(admits("a32", "a32", "nop", "mov r0, r1")).toEqual({
      breaks: "rule",
      why: "the instruction was changed and this CPU has not synchronised since, which A3.5.4 allows among A32 B, BL, NOP, BKPT, SVC, HVC, SMC alone; one of the values is mov r0, r1.",
    });
    expect(admits("t32", "", "nop", "push {r4}")).toMatchObject({ breaks: "rule" });
  });

  it("say what they are", () => {
    const units = armv7().fetchModels.map(({ id, unit, stale, reports }) => [id, unit, stale, reports]);
    expect(units).toEqual([
      ["a32", 4, "until-maintenance", { state: "a32", line: 32 }],
      ["t32", 2, "until-maintenance", { state: "t32", line: 32 }],
    ]);
    expect(() => armv7({ fetch: "jazelle" })).toThrow("armv7 has no fetch model jazelle; it has a32, t32.");
  });

  it("code that names no mode is in theirs", () => {
    expect(armv7({ fetch: "t32" }).instructionSet.assemble("nop", AT)).toEqual([0x00, 0xbf]);
    expect(armv7({ fetch: "t32" }).instructionSet.assemble("nop", AT, "a32")).toHaveLength(4);
    expect(armv7().instructionSet.assemble("nop", AT)).toHaveLength(4);
    expect(armv7({ fetch: "t32" }).instructionSet.decode([0x00, 0xbf], "")).toMatchObject({ op: "nop" });
    expect([armv7().instructionSet.alignment, armv7({ fetch: "t32" }).instructionSet.alignment]).toEqual([4, 2]);
  });
});
