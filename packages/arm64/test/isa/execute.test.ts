import type { Outcome, Registers } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { type Arm64Instruction, arm64InstructionSet, exceptionEntry } from "../../src/isa/index.js";

const { assemble, decode, enter, execute } = arm64InstructionSet;
const at = 0xffff800008000000n;
const ones = 0xffffffffffffffffn;
const zero = 0x40000000n;

const insnOf = (text: string): Arm64Instruction => decode(assemble(text, at), "") as Arm64Instruction;
const run = (text: string, registers: Registers = {}, loaded?: readonly bigint[]): Outcome =>
  execute(insnOf(text), at, registers, loaded);

describe("control flow", () => {
  it("links a call", () => {
    const outcome = { do: "retire", registers: { x30: at + 4n }, next: at + 0x100n, link: at + 4n };
    expect(run("bl .+0x100")).toEqual(outcome);
    expect(run("blr x1", { x1: at + 0x100n })).toEqual(outcome);
    // The target is read before the link is written.
    expect(run("blr x30", { x30: at + 0x100n })).toEqual(outcome);
  });

  it("returns to the link register or another one", () => {
    expect(run("ret", { x30: at })).toEqual({ do: "retire", registers: {}, next: at });
    expect(run("ret x1", { x1: at, x30: 0n })).toMatchObject({ next: at });
    expect(run("br x1", { x1: at })).toEqual({ do: "retire", registers: {}, next: at });
  });

  it.each([
    ["b.eq .+16", { nzcv: zero }, {}],
    ["b.lt .+16", { nzcv: 0x80000000n }, { nzcv: 0x90000000n }],
    ["b.hi .+16", { nzcv: 0x20000000n }, { nzcv: 0x60000000n }],
    ["cbz w0, .+16", { x0: 0x100000000n }, { x0: 1n }],
    ["cbnz x0, .+16", { x0: 0x100000000n }, {}],
    ["tbz w0, #3, .+16", { x0: ~8n & ones }, { x0: 8n }],
    ["tbnz x0, #63, .+16", { x0: 1n << 63n }, { x0: 1n << 62n }],
  ] as [string, Registers, Registers][])("%s is taken or not", (text, taken, not) => {
    expect(run(text, taken)).toEqual({ do: "retire", registers: {}, next: at + 16n });
    expect(run(text, not)).toEqual({ do: "retire", registers: {}, next: at + 4n });
  });

  it("always takes AL and NV", () => {
    expect(run("b.al .+16")).toMatchObject({ next: at + 16n });
    expect(run("b.nv .+16", { nzcv: zero })).toMatchObject({ next: at + 16n });
  });

  it("enters a function by the link register", () => {
    expect(enter(at, 0x1000n)).toEqual({ registers: { x30: at, sp: 0x1000n }, stores: [] });
  });
});

describe("traps and steps of the machine", () => {
  it.each([
    ["brk #4", { do: "trap", vector: "brk", resume: at }],
    ["svc #0", { do: "trap", vector: "svc", resume: at + 4n }],
    ["hvc #0", { do: "trap", vector: "hvc", resume: at + 4n }],
    ["smc #0", { do: "trap", vector: "smc", resume: at + 4n }],
    ["udf #0", { do: "trap", vector: "ud", resume: at }],
    ["hlt #0", { do: "trap", vector: "ud", resume: at }],
    ["dcps1 #0xdead", { do: "trap", vector: "ud", resume: at }],
    ...["isb", "dmb ish", "dmb ishld", "dmb st", "dmb sy", "dsb ish", "dsb ishst", "dsb nsh", "ssbb", "pssbb"].map(
      (step): [string, object] => [step, { do: "operate", step, registers: {}, next: at + 4n }],
    ),
    ["dsb #8", { do: "operate", step: "dsb sy", registers: {}, next: at + 4n }],
    ["isb #1", { do: "operate", step: "isb", registers: {}, next: at + 4n }],
    ["dc cvau, x0", { do: "operate", step: "dc cvau", registers: {}, next: at + 4n, address: 0x2004n }],
    ["dc civac, xzr", { do: "operate", step: "dc civac", registers: {}, next: at + 4n, address: 0n }],
    ["ic ivau, x0", { do: "operate", step: "ic ivau", registers: {}, next: at + 4n, address: 0x2004n }],
    ["ic iallu", { do: "operate", step: "ic iallu", registers: {}, next: at + 4n }],
    ["ic ialluis", { do: "operate", step: "ic ialluis", registers: {}, next: at + 4n }],
    ["nop", { do: "retire", registers: {}, next: at + 4n }],
    ["bti c", { do: "retire", registers: {}, next: at + 4n }],
    ["paciasp", { do: "retire", registers: {}, next: at + 4n }],
    ["hint #100", { do: "retire", registers: {}, next: at + 4n }],
  ])("%s", (text, outcome) => expect(run(text, { x0: 0x2004n })).toEqual(outcome));

  it("returns from an exception to where it came from", () => {
    const entered = exceptionEntry({ x0: 1n, nzcv: zero }, at + 8n);
    expect(entered).toEqual({ x0: 1n, nzcv: zero, elr_el1: at + 8n, spsr_el1: zero });
    const changed = { ...entered, nzcv: 0n };
    expect(run("eret", changed)).toEqual({ do: "operate", step: "eret", registers: { nzcv: zero }, next: at + 8n });
  });

  it("moves to and from system registers", () => {
    expect(run("msr elr_el1, x0", { x0: at })).toMatchObject({ registers: { elr_el1: at } });
    expect(run("mrs x0, elr_el1", { elr_el1: at })).toMatchObject({ registers: { x0: at } });
    expect(run("msr nzcv, x0", { x0: ones })).toMatchObject({ registers: { nzcv: 0xf0000000n } });
    expect(run("mrs xzr, tpidr_el1", { tpidr_el1: 5n })).toMatchObject({ registers: {} });
  });

  it("faults where an alignment is asked for", () => {
    const fault = { do: "trap", vector: "pf", resume: at };
    expect(run("ldar x0, [x1]", { x1: 0x1004n })).toEqual(fault);
    expect(run("stlr x0, [x1]", { x1: 0x1004n })).toEqual(fault);
    expect(run("ldadd w0, w2, [x1]", { x1: 0x1002n })).toEqual(fault);
    expect(run("ldr x0, [sp, #8]", { sp: 0x1008n })).toEqual(fault);
    expect(run("ldr x0, [x1]", { x1: 0x1001n })).toMatchObject({ do: "load" });
    expect(execute(insnOf("nop"), at + 2n, {})).toEqual({ do: "trap", vector: "pf", resume: at + 2n });
  });
});

describe("memory", () => {
  it("loads what it asked for and extends it", () => {
    const load = { do: "load", from: [{ address: 0x1004n, size: 4, tags: [] }] };
    expect(run("ldr w0, [x1, #4]", { x1: 0x1000n })).toEqual(load);
    expect(run("ldrsw x0, [x1, #4]", { x1: 0x1000n })).toEqual(load);
    expect(run("ldr w0, [x1, #4]", { x0: ones }, [0x80000000n])).toMatchObject({ registers: { x0: 0x80000000n } });
    expect(run("ldrsw x0, [x1]", {}, [0x80000000n])).toMatchObject({ registers: { x0: 0xffffffff80000000n } });
    expect(run("ldrsb w0, [x1]", {}, [0x80n])).toMatchObject({ registers: { x0: 0xffffff80n } });
    expect(run("ldr x16, .+8")).toEqual({ do: "load", from: [{ address: at + 8n, size: 8, tags: [] }] });
  });

  it("extends and scales an index", () => {
    const registers = { x1: 0x1000n, x2: 0xffffffffn };
    expect(run("ldr w0, [x1, w2, sxtw #2]", registers)).toMatchObject({ from: [{ address: 0xffcn }] });
    expect(run("ldr w0, [x1, w2, uxtw]", registers)).toMatchObject({ from: [{ address: 0x100000fffn }] });
    expect(run("ldr w0, [x1, x2]", registers)).toMatchObject({ from: [{ address: 0x100000fffn }] });
  });

  it("writes the base back before or after", () => {
    const stores = (address: bigint) => [
      { address, size: 8, value: 1n, tags: [] },
      { address: address + 8n, size: 8, value: 2n, tags: [] },
    ];
    const registers = { x29: 1n, x30: 2n, sp: 0x1000n };
    expect(run("stp x29, x30, [sp, #-16]!", registers)).toEqual({
      do: "retire",
      registers: { sp: 0xff0n },
      next: at + 4n,
      stores: stores(0xff0n),
    });
    expect(run("stp x29, x30, [sp], #16", registers)).toMatchObject({
      registers: { sp: 0x1010n },
      stores: stores(0x1000n),
    });
    expect(run("ldp w0, w1, [sp], #8", registers)).toMatchObject({
      from: [{ address: 0x1000n }, { address: 0x1004n }],
    });
    expect(run("ldp w0, w1, [sp], #8", registers, [5n, 6n])).toMatchObject({
      registers: { x0: 5n, x1: 6n, sp: 0x1008n },
    });
  });

  it("says what is ordered", () => {
    expect(run("ldar x0, [x1]")).toMatchObject({ from: [{ tags: ["acquire"] }] });
    expect(run("ldapr x0, [x1]")).toMatchObject({ from: [{ tags: ["acquire-pc"] }] });
    expect(run("stlr x0, [x1]")).toMatchObject({ stores: [{ tags: ["release"] }] });
  });

  it("loads and stores at once", () => {
    const registers = { x0: 3n, x2: 0x1000n };
    expect(run("ldaddal x0, x1, [x2]", registers)).toMatchObject({ from: [{ tags: ["locked", "acquire"] }] });
    expect(run("ldaddal xzr, xzr, [x2]", registers)).toMatchObject({ from: [{ tags: ["locked"] }] });
    expect(run("ldaddal x0, x1, [x2]", registers, [5n])).toMatchObject({
      registers: { x1: 5n },
      stores: [{ address: 0x1000n, value: 8n, tags: ["locked", "release"] }],
    });
    expect(run("ldclrb w0, w1, [x2]", registers, [0xffn])).toMatchObject({ stores: [{ size: 1, value: 0xfcn }] });
    expect(run("ldeor w0, w1, [x2]", registers, [1n])).toMatchObject({ stores: [{ value: 2n }] });
    expect(run("ldset w0, w1, [x2]", registers, [4n])).toMatchObject({ stores: [{ value: 7n }] });
    expect(run("swp w0, w1, [x2]", registers, [4n])).toMatchObject({ registers: { x1: 4n }, stores: [{ value: 3n }] });
  });

  it("stores after a comparison that succeeds alone", () => {
    const registers = { x0: 0x103n, x1: 9n, x2: 0x1000n };
    expect(run("casab w0, w1, [x2]", registers)).toMatchObject({ from: [{ size: 1, tags: ["locked", "acquire"] }] });
    expect(run("casab w0, w1, [x2]", registers, [3n])).toMatchObject({
      registers: { x0: 3n },
      stores: [{ value: 9n }],
    });
    expect(run("cas x0, x1, [x2]", registers, [3n])).toEqual({ do: "retire", registers: { x0: 3n }, next: at + 4n });
  });
});

describe("data", () => {
  it("tells changed registers alone", () => {
    expect(run("mov x0, #5", { x0: 5n })).toMatchObject({ registers: {} });
    expect(run("cmp x0, x0")).toMatchObject({ registers: { nzcv: 0x60000000n } });
    expect(run("adds xzr, x0, #1")).toMatchObject({ registers: {} });
  });

  it.each([
    ["add w0, w1, #1", { x0: ones, x1: 0xffffffffn }, { x0: 0n }],
    ["subs w0, w1, #1", { x1: 0x80000000n }, { x0: 0x7fffffffn, nzcv: 0x30000000n }],
    ["adds x0, x1, x1", { x1: 1n << 63n }, { nzcv: 0x70000000n }],
    ["sbcs x0, x1, x2", { x1: 5n, x2: 5n }, { x0: ones, nzcv: 0x80000000n }],
    ["ands w0, w1, #0x80000000", { x1: ones, nzcv: 0x30000000n }, { x0: 0x80000000n, nzcv: 0x80000000n }],
    ["add x0, x1, w2, sxtb #2", { x1: 16n, x2: 0xffn }, { x0: 12n }],
    ["movk x0, #1, lsl #48", { x0: 7n }, { x0: 0x0001000000000007n }],
    ["csel x0, x1, x2, eq", { x1: 1n, x2: 2n, nzcv: zero }, { x0: 1n }],
    ["csel w0, w1, w2, eq", { x1: 1n, x2: 0x100000002n }, { x0: 2n }],
    ["csinc x0, x1, x2, eq", { x1: 1n, x2: 2n }, { x0: 3n }],
    ["cset w0, ne", {}, { x0: 1n }],
    ["csetm w0, ne", {}, { x0: 0xffffffffn }],
    ["ccmp x1, #1, #0xa, eq", { x1: 1n, nzcv: zero }, { nzcv: 0x60000000n }],
    ["ccmp x1, #1, #0xa, eq", { x1: 1n }, { nzcv: 0xa0000000n }],
    ["bfi x0, x1, #8, #4", { x0: ones, x1: 0n }, { x0: 0xfffffffffffff0ffn }],
    ["sbfx x0, x1, #4, #4", { x1: 0x80n }, { x0: 0xfffffffffffffff8n }],
    ["sdiv w0, w1, w2", { x1: 0x80000000n, x2: 0xffffffffn }, { x0: 0x80000000n }],
    ["udiv x0, x1, x2", { x0: 1n, x1: 7n }, { x0: 0n }],
    ["smulh x0, x1, x2", { x1: ones, x2: 2n }, { x0: ones }],
    ["umull x0, w1, w2", { x1: ones, x2: ones }, { x0: 0xfffffffe00000001n }],
    ["adr x0, .-4", {}, { x0: at - 4n }],
    ["adrp x0, .+0x1000", {}, { x0: at + 0x1000n }],
  ] as [string, Registers, Registers][])("%s", (text, before, changed) => {
    const outcome = run(text, before);
    if (outcome.do !== "retire") throw new Error(`${text} does not retire`);
    expect(outcome.registers).toEqual(changed);
  });
});
