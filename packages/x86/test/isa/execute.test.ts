import type { Outcome, Registers } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { type X86Instruction, x86InstructionSet } from "../../src/isa/index.js";

const { assemble, decode, enter, execute, inputs } = x86InstructionSet;
const at = 0xffffffff81000000n;
const stack = 0xffffc90000001000n;
const nonCanonical = 0x0000800000000000n;

const insnOf = (text: string): X86Instruction => decode(assemble(text, at), "") as X86Instruction;
const run = (text: string, registers: Registers = {}, loaded?: readonly bigint[]): Outcome =>
  execute(insnOf(text), at, registers, loaded);

describe("control flow", () => {
  it("links a call", () => {
    expect(run("call .+0x100", { rsp: stack })).toEqual({
      do: "retire",
      registers: { rsp: stack - 8n },
      next: at + 0x100n,
      stores: [{ address: stack - 8n, size: 8, value: at + 5n, tags: [] }],
      link: at + 5n,
    });
  });

  it("loads the target of an indirect call before it pushes", () => {
    const load = { do: "load", from: [{ address: at + 0x16n, size: 8, tags: [] }] };
    expect(run("call [rip+0x10]", { rsp: stack })).toEqual(load);
    expect(run("call [rip+0x10]", { rsp: stack }, [at])).toMatchObject({ next: at, link: at + 6n });
  });

  it("returns to what lies on the stack", () => {
    expect(run("ret", { rsp: stack })).toEqual({ do: "load", from: [{ address: stack, size: 8, tags: [] }] });
    expect(run("ret", { rsp: stack }, [at])).toEqual({ do: "retire", registers: { rsp: stack + 8n }, next: at });
    expect(run("ret 0x80", { rsp: stack }, [at])).toMatchObject({ registers: { rsp: stack + 0x88n } });
  });

  it("faults at a branch to a non-canonical address", () => {
    const fault = { do: "trap", vector: "gp", resume: at };
    expect(run("ret", { rsp: stack }, [nonCanonical])).toEqual(fault);
    expect(run("jmp rax", { rax: nonCanonical })).toEqual(fault);
    expect(run("call rax", { rax: nonCanonical, rsp: stack })).toEqual(fault);
  });

  it("takes a branch by the flags", () => {
    expect(run("je .+0x10", { rflags: 0x40n })).toMatchObject({ next: at + 0x10n });
    expect(run("je .+0x10", {})).toMatchObject({ next: at + 6n });
    expect(run("jl8 .+0x10", { rflags: 0x880n })).toMatchObject({ next: at + 2n });
  });

  it("enters a function with the return address on the stack", () => {
    expect(enter(at, stack)).toEqual({
      registers: { rsp: stack - 8n },
      stores: [{ address: stack - 8n, size: 8, value: at, tags: [] }],
    });
  });
});

describe("traps and steps of the machine", () => {
  it.each([
    ["int3", { do: "trap", vector: "int3", resume: at + 1n }],
    ["ud2", { do: "trap", vector: "ud", resume: at }],
    ["warninsn", { do: "trap", vector: "ud", resume: at }],
    ["hlt", { do: "trap", vector: "gp", resume: at }],
    ["serialize", { do: "operate", step: "serialize", registers: {}, next: at + 3n }],
    ["mfence", { do: "operate", step: "mfence", registers: {}, next: at + 3n }],
    ["lfence", { do: "operate", step: "lfence", registers: {}, next: at + 3n }],
    ["sfence", { do: "operate", step: "sfence", registers: {}, next: at + 3n }],
    ["cpuid", { do: "operate", step: "cpuid", registers: { rax: 0n }, next: at + 2n }],
    ["nop5", { do: "retire", registers: {}, next: at + 5n }],
    ["endbr64", { do: "retire", registers: {}, next: at + 4n }],
  ])("%s", (text, outcome) => expect(run(text, { rax: 1n })).toEqual(outcome));

  it("returns from an interrupt by the five words on the stack", () => {
    const words = [at, 0x10n, 0x246n, stack, 0x18n];
    const places = [0n, 8n, 16n, 24n, 32n].map((place) => ({ address: 0x1000n + place, size: 8, tags: [] }));
    expect(run("iretq", { rsp: 0x1000n })).toEqual({ do: "load", from: places });
    expect(run("iretq", { rsp: 0x1000n }, words)).toEqual({
      do: "operate",
      step: "iret",
      registers: { rsp: stack, rflags: 0x44n },
      next: at,
    });
    expect(run("iretq", { rsp: 0x1000n }, [nonCanonical, ...words.slice(1)])).toMatchObject({ vector: "gp" });
  });

  it("faults at a non-canonical access, by the stack or not", () => {
    expect(run("mov rax, [rbx]", { rbx: nonCanonical - 1n })).toMatchObject({ do: "trap", vector: "gp" });
    expect(run("mov rax, [rbp]", { rbp: nonCanonical })).toMatchObject({ do: "trap", vector: "ss" });
    expect(run("mov rax, gs:[rbp]", { rbp: nonCanonical })).toMatchObject({ do: "trap", vector: "gp" });
    expect(run("push rax", { rsp: nonCanonical + 8n })).toMatchObject({ do: "trap", vector: "ss" });
    expect(run("lea rax, [rbx]", { rbx: nonCanonical })).toMatchObject({ registers: { rax: nonCanonical } });
  });
});

describe("data", () => {
  it("tells changed registers alone", () => {
    expect(run("mov rax, 5", { rax: 5n })).toMatchObject({ registers: {} });
    expect(run("xor eax, eax", {})).toMatchObject({ registers: { rflags: 0x44n } });
    expect(run("xor5rax", { rax: 7n, rflags: 0x44n })).toMatchObject({ registers: { rax: 0n }, next: at + 5n });
  });

  it("clears the upper half with a 32-bit result alone", () => {
    const ones = 0xffffffffffffffffn;
    expect(run("mov eax, ecx", { rax: ones })).toMatchObject({ registers: { rax: 0n } });
    expect(run("mov ax, cx", { rax: ones })).toMatchObject({ registers: { rax: 0xffffffffffff0000n } });
    expect(run("mov ah, cl", { rax: ones })).toMatchObject({ registers: { rax: 0xffffffffffff00ffn } });
    expect(run("cmove eax, ecx", { rax: ones })).toMatchObject({ registers: { rax: 0xffffffffn } });
  });

  it("locks a read-modify-write with LOCK, and XCHG always", () => {
    const load = { address: 0x2000n, size: 4, tags: ["locked"] };
    expect(run("lock inc dword ptr [rdi]", { rdi: 0x2000n })).toEqual({ do: "load", from: [load] });
    expect(run("lock inc dword ptr [rdi]", { rdi: 0x2000n }, [1n])).toMatchObject({ stores: [{ ...load, value: 2n }] });
    expect(run("xchg [rdi], eax", { rdi: 0x2000n, rax: 9n }, [1n])).toMatchObject({
      registers: { rax: 1n },
      stores: [{ ...load, value: 9n }],
    });
  });

  it("forms an address by way of a popped RSP after the increment", () => {
    expect(run("pop qword ptr [rsp]", { rsp: stack }, [5n])).toMatchObject({
      registers: { rsp: stack + 8n },
      stores: [{ address: stack + 8n, value: 5n }],
    });
    expect(run("pop rsp", { rsp: stack }, [5n])).toMatchObject({ registers: { rsp: 5n } });
    expect(run("push rsp", { rsp: stack })).toMatchObject({ stores: [{ address: stack - 8n, value: stack }] });
  });

  it("adds the base of FS and GS", () => {
    const load = { do: "load", from: [{ address: 0x1028n, size: 8, tags: [] }] };
    expect(run("mov rax, gs:[0x28]", { gs_base: 0x1000n })).toEqual(load);
  });

  it("exchanges overlapping parts of a register", () => {
    expect(run("xchg al, ah", { rax: 0x1234n })).toMatchObject({ registers: { rax: 0x3412n } });
  });

  it.each([
    ["shl eax, 0x1", 0x80000001n, 0x2n, 0x811n],
    ["shr eax, 0x4", 0x80000018n, 0x08000001n, 0x11n],
    ["sar al, 0x1f", 0x80n, 0xffn, 0x95n],
    ["imul eax, eax, 0x2", 0x7fffffffn, 0xfffffffen, 0x801n],
    ["neg eax", 1n, 0xffffffffn, 0x95n],
    ["not eax", 0n, 0xffffffffn, 0n],
    ["inc al", 0x7fn, 0x80n, 0x890n],
  ])("%s", (text, before, after, flags) => {
    const outcome = run(text, { rax: before });
    if (outcome.do !== "retire") throw new Error(`${text} does not retire`);
    expect({ rax: before, rflags: 0n, ...outcome.registers }).toEqual({ rax: after, rflags: flags });
  });
});

describe("exchanges, bits and strings", () => {
  const place = { rdi: 0x2000n };

  it("stores the old value where a comparison fails, under LOCK at one moment", () => {
    const load = { address: 0x2000n, size: 4, tags: ["locked"] };
    const compare = (rax: bigint) => run("lock cmpxchg dword ptr [rdi], ecx", { ...place, rax, rcx: 7n }, [5n]);
    expect(compare(5n)).toMatchObject({ registers: { rflags: 0x44n }, stores: [{ ...load, value: 7n }] });
    expect(compare(6n)).toMatchObject({ registers: { rax: 5n }, stores: [{ ...load, value: 5n }] });
    expect(run("lock xadd dword ptr [rdi], ecx", { ...place, rcx: 7n }, [5n])).toMatchObject({
      registers: { rcx: 5n },
      stores: [{ ...load, value: 12n }],
    });
  });

  it("finds a bit beyond the operand by a register, and inside it by a constant", () => {
    const at16 = { do: "load", from: [{ address: 0x2010n, size: 8, tags: [] }] };
    expect(run("bt qword ptr [rdi], rcx", { ...place, rcx: 129n })).toEqual(at16);
    expect(run("bt qword ptr [rdi], rcx", { ...place, rcx: 129n }, [2n])).toMatchObject({ registers: { rflags: 1n } });
    expect(run("bts qword ptr [rdi], 0x41", place, [0n])).toMatchObject({ stores: [{ address: 0x2000n, value: 2n }] });
    expect(run("btr dword ptr [rdi], ecx", { ...place, rcx: 0xffffffffn })).toMatchObject({
      from: [{ address: 0x1ffcn }],
    });
  });

  it("repeats a store once for each execution, and goes on behind it with RCX at 0", () => {
    const repeated = (rcx: bigint) => run("rep stosq", { ...place, rax: 9n, rcx });
    expect(repeated(2n)).toEqual({
      do: "retire",
      registers: { rdi: 0x2008n, rcx: 1n },
      next: at,
      stores: [{ address: 0x2000n, size: 8, value: 9n, tags: [] }],
    });
    expect(repeated(1n)).toMatchObject({ next: at + 3n });
    expect(repeated(0n)).toEqual({ do: "retire", registers: {}, next: at + 3n });
    expect(run("movsd", { rsi: 0x1000n, ...place }, [3n])).toMatchObject({ registers: { rsi: 0x1004n, rdi: 0x2004n } });
  });

  it("divides twice the width, and faults where the quotient does not fit", () => {
    const fault = { do: "trap", vector: "de", resume: at };
    expect(run("div rcx", { rax: 7n, rdx: 1n, rcx: 16n })).toMatchObject({
      registers: { rax: 0x1000000000000000n, rdx: 7n },
    });
    expect(run("idiv ecx", { rax: 0xfffffff9n, rdx: 0xffffffffn, rcx: 2n })).toMatchObject({
      registers: { rax: 0xfffffffdn },
    });
    expect(run("div cl", { rax: 0x200n, rcx: 2n })).toEqual(fault);
    expect(run("idiv rcx", { rax: 1n })).toEqual(fault);
  });

  it("changes nothing where the effect is not modelled", () => {
    expect(run("rdtsc", { rax: 1n, rdx: 2n })).toEqual({ do: "retire", registers: {}, next: at + 2n });
    expect(inputs(insnOf("popcnt rax, rcx"))).toEqual([]);
  });
});

describe("inputs", () => {
  it.each([
    ["cmpxchg [rbx], rcx", ["rax data", "rbx address", "rcx data"]],
    ["bt [rbx], rcx", ["rflags data", "rcx address", "rbx address", "rcx data"]],
    ["rep movsq", ["rsi address", "rdi address", "rcx branch", "rcx data"]],
    ["div rcx", ["rax data", "rdx data", "rcx data"]],
    ["nop5", []],
    ["ret", ["rsp address"]],
    ["je .", ["rflags branch"]],
    ["jmp rax", ["rax branch"]],
    ["jmp [rip+0]", []],
    ["mov rax, [rbx+rcx*8]", ["rbx address", "rcx address"]],
    ["mov [rbx], rcx", ["rbx address", "rcx data"]],
    ["mov al, cl", ["rax data", "rcx data"]],
    ["lea rax, [rbx+rcx]", ["rbx data", "rcx data"]],
    ["add rax, rbx", ["rax data", "rbx data"]],
    ["adc rax, 1", ["rflags data", "rax data"]],
    ["push rbp", ["rsp address", "rbp data"]],
    ["mov rax, gs:[0]", ["gs_base address"]],
    ["cpuid", ["rax data", "rcx data"]],
    ["ud1", []],
  ])("of %s", (text, registers) => {
    expect(inputs(insnOf(text)).map(({ register, role }) => `${register} ${role}`)).toEqual(registers);
  });
});
