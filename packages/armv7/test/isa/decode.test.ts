import type { Bytes } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { armv7InstructionSet, type Mode } from "../../src/index.js";

const { decode, format } = armv7InstructionSet;

/** A32 words and T32 halfwords, each the low byte first in memory. */
const bytesOf = (hexadecimal: string): Bytes =>
  hexadecimal === "" ? [] : hexadecimal.split(" ").flatMap((unit) => [...Buffer.from(unit, "hex")].reverse());

const shown = (mode: Mode, hexadecimal: string): string => {
  const insn = decode(bytesOf(hexadecimal), mode);
  return typeof insn === "string" ? insn : `${insn.length}: ${format(insn, 0x1000n)}`;
};

describe("the bytes that decide", () => {
  it.each([
    ["a32", "", "short"],
    ["a32", "F000", "short"],
    ["a32", "E320F000", "4: nop"],
    ["t32", "", "short"],
    ["t32", "00", "short"],
    ["t32", "BF00", "2: nop"],
    ["t32", "DE18 FFFF", "2: udf #24"],
    ["t32", "E7FE", "2: b 0x1000"],
    ["t32", "E800", "short"],
    ["t32", "F000", "short"],
    ["t32", "FFFF", "short"],
    ["t32", "F7F0 A018", "4: udf.w #24"],
  ] as const)("%s %s", (mode, hexadecimal, text) => expect(shown(mode, hexadecimal)).toBe(text));
});

describe("halves of T32 instructions that are fetched apart", () => {
  it.each([
    ["nop.w, then the second half of a BL", "F3AF F87E", "4: bl 0x3b0100"],
    ["BL, then the second half of nop.w", "F000 8000", "4: beq.w 0x1004"],
    ["BL, then a narrow nop", "F000 BF00", "4: b.w 0x1e04"],
    ["the second half of nop.w alone", "8000", "2: strh r0, [r0]"],
    ["the second half of a BL alone", "F87E", "short"],
    ["a probe, then the second half of a BL", "F7F0 F87E", "4: bl 0xffff1100"],
    ["the second half of a probe alone", "A018", "2: add r0, pc, #96"],
    ["a narrow nop before the second half of a BL", "BF00 F87E", "2: nop"],
  ])("%s", (_, hexadecimal, text) => expect(shown("t32", hexadecimal)).toBe(text));
});

describe("encodings that the architecture leaves undefined", () => {
  it.each([
    ["a32", "E7F123F4"],
    ["a32", "E7FFFFFF"],
    ["a32", "E6000010"],
    ["a32", "E0500090"],
    ["a32", "E1600020"],
    ["a32", "EC000000"],
    ["a32", "FF000000"],
    ["a32", "F8000000"],
    ["t32", "DE00"],
    ["t32", "BA80"],
    ["t32", "B600"],
    ["t32", "EAA0 0000"],
    ["t32", "F000 C001"],
    ["t32", "F8CF 0000"],
    ["t32", "F851 0800"],
    ["t32", "F971 0000"],
    ["t32", "FB30 0020"],
  ] as const)("%s %s", (mode, hexadecimal) => {
    const insn = decode(bytesOf(hexadecimal), mode);
    // UDF has a name; what counts is what is raised.
    const raised = typeof insn === "string" ? insn : armv7InstructionSet.execute(insn, 0x1000n, {});
    expect(raised).toEqual(typeof raised === "string" ? "undefined" : { do: "trap", vector: "und", resume: 0x1000n });
  });
});

describe("encodings that are unpredictable or not modelled", () => {
  it.each([
    ["a nop with bits that should be zero", "a32", "E32FF000"],
    ["BX with bits that should be one", "a32", "E12FF01E"],
    ["BLX of pc", "a32", "E12FFF3F"],
    ["a load with write-back over its base", "a32", "E4911004"],
    ["an empty list", "a32", "E8B00000"],
    ["a list with the base that is written back", "a32", "E8B00001"],
    ["BKPT with a condition", "a32", "01200070"],
    ["SUBS pc, an exception return", "a32", "E25EF004"],
    ["IT", "t32", "BF08"],
    ["BX with bits that should be zero", "t32", "4771"],
    ["PUSH of nothing", "t32", "B400"],
    ["an addition to pc of pc", "t32", "44FF"],
    ["a repeated zero", "t32", "F04F 1000"],
    ["AND with sp", "t32", "EA0D 0000"],
    ["TBB", "t32", "E8D0 F001"],
  ] as const)("%s", (_, mode, hexadecimal) => expect(shown(mode, hexadecimal)).toBe("unsupported"));
});

describe("what real code has beyond the rest", () => {
  it.each([
    ["E1910F9F", "4: ldrex r0, [r1]"],
    ["E1812F90", "4: strex r2, r0, [r1]"],
    ["E16F0F11", "4: clz r0, r1"],
    ["E6FF0F31", "4: rbit r0, r1"],
    ["E7E70452", "4: ubfx r0, r2, #8, #8"],
    ["E7A70452", "4: sbfx r0, r2, #8, #8"],
    ["E1C420D8", "4: ldrd r2, r3, [r4, #8]"],
    ["E16420F8", "4: strd r2, r3, [r4, #-8]!"],
    ["E08420DA", "4: ldrd r2, r3, [r4], r10"],
    ["E1C430D8", "unsupported"],
    ["EE100F30", "4: .inst 0xee100f30"],
    ["EE10DF30", "unsupported"],
    ["F2000800", "4: .inst 0xf2000800"],
    ["F10C0080", "4: .inst 0xf10c0080"],
    ["F1020013", "unsupported"],
    ["E0232190", "4: .inst 0xe0232190"],
  ])("%s in A32 is %s", (hexadecimal, text) => expect(shown("a32", hexadecimal)).toBe(text));

  it.each([
    ["E851 0F00", "4: ldrex r0, [r1]"],
    ["E841 0201", "4: strex r2, r0, [r1, #4]"],
    ["FAB1 F081", "4: clz r0, r1"],
    ["F3C2 2007", "4: ubfx r0, r2, #8, #8"],
    ["E9D4 2302", "4: ldrd r2, r3, [r4, #8]"],
    ["E8F4 2302", "4: ldrd r2, r3, [r4], #8"],
    ["F3EF 8000", "4: .inst.w 0xf3ef8000"],
    ["B672", "2: .inst.n 0xb672"],
  ])("%s in T32 is %s", (hexadecimal, text) => expect(shown("t32", hexadecimal)).toBe(text));
});

describe("every word", () => {
  it("of 16 bits is decided", () => {
    for (let word = 0; word < 0xe800; word += 1) {
      const insn = decode([word & 0xff, word >>> 8], "t32");
      expect(insn).not.toBe("short");
      if (typeof insn !== "string") expect(insn.length).toBe(2);
    }
  });

  it.each(["a32", "t32"] as const)("of 32 bits in %s is decided by its four bytes alone", (mode) => {
    for (let high = 0; high < 0x10000; high += 1) {
      if (mode === "t32" && high >>> 11 < 0b11101) continue;
      const low = (high * 40503) & 0xffff;
      const bytes =
        mode === "a32"
          ? [low & 255, low >>> 8, high & 255, high >>> 8]
          : [high & 255, high >>> 8, low & 255, low >>> 8];
      const insn = decode(bytes, mode);
      expect(insn).not.toBe("short");
      expect(decode([...bytes, 0xff, 0xff], mode)).toEqual(insn);
    }
  });
});
