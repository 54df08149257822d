import type { Bytes } from "@cmodx/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { riscvInstructionSet } from "../../src/isa/index.js";

const { decode, format } = riscvInstructionSet;

const shown = (text: string): string => {
  const bytes = text.split(" ").filter(Boolean);
  const insn = decode(
    bytes.map((byte) => Number.parseInt(byte, 16)),
    "",
  );
  return typeof insn === "string" ? insn : `${insn.length}: ${format(insn, 0x1000n)}`;
};

describe("torn mixes", () => {
  it.each([
    ["nop that became a jump, first halfword new", "6F 00 00 00", "4: j 0x1000"],
    ["nop that became jalr, first halfword new", "E7 82 00 00", "4: jalr t0, 0(ra)"],
    ["nop with the tail of jalr", "13 00 02 00", "4: mv zero, tp"],
    ["auipc with the tail of a nop", "97 02 00 00", "4: auipc t0, 0x0"],
    ["jal with the tail of another", "6F 00 80 00", "4: j 0x1008"],
    ["c.ebreak over an old tail", "02 90 00 00", "2: c.ebreak"],
    ["ebreak with the tail of a nop", "73 00 00 00", "4: ecall"],
    ["the tail of a word as an instruction", "00 00", "undefined"],
    ["the tail of ebreak as an instruction", "10 00", "undefined"],
    ["the tail of jalr t0", "02 00", "2: c.slli zero, 0"],
  ])("%s", (_, bytes, text) => expect(shown(bytes)).toBe(text));
});

describe("the first halfword tells the length", () => {
  it.each([
    ["", "short"],
    ["13", "short"],
    ["02", "short"],
    ["1F", "short"],
    ["13 00", "short"],
    ["13 00 00", "short"],
    ["0B 00", "short"],
    ["13 00 00 00", "4: nop"],
    ["01 00", "2: c.nop"],
    ["1F 00", "undefined"],
    ["3F 00 00 00", "undefined"],
    ["7F 00", "undefined"],
    ["FF FF", "undefined"],
  ])("%s: %s", (bytes, text) => expect(shown(bytes)).toBe(text));

  it("and further bytes change nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (array) => {
        const bytes: Bytes = [...array];
        const answers = bytes.map((_, position) => decode(bytes.slice(0, position + 1), ""));
        const first = answers.findIndex((answer) => answer !== "short");
        const isFull = (bytes[0]! & 3) === 3 && (bytes[0]! & 0x1f) !== 0x1f;
        expect(first + 1).toBe(isFull ? 4 : 2);
        for (const answer of answers.slice(first)) expect(answer).toEqual(answers[first]);
        const decided = answers[first]!;
        if (typeof decided !== "string") expect(decided.length).toBe(first + 1);
      }),
      { numRuns: 5000, seed: 1 },
    );
  });
});

describe("what is no instruction of the subset", () => {
  const ofWord = (word: number): string => {
    const insn = decode(
      [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff),
      "",
    );
    return typeof insn === "string" ? insn : format(insn, 0n);
  };

  it.each([
    ["flw ft0, 0(a0)", 0x00052007],
    ["fsd ft0, 0(a0)", 0x00053027],
    ["fadd.d ft0, ft1, ft2", 0x0220f053],
    ["fmadd.s ft0, ft1, ft2, ft3", 0x1820f043],
    ["fmv.x.d a0, ft0", 0xe2000553],
    ["csrr a0, sstatus", 0x10002573],
    ["csrw satp, a0", 0x18051073],
    ["rdtime a0", 0xc0102573],
    ["wfi", 0x10500073],
    ["sfence.vma", 0x12000073],
    ["add.uw of Zba", 0x08b5053b],
    ["cpopw of Zbb", 0x6025179b],
    ["andn of Zbb", 0x40b57533],
    ["cbo.zero of Zicboz", 0x0045200f],
    ["a vector instruction", 0x02058057],
  ])("of %s no more than the length is known", (_, word) => expect(ofWord(word)).toBe(`.word 0x${word.toString(16)}`));

  it.each([
    ["c.fld fs0, 0(s0)", 0x2000],
    ["c.fsd fs0, 0(s0)", 0xa000],
    ["c.fldsp ft0, 0(sp)", 0x2002],
    ["c.fsdsp ft0, 0(sp)", 0xa002],
  ])("of %s no more than the length is known", (_, word) => expect(ofWord(word)).toBe(`.half 0x${word.toString(16)}`));

  it.each([
    ["sret", 0x10200073],
    ["mret", 0x30200073],
    ["csrr ra, sscratch", 0x140020f3],
    ["csrrw sp, sscratch, sp", 0x14011173],
  ])("%s is outside", (_, word) => expect(ofWord(word)).toBe("unsupported"));

  it.each([
    ["c.unimp", 0x0000],
    ["c.addi4spn with 0", 0x0008],
    ["the reserved row of quadrant 0", 0x8000],
    ["c.addiw of zero", 0x2005],
    ["c.addi16sp with 0", 0x6101],
    ["c.lui with 0", 0x6501],
    ["the reserved arithmetic of quadrant 1", 0x9c41],
    ["c.lwsp to zero", 0x4002],
    ["c.ldsp to zero", 0x6002],
    ["c.jr of zero", 0x8002],
    ["unimp, a write to a counter", 0xc0001073],
    ["an immediate write to a counter", 0xc0005073],
    ["a set of bits in a counter", 0xc000a073],
    ["srai with a bit too many", 0xc1051513],
    ["slliw by 32", 0x0205151b],
    ["an unused load", 0x00057003],
    ["an unused store", 0x00054023],
    ["an unused branch", 0x00052063],
    ["jalr with another function", 0x00029067],
    ["custom-0", 0x0000000b],
    ["lr with a source", 0x1015b52f],
    ["an unused atomic", 0xfff5a52f],
    ["ecall with a register", 0x000000f3],
    ["uret of the dropped N extension", 0x00200073],
    ["32 ones", 0xffffffff],
  ])("%s is undefined", (_, word) => expect(ofWord(word)).toBe("undefined"));

  it.each([
    ["fence.i with the reserved fields set", 0xfff8908f, "fence.i"],
    ["fence with registers", 0x0331008f, "fence rw,rw"],
    ["fence with a reserved mode", 0x4330000f, "fence rw,rw"],
    ["fence.tso with other sets", 0x8110000f, "fence w,w"],
  ])("%s: reserved fields are ignored", (_, word, text) => expect(ofWord(word)).toBe(text));

  it("there are HINTs, which do nothing", () => {
    expect([0x0005, 0x4005, 0x6005, 0x802e, 0x902e, 0x1002].map(ofWord)).toEqual([
      "c.addi zero, 1",
      "c.li zero, 1",
      "c.lui zero, 0x1",
      "c.mv zero, a1",
      "c.add zero, a1",
      "c.slli zero, 32",
    ]);
  });
});
