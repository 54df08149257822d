import type { Bytes } from "@cmodx/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type X86Instruction, x86InstructionSet } from "../../src/isa/index.js";

const { assemble, decode, format } = x86InstructionSet;
const at = 0xffffffff81000000n;

const bytesOf = (text: string): Bytes => text.split(" ").map((byte) => Number.parseInt(byte, 16));
const decoded = (bytes: Bytes): X86Instruction => {
  const insn = decode(bytes, "");
  if (typeof insn === "string") throw new Error(`${bytes.map((byte) => byte.toString(16))} is ${insn}`);
  return insn;
};

/** Bytes and the text that is assembled to them and that they are shown as. */
const encodings: readonly (readonly [string, string])[] = [
  ["CC", "int3"],
  ["C3", "ret"],
  ["90", "nop"],
  ["66 90", "nop2"],
  ["0F 1F 00", "nop3"],
  ["0F 1F 40 00", "nop4"],
  ["0F 1F 44 00 00", "nop5"],
  ["66 0F 1F 44 00 00", "nop6"],
  ["0F 1F 80 00 00 00 00", "nop7"],
  ["0F 1F 84 00 00 00 00 00", "nop8"],
  ["66 0F 1F 84 00 00 00 00 00", "nop9"],
  ["66 2E 0F 1F 84 00 00 00 00 00", "nop10"],
  ["66 66 2E 0F 1F 84 00 00 00 00 00", "nop11"],
  ["EB 10", "jmp8 0xffffffff81000012"],
  ["EB FE", "jmp8 0xffffffff81000000"],
  ["E9 FB 0F 00 00", "jmp 0xffffffff81001000"],
  ["E8 FB 1E 00 00", "call 0xffffffff81001f00"],
  ["74 0E", "je8 0xffffffff81000010"],
  ["7F 80", "jg8 0xffffffff80ffff82"],
  ["0F 84 FA 0F 00 00", "je 0xffffffff81001000"],
  ["0F 8F FA FF FF FF", "jg 0xffffffff81000000"],
  ["0F 0B", "ud2"],
  ["0F B9 CC", "ud1"],
  ["0F B9 F8", "ud1 edi, eax"],
  ["2E 2E 2E 31 C0", "xor5rax"],
  ["67 48 0F B9 3A", "warninsn"],
  ["3E 3E C6 07 00", "unlockinsn"],
  ["0F 01 E8", "serialize"],
  ["0F A2", "cpuid"],
  ["48 CF", "iretq"],
  ["48 8D 64 24 80", "lea rsp, [rsp-0x80]"],
  ["C2 80 00", "ret 0x80"],
  ["F3 0F 1E FA", "endbr64"],
  ["F3 90", "pause"],
  ["0F AE F0", "mfence"],
  ["0F AE E8", "lfence"],
  ["0F AE F8", "sfence"],
  ["F4", "hlt"],
  ["C9", "leave"],
  ["0F 00 D0", "lldt ax"],
  ["55", "push rbp"],
  ["41 5F", "pop r15"],
  ["6A 80", "push -0x80"],
  ["68 80 00 00 00", "push 0x80"],
  ["00 00", "add byte ptr [rax], al"],
  ["FF 25 10 00 00 00", "jmp qword ptr [rip+0x10]"],
  ["FF 14 C5 00 00 00 80", "call qword ptr [rax*8-0x80000000]"],
  ["FF E0", "jmp rax"],
  ["41 FF D3", "call r11"],
  ["B8 01 00 00 00", "mov eax, 0x1"],
  ["48 C7 C0 00 00 00 81", "mov rax, 0xffffffff81000000"],
  ["48 B8 F0 DE BC 9A 78 56 34 12", "movabs rax, 0x123456789abcdef0"],
  ["B4 7F", "mov ah, 0x7f"],
  ["40 B4 7F", "mov spl, 0x7f"],
  ["65 48 8B 04 25 28 00 00 00", "mov rax, qword ptr gs:[0x28]"],
  ["66 89 45 00", "mov word ptr [rbp], ax"],
  ["4A 8B 44 25 08", "mov rax, qword ptr [rbp+r12*1+0x8]"],
  ["48 83 EC 08", "sub rsp, 0x8"],
  ["81 F9 80 00 00 00", "cmp ecx, 0x80"],
  ["F0 48 FF 00", "lock inc qword ptr [rax]"],
  ["87 0A", "xchg dword ptr [rdx], ecx"],
  ["41 90", "xchg r8d, eax"],
  ["87 C0", "xchg eax, eax"],
  ["C1 E0 05", "shl eax, 0x5"],
  ["48 D3 F8", "sar rax, cl"],
  ["48 63 C8", "movsxd rcx, eax"],
  ["0F B7 00", "movzx eax, word ptr [rax]"],
  ["0F 94 C0", "sete al"],
  ["48 0F 4C C1", "cmovl rax, rcx"],
  ["48 6B C0 0A", "imul rax, rax, 0xa"],
];

describe("encodings", () => {
  it.each(encodings)("%s is %s", (hexadecimal, text) => {
    const bytes = bytesOf(hexadecimal);
    expect(decoded(bytes).length).toBe(bytes.length);
    expect(format(decoded(bytes), at)).toBe(text);
    expect(assemble(text, at)).toEqual(bytes);
  });

  it("shows every no-operation by its length alone", () => {
    // What a removed uprobe leaves: the call's displacement in the operand bytes.
    const removed = bytesOf("66 2E 0F 1F 84 E8 78 56 34 12");
    expect(format(decoded(removed), at)).toBe("nop10");
    expect(decoded(removed)).toEqual(decoded(bytesOf("66 2E 0F 1F 84 00 00 00 00 00")));
  });

  it("accepts other spellings", () => {
    expect(assemble("  JMP8   .+0x12 ", at)).toEqual([0xeb, 0x10]);
    expect(assemble("jmp8 .", at)).toEqual([0xeb, 0xfe]);
    expect(assemble("jmp32 .-0", at)).toEqual([0xe9, 0xfb, 0xff, 0xff, 0xff]);
    expect(assemble("jz32 .+6", at)).toEqual([0x0f, 0x84, 0, 0, 0, 0]);
    expect(assemble("jnae8 .+2", at)).toEqual([0x72, 0]);
    expect(assemble("call 4096", 0n)).toEqual([0xe8, 0xfb, 0x0f, 0, 0]);
    expect(assemble("mov rax, [rbx + 8]", at)).toEqual([0x48, 0x8b, 0x43, 0x08]);
    expect(assemble(".byte 0xcc, 144", at)).toEqual([0xcc, 0x90]);
  });

  it("extends the sign of a displacement, which may be written as an address of 64 bits", () => {
    const place = [0x04, 0x25, 0, 0, 0, 0x82];
    expect(assemble("mov rax, [0xffffffff82000000]", at)).toEqual([0x48, 0x8b, ...place]);
    expect(assemble("mov rax, [0xffffffff81fffff8 + 8]", at)).toEqual([0x48, 0x8b, ...place]);
    expect(assemble("mov rax, [rbx+0xfffffffffffffff8]", at)).toEqual(assemble("mov rax, [rbx-8]", at));
    expect(assemble("mov rax, [ebx+0xfffffff8]", at)).toEqual(assemble("mov rax, [ebx-8]", at));
    for (const far of ["[0x82000000]", "[0xffffffff7fffffff]", "[0x1ffffffff82000000]", "[rbx+0x80000000]"])
      expect(() => assemble(`mov rax, ${far}`, at)).toThrow("has no encoding with these operands.");
  });

  it("lets a branch wrap around the address space", () => {
    expect(assemble("jmp8 0x10", 0xfffffffffffffff0n)).toEqual([0xeb, 0x1e]);
    expect(format(decoded([0xeb, 0x1e]), 0xfffffffffffffff0n)).toBe("jmp8 0x10");
  });

  it.each([
    ["jmp8 .+130", /"jmp8" at 0xffffffff81000000 .* 128 bytes from the end .* allowed are -128 to 127\.$/],
    [
      "call 0xffffffff00000000",
      /"call" at 0xffffffff81000000 cannot reach 0xffffffff00000000: .* allowed are -2147483648 to 2147483647\.$/,
    ],
    ["frob rax", /"frob rax" is not an instruction known here: no "frob"/],
    ["mov rax, rflags", /"mov rax, rflags" has an operand that is no register/],
    ["mov [rdi], 0", /"mov \[rdi\], 0" has no encoding/],
    ["mov ah, r8b", /has no encoding/],
    ["mov eax, [rax+ecx]", /has an operand that is no register/],
    ["mov eax, [rax+rsp*2]", /has an operand that is no register/],
    ["push eax", /has no encoding/],
    ["lock mov [rax], rax", /has no encoding/],
    ["mov eax, 0x100000000", /has no encoding/],
    ["je8", /has no encoding/],
    [".byte 256", /needs numbers from 0x00 to 0xff/],
    ["", /is not an instruction known here/],
  ])("refuses %s", (text, message) => {
    expect(() => assemble(text, at)).toThrow(message);
    expect(() => assemble(text, at)).toThrow(expect.objectContaining({ name: "InputError" }));
  });

  it("assembles what it shows to the same instruction, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 15, maxLength: 15 }), (bytes) => {
        const insn = decode([...bytes], "");
        if (typeof insn === "string") return;
        const again = decoded(assemble(format(insn, at), at));
        // Prefixes without effect and longer forms of a constant have no text: then only the meaning is kept.
        if (again.length === insn.length) expect(again).toEqual(insn);
        else expect(format(again, at)).toBe(format(insn, at));
      }),
      { numRuns: 5000, seed: 1 },
    );
  });
});
