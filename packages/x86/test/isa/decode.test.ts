import type { Bytes } from "@cmodx/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { x86InstructionSet } from "../../src/isa/index.js";

const { decode, format } = x86InstructionSet;
const at = 0x1000n;

const shown = (text: string): string => {
  const insn = decode(
    text.split(" ").map((byte) => Number.parseInt(byte, 16)),
    "",
  );
  return typeof insn === "string" ? insn : `${insn.length}: ${format(insn, at)}`;
};

describe("torn mixes", () => {
  it.each([
    ["nop5 that became a call, first byte new", "E8 1F 44 00 00", "5: call 0x5424"],
    ["nop5 that became a jump, first byte new", "E9 1F 44 00 00", "5: jmp 0x5424"],
    ["INT3 over an old tail", "CC 1F 44 00 00", "1: int3"],
    ["nop5 with a call's tail", "0F FB 1E 00 00", "3: .byte 0xf, 0xfb, 0x1e"],
    ["nop5 with a call's tail that is a branch", "0F 84 1E 00 00 00", "6: je 0x1024"],
    ["jmp8 over nop2's tail", "EB 90", "2: jmp8 0xf92"],
    ["nop2 with jmp8's tail", "66 0A 0F", "3: or cl, byte ptr [rdi]"],
    ["nop2's prefix before a near branch", "66 EB 10", "unsupported"],
    ["nop2's prefix before a near branch with REX.W", "66 48 EB 10", "4: jmp8 0x1014"],
    ["zeros", "00 00", "2: add byte ptr [rax], al"],
  ])("%s", (_, bytes, text) => expect(shown(bytes)).toBe(text));
});

describe("prefixes", () => {
  it.each([
    ["REX before another prefix is ignored", "48 66 90", "3: nop3"],
    ["REX.B makes a NOP an exchange", "49 90", "2: xchg r8, rax"],
    ["REX.W wins over 66", "66 48 01 C8", "4: add rax, rcx"],
    ["REX selects the low byte registers", "40 88 E0", "3: mov al, spl"],
    ["without REX they are the high ones", "88 E0", "2: mov al, ah"],
    ["67 truncates addresses", "67 8B 04 25 00 00 00 80", "8: mov eax, dword ptr [-0x80000000]"],
    ["segments other than FS and GS do not act", "64 2E 8B 00", "4: mov eax, dword ptr fs:[rax]"],
    ["LOCK with a destination in memory", "F0 01 00", "3: lock add dword ptr [rax], eax"],
    ["LOCK without one", "F0 01 C0", "undefined"],
    ["LOCK on what cannot be locked", "F0 90", "undefined"],
    ["LOCK on a comparison", "F0 39 00", "undefined"],
    ["VEX after REX", "48 C5", "undefined"],
    ["VEX", "C5 F8 77", "3: .byte 0xc5, 0xf8, 0x77"],
    ["fourteen prefixes", `${"66 ".repeat(14)}90`, "15: nop15"],
    ["fifteen prefixes", `${"66 ".repeat(15)}90`, "undefined"],
    ["sixteen bytes", `${"66 ".repeat(11)}E9 00 00 00 00`, "unsupported"],
    ["an immediate past the fifteenth byte", `${"2E ".repeat(11)}E9 00 00 00 00`, "undefined"],
    ["LEA of a register", "8D C0", "undefined"],
    ["an opcode that 64-bit mode took away", "06", "undefined"],
    ["the serialising instruction with a prefix is another", "F3 0F 01 E8", "4: .byte 0xf3, 0xf, 0x1, 0xe8"],
  ])("%s", (_, bytes, text) => expect(shown(bytes)).toBe(text));
});

describe("instructions whose effect is not modelled", () => {
  it.each([
    ["RDTSC", "0F 31", "2: rdtsc"],
    ["a form of a known name", "F3 48 0F B8 C1", "5: popcnt rax, rcx"],
    ["VEX with an immediate", "C4 E3 7D 39 04 24 01", "7: .byte 0xc4, 0xe3, 0x7d, 0x39, 0x4, 0x24, 0x1"],
    [
      "EVEX with a displacement of a byte",
      "62 F1 7C 48 10 44 24 01",
      "8: .byte 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x44, 0x24, 0x1",
    ],
    ["a map that VEX does not have", "C4 E0", "unsupported"],
    ["a third byte of opcode", "66 0F 38 82 01", "5: .byte 0x66, 0xf, 0x38, 0x82, 0x1"],
    [
      "an address of eight bytes",
      "A1 01 02 03 04 05 06 07 08",
      "9: .byte 0xa1, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8",
    ],
    ["what goes on elsewhere", "0F 05", "unsupported"],
    ["what moves the stack pointer", "9C", "unsupported"],
    ["LOCK on an exchange of eight bytes", "F0 0F C7 0F", "4: .byte 0xf0, 0xf, 0xc7, 0xf"],
  ])("%s", (_, bytes, text) => expect(shown(bytes)).toBe(text));

  it("raise no exception where LOCK is allowed", () => {
    expect(shown("F0 0F B1 0F")).toBe("4: lock cmpxchg dword ptr [rdi], ecx");
    expect(shown("F0 48 0F C1 07")).toBe("5: lock xadd qword ptr [rdi], rax");
    expect(shown("F0 0F AB 07")).toBe("4: lock bts dword ptr [rdi], eax");
    expect(shown("F0 0F BA 37 03")).toBe("5: lock btr dword ptr [rdi], 0x3");
    expect(shown("F0 0F BA 27 03")).toBe("undefined");
    expect(shown("F0 0F B1 C8")).toBe("undefined");
  });
});

describe("the bytes that decide", () => {
  it.each([
    ["", "short"],
    ["CC", "1: int3"],
    ["EB", "short"],
    ["0F", "short"],
    ["0F 0B", "2: ud2"],
    ["0F 1F 44 00", "short"],
    ["66", "short"],
    ["66 EB", "unsupported"],
    ["F0 CC", "undefined"],
    ["8D C0", "undefined"],
  ])("%s", (bytes, text) => expect(bytes === "" ? decode([], "") : shown(bytes)).toBe(text));

  it("are never more than needed, and further bytes change nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 15, maxLength: 20 }), (array) => {
        const bytes: Bytes = [...array];
        const answers = bytes.map((_, position) => decode(bytes.slice(0, position + 1), ""));
        const first = answers.findIndex((answer) => answer !== "short");
        expect(first).toBeGreaterThanOrEqual(0);
        const decided = answers[first]!;
        for (const answer of answers.slice(first)) expect(answer).toEqual(decided);
        if (typeof decided !== "string") expect(decided.length).toBe(first + 1);
      }),
      { numRuns: 5000, seed: 1 },
    );
  });

  it("decide every pair of opcode bytes", () => {
    for (let opcode = 0; opcode < 0x10000; opcode += 1) {
      const insn = decode([opcode >> 8, opcode & 0xff, ...Array<number>(13).fill(0x24)], "");
      expect(insn).not.toBe("short");
    }
  });
});
