import { readFileSync } from "node:fs";
import type { Bytes } from "@cmodx/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forms } from "../../src/isa/encodings.js";
import { type Arm64Instruction, arm64InstructionSet } from "../../src/isa/index.js";

const { assemble, decode, format } = arm64InstructionSet;
const at = 0xffff800008000000n;

const bytesOf = (word: number): Bytes => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);
const wordOf = (bytes: Bytes): string => Buffer.from(bytes).reverse().toString("hex").toUpperCase();
const decoded = (bytes: Bytes): Arm64Instruction => {
  const insn = decode(bytes, "");
  if (typeof insn === "string") throw new Error(`${wordOf(bytes)} is ${insn}`);
  return insn;
};

/** Words and the text that is assembled to them and that they are shown as. */
const encodings: readonly (readonly [string, string])[] = [
  ["D503201F", "nop"],
  ["14000000", "b 0xffff800008000000"],
  ["14000003", "b 0xffff80000800000c"],
  ["95FFFFFF", "bl 0xffff80000ffffffc"],
  ["96000000", "bl 0xffff800000000000"],
  ["D4200000", "brk #0x0"],
  ["D4200080", "brk #0x4"],
  ["D42000A0", "brk #0x5"],
  ["D42000C0", "brk #0x6"],
  ["D4202000", "brk #0x100"],
  ["D4208000", "brk #0x400"],
  ["D4210000", "brk #0x800"],
  ["D5033FDF", "isb"],
  ["D5033B9F", "dsb ish"],
  ["D5033A9F", "dsb ishst"],
  ["D503379F", "dsb nsh"],
  ["D5033D9F", "dsb ld"],
  ["D5033FBF", "dmb sy"],
  ["D50B7B20", "dc cvau, x0"],
  ["D50B7E21", "dc civac, x1"],
  ["D50B7520", "ic ivau, x0"],
  ["D508711F", "ic ialluis"],
  ["D508751F", "ic iallu"],
  ["D503241F", "bti"],
  ["D503245F", "bti c"],
  ["D503249F", "bti j"],
  ["D50324DF", "bti jc"],
  ["D503233F", "paciasp"],
  ["D50323BF", "autiasp"],
  ["D4000001", "svc #0x0"],
  ["D4000002", "hvc #0x0"],
  ["D4000003", "smc #0x0"],
  ["D4BBD5A1", "dcps1 #0xdead"],
  ["D61F0200", "br x16"],
  ["D63F0200", "blr x16"],
  ["D65F03C0", "ret"],
  ["D65F0120", "ret x9"],
  ["D69F03E0", "eret"],
  ["58000050", "ldr x16, 0xffff800008000008"],
  ["90000010", "adrp x16, 0xffff800008000000"],
  ["F0FFFFF0", "adrp x16, 0xffff800007fff000"],
  ["F9400210", "ldr x16, [x16]"],
  ["F9400A10", "ldr x16, [x16, #0x10]"],
  ["00000000", "udf #0x0"],
  ["AA1E03E9", "mov x9, x30"],
  ["D5184020", "msr elr_el1, x0"],
  ["D53B0021", "mrs x1, ctr_el0"],
  ["54000041", "b.ne 0xffff800008000008"],
  ["B4000060", "cbz x0, 0xffff80000800000c"],
  ["35000041", "cbnz w1, 0xffff800008000008"],
  ["36180040", "tbz w0, #0x3, 0xffff800008000008"],
  ["B7F80040", "tbnz x0, #0x3f, 0xffff800008000008"],
  ["10000040", "adr x0, 0xffff800008000008"],
  ["D1000400", "sub x0, x0, #0x1"],
  ["91400421", "add x1, x1, #0x1, lsl #12"],
  ["8B2163FF", "add sp, sp, x1, uxtx"],
  ["910003E0", "mov x0, sp"],
  ["52800020", "mov w0, #0x1"],
  ["92800020", "mov x0, #0xfffffffffffffffe"],
  ["B200F3E0", "mov x0, #0x5555555555555555"],
  ["129FFFE0", "movn w0, #0xffff"],
  ["D2C00000", "movz x0, #0x0, lsl #32"],
  ["F2A24680", "movk x0, #0x1234, lsl #16"],
  ["4A020041", "eor w1, w2, w2"],
  ["6B02003F", "cmp w1, w2"],
  ["F100043F", "cmp x1, #0x1"],
  ["EB2263FF", "cmp sp, x2, uxtx"],
  ["72001C3F", "tst w1, #0xff"],
  ["9A820020", "csel x0, x1, x2, eq"],
  ["1A9F17E2", "cset w2, eq"],
  ["FA421024", "ccmp x1, x2, #0x4, ne"],
  ["D3607C20", "lsl x0, x1, #0x20"],
  ["D3483C20", "ubfx x0, x1, #0x8, #0x8"],
  ["B82268C1", "str w1, [x6, x2]"],
  ["B822C8C1", "str w1, [x6, w2, sxtw]"],
  ["B862D8C1", "ldr w1, [x6, w2, sxtw #2]"],
  ["38627801", "ldrb w1, [x0, x2, lsl #0]"],
  ["A9BF7BFD", "stp x29, x30, [sp, #-0x10]!"],
  ["F81F0FFF", "str xzr, [sp, #-0x10]!"],
  ["A8C17BFD", "ldp x29, x30, [sp], #0x10"],
  ["C89FFC20", "stlr x0, [x1]"],
  ["88DFFC20", "ldar w0, [x1]"],
  ["F8BFC020", "ldapr x0, [x1]"],
  ["F8E00041", "ldaddal x0, x1, [x2]"],
  ["C8A07C41", "cas x0, x1, [x2]"],
];

describe("encodings", () => {
  it.each(encodings)("%s is %s", (word, text) => {
    const bytes = bytesOf(Number.parseInt(word, 16));
    expect(format(decoded(bytes), at)).toBe(text);
    expect(wordOf(assemble(text, at))).toBe(word);
  });

  it.each([
    ["mov x9, lr", "AA1E03E9"],
    ["MOV W0,#1", "52800020"],
    ["MOV W0,W1", "2A0103E0"],
    ["STR W1,[X6,W2,SXTW]", "B822C8C1"],
    ["STR X1,[X6,X2]", "F82268C1"],
    ["LDR X1, [X6]", "F94000C1"],
    ["MSR ELR_EL1,X0", "D5184020"],
    ["IC IVAU,X0", "D50B7520"],
    ["DSB ISH", "D5033B9F"],
    ["ISB SY", "D5033FDF"],
    ["CBNZ W0,.+8", "35000040"],
    ["B .", "14000000"],
    ["B .+0x10", "14000004"],
    ["b.cs .-4", "54FFFFE2"],
    ["beq .+8", "54000040"],
    ["bls .+8", "54000049"],
    ["ldr x16, #8", "58000050"],
    ["tbz x0, #3, .+8", "36180040"],
    ["add x0, x1, #0x1000", "91400420"],
    ["add w0, w1, w2, lsl 3", "0B020C20"],
    ["movz x0, 5", "D28000A0"],
    ["ldr x0, [x1, #-8]!", "F85F8C20"],
    ["dmb #0", "D50330BF"],
    [".inst 0xD503201F", "D503201F"],
  ])("reads %s", (text, word) => expect(wordOf(assemble(text, at))).toBe(word));

  it("takes the distance of a literal target from the instruction's address", () => {
    expect(wordOf(assemble("b 0x1000", 0x2000n))).toBe("17FFFC00");
    expect(wordOf(assemble("adrp x0, 0x3004", 0x1ffcn))).toBe("D0000000");
    expect(format(decoded(assemble("adrp x0, 0x3004", 0x1ffcn)), 0x1ffcn)).toBe("adrp x0, 0x3000");
    expect(wordOf(assemble("b 0x8", 0xfffffffffffffff8n))).toBe("14000004");
    expect(format(decoded(assemble("b .+16", 0n)), 0xfffffffffffffff8n)).toBe("b 0x8");
  });

  it.each([
    [
      "b .+0x8000000",
      /^"b" at 0xffff800008000000 cannot reach 0xffff800010000000: .* 134217728 bytes away, allowed are/,
    ],
    ["bl .-0x8000004", /allowed are multiples of 4 from -134217728 to 134217724\.$/],
    ["B .+2", /^"b" at .* the target lies 2 bytes away, allowed are multiples of 4/],
    ["cbz x0, .+0x100000", /^"cbz" at .* from -1048576 to 1048572\.$/],
    ["b.eq .-0x100004", /^"b.eq" at .* from -1048576 to 1048572\.$/],
    ["tbz w0, #1, .+0x8000", /^"tbz" at .* from -32768 to 32764\.$/],
    ["adr x0, .+0x100000", /^"adr" at .* allowed are -1048576 to 1048575\.$/],
    ["adrp x0, .+0x100000000", /^"adrp" at .* multiples of 4096 from -4294967296 to 4294963200\.$/],
    ["frob x0", /^"frob x0" is not an instruction known here: no "frob"\.$/],
    ["b.cond eq, .+8", /is not an instruction known here/],
    ["b.xx .+8", /is not an instruction known here/],
    ["mov x0, [x1", /has an operand that is no register/],
    ["mov x0, %1", /has an operand that is no register/],
    ["mov x0, w1", /has no encoding/],
    ["mov x0, #0x123456789", /has no encoding/],
    ["mov w0, #0x100000000", /has no encoding/],
    ["add x0, x1, #4097", /has no encoding/],
    ["add x0, x1, x2, ror #1", /has no encoding/],
    ["and x0, x1, #0", /has no encoding/],
    ["tbz w0, #32, .+8", /has no encoding/],
    ["lsl w0, w1, #32", /has no encoding/],
    ["ubfx w0, w1, #30, #3", /has no encoding/],
    ["ldr x0, [x1, #4]!x", /has an operand that is no register/],
    ["ldr x0, [x1, #32768]", /has no encoding/],
    ["ldr x0, [w1]", /has an operand that is no register/],
    ["ldr x0, [x1, w2]", /has no encoding/],
    ["ldr x0, [x1, x2, lsl #2]", /has no encoding/],
    ["ldr x0, [x0], #8", /has no encoding/],
    ["ldp x0, x0, [x1]", /has no encoding/],
    ["cset x0, al", /has no encoding/],
    ["msr ctr_el0, x0", /has no encoding/],
    ["dmb frob", /has no encoding/],
    ["brk #0x10000", /has no encoding/],
    [".inst 0x100000000", /needs a number from 0 to 0xffffffff/],
    ["", /is not an instruction known here/],
  ])("refuses %s", (text, message) => {
    expect(() => assemble(text, at)).toThrow(message);
    expect(() => assemble(text, at)).toThrow(expect.objectContaining({ name: "InputError" }));
  });
});

const expectRoundTrip = (word: number): boolean => {
  const insn = decode(bytesOf(word), "");
  if (typeof insn === "string") return false;
  const text = format(insn, at);
  const again = assemble(text, at);
  // Bits that change nothing have no text: then only the meaning is kept.
  if (wordOf(again) !== wordOf(bytesOf(word))) expect(decoded(again), text).toEqual(insn);
  return true;
};

describe("assembling what is shown", () => {
  it("gives the same instruction, whatever the word", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (word) => {
        expectRoundTrip(word);
      }),
      { numRuns: 5000, seed: 1 },
    );
  });

  it("gives the same instruction for every form", () => {
    for (const { op, layout } of forms) {
      let fitting = 0;
      fc.assert(
        fc.property(fc.nat(0xffffffff), (bits) => {
          if (expectRoundTrip(((bits & ~layout.mask) | layout.value) >>> 0)) fitting += 1;
        }),
        { numRuns: 30, seed: 1 },
      );
      // Of these forms most words are of registers and operations that are not modelled.
      if (!["dc", "mrs", "msr"].includes(op)) expect(fitting, op).toBeGreaterThan(0);
    }
  });
});

describe("another assembler and disassembler", () => {
  const lines = readFileSync(new URL("../data/llvm-mc.tsv", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const known = lines.map((line) => line.split("\t") as [string, string]);

  it.each(known)("agrees on %s: %s", (hexadecimal, text) => {
    const word = Number.parseInt(hexadecimal, 16);
    const insn = decode(bytesOf(word), "");
    if (text === "undefined") expect(insn).toBe("undefined");
    else if (text === "outside") expect(insn === "unsupported" || (insn as Arm64Instruction).opaque).toBe(true);
    else {
      expect(format(insn as Arm64Instruction, at).split(" ")[0]).toBe(text.split(" ")[0]);
      expect(decoded(assemble(text, at))).toEqual(insn);
    }
  });
});

describe("decode", () => {
  it("needs four bytes and looks at no more", () => {
    expect([[], [0x1f], [0x1f, 0x20, 0x03]].map((bytes) => decode(bytes, ""))).toEqual(["short", "short", "short"]);
    expect(decode([0x1f, 0x20, 0x03, 0xd5, 0xff], "")).toEqual(decoded([0x1f, 0x20, 0x03, 0xd5]));
  });

  it.each([
    ["an unallocated group", 0x02000000, "undefined"],
    ["the word behind UDF", 0x00010000, "undefined"],
    ["DRPS outside debug state", 0xd6bf03e0, "undefined"],
    ["a load of one register twice", 0xa9400020, "undefined"],
    ["a base that is written back and loaded", 0xf8408400, "undefined"],
    ["a base that is written back and stored", 0xa9800001, "undefined"],
    ["a logical immediate of all ones", 0x9240fc00, "undefined"],
    ["ADD with a rotation", 0x8bc00000, "undefined"],
    ["a branch with a hint that it is consistent", 0x54000010, "unsupported"],
    ["a return that authenticates", 0xd65f0bff, "unsupported"],
    ["a choice of the stack pointer", 0xd50040bf, "unsupported"],
    ["a system register that goes to x30", 0xd538101e, "unsupported"],
    ["a vector load that moves the stack pointer", 0x3cc107e0, "unsupported"],
  ])("%s", (_, word, answer) => expect(decode(bytesOf(word), "")).toBe(answer));

  it.each([
    ["an exclusive load of a pair", 0xc87f0820],
    ["a vector instruction", 0x4e208400],
    ["a system register that is not modelled", 0xd5381000],
    ["a mask of interrupts", 0xd50342df],
    ["a hint to load ahead", 0xf9800000],
  ])("knows of %s no more than its length", (_, word) => {
    expect(decoded(bytesOf(word))).toEqual({ length: 4, op: "opaque", operands: [], opaque: true, word });
    expect(wordOf(assemble(format(decoded(bytesOf(word)), at), at))).toBe(wordOf(bytesOf(word)));
  });
});
