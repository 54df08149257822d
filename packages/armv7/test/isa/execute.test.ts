import type { Access, Outcome, Registers } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { type Armv7Instruction, armv7InstructionSet, type Mode } from "../../src/index.js";

const { assemble, decode, enter, execute } = armv7InstructionSet;
const at = 0x80100000n;
const stack = 0x7ff00000n;

const insnOf = (mode: Mode, text: string): Armv7Instruction => {
  const insn = decode(assemble(text, at, mode), mode);
  if (typeof insn === "string") throw new Error(`${text} is ${insn}`);
  return insn;
};
const run = (mode: Mode, text: string, registers: Registers = {}, loaded?: readonly bigint[]): Outcome =>
  execute(insnOf(mode, text), at, registers, loaded);
const word = (address: bigint, value?: bigint): Access => ({
  address,
  size: 4,
  ...(value !== undefined && { value }),
  tags: [],
});

describe("control flow", () => {
  it("links a call", () => {
    const link = at + 4n;
    expect(run("a32", "bl .+0x100")).toEqual({ do: "retire", registers: { lr: link }, next: at + 0x100n, link });
    expect(run("t32", "bl .+0x100")).toEqual({ do: "retire", registers: { lr: link + 1n }, next: at + 0x100n, link });
    expect(run("t32", "blx r3", { r3: at + 0x101n })).toEqual({
      do: "retire",
      registers: { lr: at + 3n },
      next: at + 0x100n,
      link: at + 2n,
    });
  });

  it("changes the mode by the lowest bit of an address", () => {
    expect(run("a32", "bx lr", { lr: at + 1n })).toEqual({ do: "retire", registers: {}, next: at, mode: "t32" });
    expect(run("a32", "bx lr", { lr: at })).toEqual({ do: "retire", registers: {}, next: at });
    expect(run("t32", "bx lr", { lr: at })).toEqual({ do: "retire", registers: {}, next: at, mode: "a32" });
    expect(run("t32", "bx lr", { lr: at + 1n })).toEqual({ do: "retire", registers: {}, next: at });
    expect(run("t32", "bx pc")).toEqual({ do: "retire", registers: {}, next: at + 4n, mode: "a32" });
    expect(run("a32", "mov pc, r0", { r0: at + 1n })).toMatchObject({ next: at, mode: "t32" });
    expect(run("t32", "mov pc, r0", { r0: at + 1n })).toEqual({ do: "retire", registers: {}, next: at });
    expect(run("t32", "mov pc, r0", { r0: at })).toEqual({ do: "retire", registers: {}, next: at });
  });

  it("changes the mode in a call with BLX", () => {
    expect(run("a32", "blx .+0x102")).toEqual({
      do: "retire",
      registers: { lr: at + 4n },
      next: at + 0x102n,
      link: at + 4n,
      mode: "t32",
    });
    expect(execute(insnOf("t32", "blx .+0x100"), at + 2n, {})).toMatchObject({ next: at + 0x100n, mode: "a32" });
  });

  it("aborts the fetch at a target that neither mode has", () => {
    expect(run("a32", "bx lr", { lr: at + 2n })).toEqual({ do: "trap", vector: "pf", resume: at + 2n });
  });

  it.each(["ldr pc, [pc, #-4]", "ldr pc, [pc]"])("goes to what %s loads", (text) => {
    const place = text.includes("-4") ? at + 4n : at + 8n;
    expect(run("a32", text)).toEqual({ do: "load", from: [word(place)] });
    expect(run("a32", text, {}, [at + 0x11n])).toEqual({ do: "retire", registers: {}, next: at + 0x10n, mode: "t32" });
  });

  it("pops a return address", () => {
    const registers = { sp: stack };
    expect(run("t32", "pop {r4, pc}", registers)).toEqual({ do: "load", from: [word(stack), word(stack + 4n)] });
    expect(run("t32", "pop {r4, pc}", registers, [7n, at])).toEqual({
      do: "retire",
      registers: { r4: 7n, sp: stack + 8n },
      next: at,
      mode: "a32",
    });
  });

  it.each([
    ["eq", { z: 1n }, {}],
    ["ne", {}, { z: 1n }],
    ["hs", { c: 1n }, {}],
    ["lo", {}, { c: 1n }],
    ["mi", { n: 1n }, {}],
    ["pl", {}, { n: 1n }],
    ["vs", { v: 1n }, {}],
    ["vc", {}, { v: 1n }],
    ["hi", { c: 1n }, { c: 1n, z: 1n }],
    ["ls", { c: 1n, z: 1n }, { c: 1n }],
    ["ge", { n: 1n, v: 1n }, { v: 1n }],
    ["lt", { n: 1n }, {}],
    ["gt", { n: 1n, v: 1n }, { n: 1n, v: 1n, z: 1n }],
    ["le", { z: 1n }, {}],
  ] as const)("takes b%s by the flags", (condition, holds, fails) => {
    for (const [mode, length] of [
      ["a32", 4n],
      ["t32", 2n],
    ] as const) {
      expect(run(mode, `b${condition} .+0x10`, holds)).toMatchObject({ next: at + 0x10n });
      expect(run(mode, `b${condition} .+0x10`, fails)).toMatchObject({ next: at + length });
    }
  });

  it("compares with zero and branches", () => {
    expect(run("t32", "cbz r0, .+0x10")).toMatchObject({ next: at + 0x10n });
    expect(run("t32", "cbz r0, .+0x10", { r0: 1n })).toMatchObject({ next: at + 2n });
    expect(run("t32", "cbnz r0, .+0x10", { r0: 1n })).toMatchObject({ next: at + 0x10n });
  });

  it("does nothing where a condition does not hold", () => {
    expect(run("a32", "ldrne r0, [r1]", { z: 1n })).toEqual({ do: "retire", registers: {}, next: at + 4n });
    expect(run("a32", "svcne #0", { z: 1n })).toMatchObject({ do: "retire" });
    expect(run("a32", "icimvaune r0", { z: 1n })).toMatchObject({ do: "retire" });
    expect(run("a32", "blne .+8", { z: 1n })).toEqual({ do: "retire", registers: {}, next: at + 4n });
  });

  it("enters a function with the return address in lr", () => {
    expect(enter(at, stack)).toEqual({
      registers: { sp: stack - 4n, lr: at, r11: stack },
      stores: [{ address: stack - 4n, size: 4, value: at, tags: [] }],
    });
  });
});

describe("exceptions and steps of the machine", () => {
  it.each([
    ["a32", "bkpt #0", { do: "trap", vector: "bkpt", resume: at }],
    ["t32", "bkpt #0", { do: "trap", vector: "bkpt", resume: at }],
    ["a32", "svc #0", { do: "trap", vector: "svc", resume: at + 4n }],
    ["t32", "svc #0", { do: "trap", vector: "svc", resume: at + 2n }],
    ["a32", "hvc #0", { do: "trap", vector: "hvc", resume: at + 4n }],
    ["t32", "smc #0", { do: "trap", vector: "smc", resume: at + 4n }],
    ["a32", "udf #24", { do: "trap", vector: "und", resume: at }],
    ["a32", "udfeq #24", { do: "trap", vector: "und", resume: at }],
    ["t32", "udf #24", { do: "trap", vector: "und", resume: at }],
    ["t32", "udf.w #24", { do: "trap", vector: "und", resume: at }],
    ["a32", "isb", { do: "operate", step: "isb", registers: {}, next: at + 4n }],
    ["a32", "cp15isb r0", { do: "operate", step: "isb", registers: {}, next: at + 4n }],
    ["a32", "cp15dsb r0", { do: "operate", step: "dsb sy", registers: {}, next: at + 4n }],
    ["t32", "dsb ishst", { do: "operate", step: "dsb ishst", registers: {}, next: at + 4n }],
    ["a32", "dmb #9", { do: "operate", step: "dmb sy", registers: {}, next: at + 4n }],
    ["a32", "icimvau r3", { do: "operate", step: "icimvau", registers: {}, next: at + 4n, address: 0x1234n }],
    ["t32", "dccmvau r3", { do: "operate", step: "dccmvau", registers: {}, next: at + 4n, address: 0x1234n }],
    ["a32", "bpimva r3", { do: "operate", step: "bpimva", registers: {}, next: at + 4n, address: 0x1234n }],
    ["a32", "iciallu r3", { do: "operate", step: "iciallu", registers: {}, next: at + 4n }],
    ["t32", "bpiall r3", { do: "operate", step: "bpiall", registers: {}, next: at + 4n }],
    ["a32", "nop", { do: "retire", registers: {}, next: at + 4n }],
    ["t32", "nop", { do: "retire", registers: {}, next: at + 2n }],
    ["t32", "nop.w", { do: "retire", registers: {}, next: at + 4n }],
  ] as const)("%s %s", (mode, text, outcome) => expect(run(mode, text, { r3: 0x1234n })).toEqual(outcome));
});

describe("results", () => {
  const registers = (mode: Mode, text: string, before: Registers): Registers => {
    const outcome = run(mode, text, before);
    if (outcome.do !== "retire") throw new Error(`${text} does not retire.`);
    return outcome.registers;
  };

  it.each([
    ["a32", "add r0, pc, #4", {}, { r0: at + 12n }],
    ["t32", "add r0, pc, #4", {}, { r0: at + 8n }],
    ["a32", "mov r0, pc", {}, { r0: at + 8n }],
    ["t32", "mov r0, pc", {}, { r0: at + 4n }],
    ["t32", "subw r0, pc, #4", {}, { r0: at }],
    ["a32", "adds r0, r1, r2", { r1: 0x7fffffffn, r2: 1n }, { r0: 0x80000000n, n: 1n, v: 1n }],
    ["a32", "adds r0, r1, r2", { r1: 0xffffffffn, r2: 1n }, { z: 1n, c: 1n }],
    ["a32", "subs r0, r1, r2", { r1: 1n, r2: 2n }, { r0: 0xffffffffn, n: 1n }],
    ["a32", "cmp r1, r2", { r1: 2n, r2: 2n }, { z: 1n, c: 1n }],
    ["a32", "cmn r1, #1", { r1: 0xffffffffn }, { z: 1n, c: 1n }],
    ["a32", "adc r0, r1, r2", { r1: 1n, r2: 2n, c: 1n }, { r0: 4n }],
    ["a32", "sbc r0, r1, r2", { r1: 5n, r2: 2n }, { r0: 2n }],
    ["a32", "rsc r0, r1, r2", { r1: 2n, r2: 5n, c: 1n }, { r0: 3n }],
    ["a32", "rsb r0, r1, #0", { r1: 1n }, { r0: 0xffffffffn }],
    ["t32", "rsbs r0, r1, #0", { r1: 1n }, { r0: 0xffffffffn, n: 1n }],
    ["a32", "ands r0, r1, #0x80000000", { r1: 0xffffffffn }, { r0: 0x80000000n, n: 1n, c: 1n }],
    ["a32", "ands r0, r1, #1", { r1: 1n, c: 1n, v: 1n }, { r0: 1n }],
    ["a32", "tst r1, #0", { r1: 1n, c: 1n }, { z: 1n }],
    ["a32", "teq r1, r2", { r1: 1n, r2: 1n }, { z: 1n }],
    ["a32", "bic r0, r1, #15", { r1: 0xffn }, { r0: 0xf0n }],
    ["t32", "orn r0, r1, #15", { r1: 1n }, { r0: 0xfffffff1n }],
    ["a32", "eor r0, r1, r1", { r0: 5n, r1: 3n }, { r0: 0n }],
    ["a32", "mvn r0, #0", {}, { r0: 0xffffffffn }],
    ["a32", "movt r0, #0x1234", { r0: 0xffff5678n }, { r0: 0x12345678n }],
    ["a32", "movs r0, r1, lsl #1", { r1: 0x80000001n }, { r0: 2n, c: 1n }],
    ["a32", "lsrs r0, r1, #32", { r1: 0x80000000n }, { z: 1n, c: 1n }],
    ["a32", "asrs r0, r1, #32", { r1: 0x80000000n }, { r0: 0xffffffffn, n: 1n, c: 1n }],
    ["a32", "rrxs r0, r1", { r1: 3n, c: 1n }, { r0: 0x80000001n, n: 1n }],
    ["a32", "rors r0, r1, r2", { r1: 0x80000001n, r2: 32n }, { r0: 0x80000001n, n: 1n, c: 1n }],
    ["a32", "lsls r0, r1, r2", { r1: 1n, r2: 0x100n, c: 1n }, { r0: 1n }],
    ["a32", "lsls r0, r1, r2", { r1: 1n, r2: 32n }, { z: 1n, c: 1n }],
    ["a32", "lsls r0, r1, r2", { r1: 0xffffffffn, r2: 33n, c: 1n }, { z: 1n, c: 0n }],
    ["a32", "lsr r0, r1, r2", { r1: 0xffffffffn, r2: 4n }, { r0: 0x0fffffffn }],
    ["a32", "asr r0, r1, r2", { r1: 0x80000000n, r2: 255n }, { r0: 0xffffffffn }],
    ["a32", "add r0, r1, r2, ror #8", { r2: 1n }, { r0: 0x01000000n }],
    ["a32", "sub r0, r1, r2, lsl r3", { r1: 32n, r2: 1n, r3: 4n }, { r0: 16n }],
    ["a32", "muls r0, r1, r2", { r1: 0x10001n, r2: 0xffffn, c: 1n, v: 1n }, { r0: 0xffffffffn, n: 1n }],
    ["t32", "muls r0, r1, r0", { r0: 3n, r1: 5n }, { r0: 15n }],
    ["a32", "sxtb r0, r1, ror #8", { r1: 0x8000n }, { r0: 0xffffff80n }],
    ["t32", "uxth r0, r1", { r1: 0x12348000n }, { r0: 0x8000n }],
    ["t32", "sxth r0, r1", { r1: 0x8000n }, { r0: 0xffff8000n }],
    ["a32", "rev r0, r1", { r1: 0x12345678n }, { r0: 0x78563412n }],
    ["a32", "rev16 r0, r1", { r1: 0x12345678n }, { r0: 0x34127856n }],
    ["a32", "revsh r0, r1", { r1: 0x12340080n }, { r0: 0xffff8000n }],
    ["t32", "adds r0, #1", { r0: 0xffffffffn }, { r0: 0n, z: 1n, c: 1n }],
    ["t32", "add r0, r9", { r0: 1n, r9: 2n }, { r0: 3n }],
    ["t32", "add.w r0, r1, #0xff00ff00", { r1: 0xffn }, { r0: 0xff00ffffn }],
    ["t32", "sub sp, #8", { sp: stack }, { sp: stack - 8n }],
  ] as const)("%s %s", (mode, text, before, after) => expect(registers(mode, text, before)).toEqual(after));
});

describe("memory", () => {
  const registers = { r0: 0x11223384n, r1: 0x1000n, r2: 8n, c: 1n };

  it.each([
    ["a32", "ldr r3, [r1, #4]", 0x1004n, {}],
    ["a32", "ldr r3, [r1, #-4]!", 0xffcn, { r1: 0xffcn }],
    ["a32", "ldr r3, [r1], #4", 0x1000n, { r1: 0x1004n }],
    ["a32", "ldr r3, [r1, r2, lsl #2]", 0x1020n, {}],
    ["a32", "ldr r3, [r1, -r2]", 0xff8n, {}],
    ["a32", "ldr r3, [r1, r2, rrx]", 0x80001004n, {}],
    ["a32", "ldr r3, [pc, #-8]", at, {}],
    ["t32", "ldr r3, [pc, #8]", at + 12n, {}],
    ["t32", "ldr.w r3, [pc, #-4]", at, {}],
    ["t32", "ldr r3, [r1, r2]", 0x1008n, {}],
    ["t32", "ldr r3, [sp, #4]", 4n, {}],
    ["t32", "ldr.w r3, [r1], #-4", 0x1000n, { r1: 0xffcn }],
  ] as const)("%s %s", (mode, text, address, written) => {
    expect(run(mode, text, registers)).toEqual({ do: "load", from: [word(address)] });
    const length = insnOf(mode, text).length;
    expect(run(mode, text, registers, [7n])).toEqual({
      do: "retire",
      registers: { ...written, r3: 7n },
      next: at + BigInt(length),
    });
  });

  it("aligns the pc of a T32 literal to words", () => {
    expect(execute(insnOf("t32", "ldr r3, [pc, #8]"), at + 2n, {})).toEqual({ do: "load", from: [word(at + 12n)] });
  });

  it.each([
    ["ldrb r3, [r1]", 1, 0x84n, 0x84n],
    ["ldrsb r3, [r1]", 1, 0x84n, 0xffffff84n],
    ["ldrh r3, [r1]", 2, 0x8384n, 0x8384n],
    ["ldrsh r3, [r1]", 2, 0x8384n, 0xffff8384n],
  ])("extends what %s loads", (text, size, loaded, value) => {
    for (const mode of ["a32", "t32"] as const) {
      const line = mode === "t32" && /ldrs/.test(text) ? text.replace(" ", ".w ") : text;
      expect(run(mode, line, registers)).toEqual({ do: "load", from: [{ address: 0x1000n, size, tags: [] }] });
      expect(run(mode, line, registers, [loaded])).toMatchObject({ registers: { r3: value } });
    }
  });

  it.each([
    ["str r0, [r1, #4]!", { r1: 0x1004n }, { address: 0x1004n, size: 4, value: 0x11223384n, tags: [] }],
    ["strb r0, [r1], #1", { r1: 0x1001n }, { address: 0x1000n, size: 1, value: 0x84n, tags: [] }],
    ["strh r0, [r1]", {}, { address: 0x1000n, size: 2, value: 0x3384n, tags: [] }],
    ["str pc, [r1]", {}, { address: 0x1000n, size: 4, value: at + 8n, tags: [] }],
  ])("%s", (text, written, store) => {
    expect(run("a32", text, registers)).toEqual({ do: "retire", registers: written, next: at + 4n, stores: [store] });
  });

  it.each([
    ["stm", 0x1000n, 0x1008n],
    ["stmda", 0xffcn, 0xff8n],
    ["stmdb", 0xff8n, 0xff8n],
    ["stmib", 0x1004n, 0x1008n],
  ])("%s stores in ascending order and writes the base back", (op, low, base) => {
    expect(run("a32", `${op} r1!, {r2, lr}`, { ...registers, lr: 9n })).toEqual({
      do: "retire",
      registers: { r1: base },
      next: at + 4n,
      stores: [word(low, 8n), word(low + 4n, 9n)],
    });
  });

  it.each([
    ["ldm", 0x1000n, 0x1008n],
    ["ldmda", 0xffcn, 0xff8n],
    ["ldmdb", 0xff8n, 0xff8n],
    ["ldmib", 0x1004n, 0x1008n],
  ])("%s loads in ascending order", (op, low, base) => {
    expect(run("a32", `${op} r1!, {r2, lr}`, registers)).toEqual({ do: "load", from: [word(low), word(low + 4n)] });
    expect(run("a32", `${op} r1!, {r2, lr}`, registers, [5n, 6n])).toMatchObject({
      registers: { r1: base, r2: 5n, lr: 6n },
    });
  });

  it("pushes", () => {
    const push = { do: "retire", registers: { sp: stack - 4n }, stores: [word(stack - 4n, at)] };
    expect(run("a32", "push {lr}", { sp: stack, lr: at })).toMatchObject(push);
    expect(run("t32", "push {lr}", { sp: stack, lr: at })).toMatchObject(push);
    expect(run("t32", "push {r0, lr}", { sp: stack, r0: 1n, lr: at })).toMatchObject({
      stores: [word(stack - 8n, 1n), word(stack - 4n, at)],
    });
  });

  it("leaves the base of a narrow LDM that loads it to the load", () => {
    expect(run("t32", "ldm r1, {r1, r2}", registers, [5n, 6n])).toMatchObject({ registers: { r1: 5n, r2: 6n } });
  });

  it("aborts where words have to be aligned", () => {
    const abort = { do: "trap", vector: "pf", resume: at };
    expect(run("a32", "ldm r1, {r2, r3}", { r1: 0x1002n })).toEqual(abort);
    expect(run("a32", "push {r2, r3}", { sp: 0x1002n })).toEqual(abort);
    expect(run("a32", "ldr pc, [r1]", { r1: 0x1002n })).toEqual(abort);
    expect(run("a32", "ldr r0, [r1]", { r1: 0x1002n })).toMatchObject({ do: "load" });
    expect(run("a32", "push {r2}", { sp: 0x1002n })).toMatchObject({ do: "retire" });
  });
});
