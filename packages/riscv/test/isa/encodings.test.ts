import { readFileSync } from "node:fs";
import type { Bytes } from "@cmodx/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forms } from "../../src/isa/encodings.js";
import { pcRelative, type RiscvInstruction, riscvInstructionSet } from "../../src/isa/index.js";

const { assemble, decode, format } = riscvInstructionSet;
const at = 0xffffffff80001000n;

/** The bytes of a halfword or word, which stands as in the manual, highest digit first. */
const bytesOf = (word: string): Bytes => [...Buffer.from(word, "hex")].reverse();
const decoded = (bytes: Bytes): RiscvInstruction => {
  const insn = decode(bytes, "");
  if (typeof insn === "string") throw new Error(`${bytes.map((byte) => byte.toString(16))} is ${insn}`);
  return insn;
};

/** Encodings and the text that is assembled to them and that they are shown as. */
const encodings: readonly (readonly [string, string])[] = [
  ["00000013", "nop"],
  ["0001", "c.nop"],
  ["00100073", "ebreak"],
  ["9002", "c.ebreak"],
  ["00000073", "ecall"],
  ["0000006f", "j 0xffffffff80001000"],
  ["a001", "c.j 0xffffffff80001000"],
  ["00000297", "auipc t0, 0x0"],
  ["00000317", "auipc t1, 0x0"],
  ["fffff297", "auipc t0, 0xfffff"],
  ["000282e7", "jalr t0, 0(t0)"],
  ["000300e7", "jalr t1"],
  ["00028067", "jr t0"],
  ["ffe28067", "jalr zero, -2(t0)"],
  ["00008067", "ret"],
  ["8082", "c.jr ra"],
  ["9282", "c.jalr t0"],
  ["0000100f", "fence.i"],
  ["0140000f", "fence w,o"],
  ["0110000f", "fence w,w"],
  ["0330000f", "fence rw,rw"],
  ["0220000f", "fence r,r"],
  ["0230000f", "fence r,rw"],
  ["0310000f", "fence rw,w"],
  ["0ff0000f", "fence"],
  ["0f30000f", "fence iorw,rw"],
  ["0100000f", "pause"],
  ["0000000f", "fence 0,0"],
  ["8330000f", "fence.tso"],
  ["000010b7", "lui ra, 0x1"],
  ["0100006f", "j 0xffffffff80001010"],
  ["ff1ff0ef", "jal 0xffffffff80000ff0"],
  ["7ffff2ef", "jal t0, 0xffffffff80100ffe"],
  ["00b50463", "beq a0, a1, 0xffffffff80001008"],
  ["fe051ee3", "bnez a0, 0xffffffff80000ffc"],
  ["00054563", "blt a0, zero, 0xffffffff8000100a"],
  ["ff02b303", "ld t1, -16(t0)"],
  ["00813083", "ld ra, 8(sp)"],
  ["00113423", "sd ra, 8(sp)"],
  ["fea42e23", "sw a0, -4(s0)"],
  ["0005a503", "lw a0, 0(a1)"],
  ["ff010113", "addi sp, sp, -16"],
  ["00500513", "li a0, 5"],
  ["00058513", "mv a0, a1"],
  ["03f51513", "slli a0, a0, 63"],
  ["43f55513", "srai a0, a0, 63"],
  ["41f5551b", "sraiw a0, a0, 31"],
  ["40b50533", "sub a0, a0, a1"],
  ["00b5352f", "amoadd.d a0, a1, (a0)"],
  ["0eb5252f", "amoswap.w.aqrl a0, a1, (a0)"],
  ["44b5252f", "amoor.w.aq a0, a1, (a0)"],
  ["e2b5352f", "amomaxu.d.rl a0, a1, (a0)"],
  ["1141", "c.addi sp, -16"],
  ["0141", "c.addi sp, 16"],
  ["7139", "c.addi16sp sp, -64"],
  ["0808", "c.addi4spn a0, sp, 16"],
  ["e406", "c.sdsp ra, 8(sp)"],
  ["60a2", "c.ldsp ra, 8(sp)"],
  ["4501", "c.li a0, 0"],
  ["6505", "c.lui a0, 0x1"],
  ["757d", "c.lui a0, 0xfffff"],
  ["852e", "c.mv a0, a1"],
  ["952e", "c.add a0, a1"],
  ["8d0d", "c.sub a0, a1"],
  ["9d2d", "c.addw a0, a1"],
  ["2505", "c.addiw a0, 1"],
  ["6108", "c.ld a0, 0(a0)"],
  ["c14c", "c.sw a1, 4(a0)"],
  ["c119", "c.beqz a0, 0xffffffff80001006"],
  ["fd7d", "c.bnez a0, 0xffffffff80000ffe"],
  ["9179", "c.srli a0, 62"],
];

describe("encodings", () => {
  it.each(encodings)("%s is %s", (word, text) => {
    const bytes = bytesOf(word);
    expect(decoded(bytes).length).toBe(bytes.length);
    expect(format(decoded(bytes), at)).toBe(text);
    expect(assemble(text, at)).toEqual(bytes);
  });

  it("has every fence", () => {
    const sets = Array.from({ length: 16 }, (_, bits) =>
      bits === 0 ? "0" : [..."iorw"].filter((_, i) => bits & (8 >> i)).join(""),
    );
    for (const [pred, first] of sets.entries()) {
      for (const [succ, second] of sets.entries()) {
        const bytes = assemble(`fence ${first}, ${second}`, at);
        expect(bytes).toEqual([0x0f, 0, (succ << 4) & 0xf0, pred]);
        expect(decoded(bytes)).toMatchObject({ op: "fence", pred: first, succ: second });
      }
    }
  });

  it.each([
    ["nop4", "00000013"],
    ["c.unimp", "0000"],
    ["unimp", "c0001073"],
    ["jal x0, .", "0000006f"],
    ["jal x5, .+8", "008002ef"],
    ["  J   .-4 ", "ffdff06f"],
    ["jalr x0, (x1)", "00008067"],
    ["jalr t0, 0x10(t0)", "010282e7"],
    ["addi fp, x8, -0x1", "fff40413"],
    ["addi x0, x0, 0", "00000013"],
    ["lui a0, -1", "fffff537"],
    ["fence iorw, iorw", "0ff0000f"],
    ["c.lw s0, (s1)", "4080"],
    [".half 0x9002, 1", "00019002"],
    [".word 0x00100073", "00100073"],
    [".byte 0x73, 0x00", "0073"],
  ])("accepts %s", (text, word) => expect(assemble(text, at)).toEqual(bytesOf(word)));

  it("shows full-size and compressed twins differently", () => {
    expect(decoded(bytesOf("9002"))).toEqual({ length: 2, op: "ebreak", form: "c.ebreak" });
    expect(decoded(bytesOf("00100073"))).toEqual({ length: 4, op: "ebreak", form: "ebreak" });
    expect(decoded(bytesOf("60a2"))).toEqual({ length: 2, op: "ld", form: "c.ldsp", rd: "ra", rs1: "sp", imm: 8n });
  });

  it("lets a branch wrap around the address space", () => {
    expect(assemble("j 0x10", 0xfffffffffffffff0n)).toEqual(bytesOf("0200006f"));
    expect(format(decoded(bytesOf("0200006f")), 0xfffffffffffffff0n)).toBe("j 0x10");
  });
});

describe("what llvm-mc 14 encodes", () => {
  // One bit of a field after the other, in every form: `llvm-mc -triple=riscv64 -mattr=+a,+c -show-encoding`.
  const rows = readFileSync(new URL("../data/llvm-mc.txt", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((row) => /^(\S+) (.*)$/.exec(row)!.slice(1) as [string, string]);

  it("is encoded the same, and shown as text that is too", () => {
    for (const [word, text] of rows) {
      const bytes = bytesOf(word);
      expect(assemble(text, at), text).toEqual(bytes);
      expect(assemble(format(decoded(bytes), at), at), text).toEqual(bytes);
    }
  });

  it("has every form", () => {
    // Those of later extensions than it knows are in packages/litmus/test/exclusives.test.ts, those of M are compared with real kernels'.
    const known = ({ name, status }: (typeof forms)[number]): boolean =>
      status === "modelled" && !/\.ordered$|^(lr|sc)\.|^(mul|div|rem)/.test(name);
    const modelled = forms.filter(known).map(({ name }) => name);
    expect(new Set(rows.map(([word]) => decoded(bytesOf(word)).form))).toEqual(new Set(modelled));
  });
});

describe("AUIPC and what follows it", () => {
  const at = 0x100000000n;
  const pair = (target: bigint): bigint => {
    const hex = `0x${target.toString(16)}`;
    const auipc = decoded(assemble(`auipc t0, %pcrel_hi(${hex})`, at));
    const jalr = decoded(assemble(`jalr t0, %pcrel_lo(${hex})(t0)`, at + 4n));
    return at + auipc.imm! + jalr.imm!;
  };

  it.each([0n, 4n, 0x7fen, 0x800n, 0xfffn, 0x1800n, -2n, -0x800n, -0x802n, 0x7ffff7ffn, -0x80000800n])(
    "reach %s bytes away",
    (distance) => {
      expect(pair(at + distance)).toBe(at + distance);
      const { high, low } = pcRelative(at + distance, at);
      expect([high + low, BigInt.asUintN(12, high)]).toEqual([distance, 0n]);
      expect(low >= -2048n && low <= 2047n).toBe(true);
    },
  );

  it.each([0x7ffff800n, -0x80000801n])("cannot reach %s bytes away", (distance) => {
    expect(() => pair(at + distance)).toThrow(
      /cannot reach .* from 0x100000000: the target lies -?\d+ bytes away, allowed are -2147485696 to 2147481599\.$/,
    );
  });
});

describe("ranges", () => {
  it.each([
    ["j", 1n << 20n],
    ["jal ra,", 1n << 20n],
    ["beqz a0,", 1n << 12n],
    ["bltu a0, a1,", 1n << 12n],
    ["c.j", 1n << 11n],
    ["c.beqz a0,", 1n << 8n],
  ])("of %s end where the encoding does", (text, limit) => {
    const middle = 0x40000000n;
    for (const distance of [-limit, -2n, 0n, 2n, limit - 2n]) {
      const insn = decoded(assemble(`${text} ${middle + distance}`, middle));
      expect(insn.imm).toBe(distance);
    }
    for (const distance of [-limit - 2n, limit, 1n, -1n, limit - 1n]) {
      expect(() => assemble(`${text} ${middle + distance}`, middle)).toThrow(/cannot reach/);
    }
  });

  it.each([
    [
      "j .+0x100000",
      /^"j" at 0xffffffff80001000 cannot reach 0xffffffff80101000: the target lies 1048576 bytes away, allowed are even distances from -1048576 to 1048574\.$/,
    ],
    ["c.beqz a0, .-258", /"c.beqz" at .* allowed are even distances from -256 to 254\.$/],
    ["addi a0, a0, 2048", /^"addi a0, a0, 2048" needs a number from -2048 to 2047, not 2048\.$/],
    ["slli a0, a0, 64", /needs a number from 0 to 63, not 64\.$/],
    ["slliw a0, a0, 32", /needs a number from 0 to 31, not 32\.$/],
    ["c.ldsp a0, 4(sp)", /needs a number from 0 to 504, a multiple of 8, not 4\.$/],
    ["c.addi16sp sp, 8", /needs a number from -512 to 496, a multiple of 16, not 8\.$/],
    ["c.lui a0, 0x20", /needs a number from -32 to 31, not 32\.$/],
    ["lui a0, 0x100000", /needs a number of 20 bits, not 0x100000\.$/],
    ["c.ld t0, 0(a0)", /needs s0, s1 or a0 to a5 where it has "t0"\.$/],
    ["c.ldsp a0, 0(a0)", /needs sp where it has "a0"\.$/],
    ["c.addi4spn a0, a1, 16", /needs sp where it has "a1"\.$/],
    ["c.addi4spn a0, sp, 0", /has no encoding with these operands\.$/],
    ["c.addi16sp sp, 0", /has no encoding with these operands\.$/],
    ["c.lui sp, 1", /has no encoding with these operands\.$/],
    ["c.lui a0, 0", /has no encoding with these operands\.$/],
    ["c.ldsp zero, 0(sp)", /has no encoding with these operands\.$/],
    ["c.addiw zero, 1", /has no encoding with these operands\.$/],
    ["c.mv a0, zero", /has no encoding with these operands\.$/],
    ["c.jr zero", /has no encoding with these operands\.$/],
    ["frob a0", /^"frob a0" is not an instruction known here: no "frob"\.$/],
    ["clmul a0, a0, a1", /no "clmul"/],
    ["add.aq a0, a0, a1", /no "add.aq"/],
    ["outside", /no "outside"/],
    ["add a0, a1", /^"add a0, a1" has 2 operands where "add" takes 3\.$/],
    ["jal", /has 0 operands where "jal" takes 1 or 2\.$/],
    ["add a0, a1, 5", /needs a register where it has "5"\.$/],
    ["addi a0, a1, a2", /needs a number where it has "a2"\.$/],
    ["j t0", /needs an address where it has "t0"\.$/],
    ["ld a0, a1", /needs a place in memory, as in 8\(sp\), where it has "a1"\.$/],
    ["amoadd.w a0, a1, 4(a2)", /takes no offset\.$/],
    ["fence x,w", /needs letters of iorw, or 0, where it has "x"\.$/],
    ["fence wr,w", /needs letters of iorw, or 0, where it has "wr"\.$/],
    [".half 0x10000", /needs numbers from 0x0 to 0xffff, separated by commas\.$/],
    ["", /is not an instruction known here/],
  ])("refuse %s", (text, message) => {
    expect(() => assemble(text, at)).toThrow(message);
    expect(() => assemble(text, at)).toThrow(expect.objectContaining({ name: "InputError" }));
  });
});

describe("whatever the bytes", () => {
  const expectRoundTrip = (bytes: Bytes): void => {
    const insn = decode(bytes, "");
    if (typeof insn === "string") return;
    const again = assemble(format(insn, at), at);
    // Only fences have bits that the hart ignores.
    if (insn.op.startsWith("fence")) expect(decoded(again)).toEqual(insn);
    else expect(again).toEqual(bytes);
  };

  it("a halfword is assembled from what it is shown as", () => {
    for (let half = 0; half < 0x10000; half += 1) {
      if ((half & 3) !== 3) expectRoundTrip([half & 0xff, half >> 8]);
    }
  });

  it("a word is assembled from what it is shown as", () => {
    const word = fc.integer({ min: 0, max: 0x3fffffff }).map((upper) => upper * 4 + 3);
    const bytes = word.map((value) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));
    fc.assert(fc.property(bytes, expectRoundTrip), { numRuns: 20_000, seed: 1 });
  });
});
