import type { Outcome, Registers } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { forms } from "../../src/isa/encodings.js";
import { outputs, type RiscvInstruction, riscvInstructionSet, vectors } from "../../src/isa/index.js";

const { assemble, decode, enter, execute, inputs } = riscvInstructionSet;
const at = 0xffffffff80001000n;
const ones = 0xffffffffffffffffn;
const minimum = 0x8000000000000000n;

const insnOf = (text: string): RiscvInstruction => decode(assemble(text, at), "") as RiscvInstruction;
const run = (text: string, registers: Registers = {}, loaded?: readonly bigint[]): Outcome =>
  execute(insnOf(text), at, registers, loaded);

describe("arithmetic", () => {
  const [left, right] = [0x8000_0000_8000_0001n, 0x44n];
  it.each([
    ["add", 0x8000_0000_8000_0045n],
    ["sub", 0x8000_0000_7fff_ffbdn],
    ["sll", 0x0000_0008_0000_0010n],
    ["srl", 0x0800_0000_0800_0000n],
    ["sra", 0xf800_0000_0800_0000n],
    ["slt", 1n],
    ["sltu", 0n],
    ["xor", 0x8000_0000_8000_0045n],
    ["or", 0x8000_0000_8000_0045n],
    ["and", 0n],
    ["addw", 0xffff_ffff_8000_0045n],
    ["subw", 0x0000_0000_7fff_ffbdn],
    ["sllw", 0x10n],
    ["srlw", 0x0000_0000_0800_0000n],
    ["sraw", 0xffff_ffff_f800_0000n],
    ["mul", 0x0000_0022_0000_0044n],
    ["mulh", 0xffff_ffff_ffff_ffden],
    ["mulhsu", 0xffff_ffff_ffff_ffden],
    ["mulhu", 0x22n],
    ["div", 0xfe1e_1e1e_2000_0001n],
    ["divu", 0x01e1_e1e1_e3c3_c3c3n],
    ["rem", 0xffff_ffff_ffff_ffbdn],
    ["remu", 0x35n],
    ["mulw", 0x44n],
    ["divw", 0xffff_ffff_fe1e_1e1fn],
    ["divuw", 0x1e1_e1e1n],
    ["remw", 0xffff_ffff_ffff_ffc5n],
    ["remuw", 0x3dn],
  ])("%s", (op, value) => {
    const outcome = run(`${op} a2, a0, a1`, { a0: left, a1: right, a2: 7n });
    expect(outcome).toEqual({ do: "retire", registers: { a2: value }, next: at + 4n });
  });

  it.each([
    ["addi a2, a0, -1", 0x8000_0000_8000_0000n],
    ["slti a2, a0, -1", 1n],
    ["sltiu a2, a0, -1", 1n],
    ["xori a2, a0, -1", 0x7fff_ffff_7fff_fffen],
    ["ori a2, a0, -16", 0xffff_ffff_ffff_fff1n],
    ["andi a2, a0, -2", 0x8000_0000_8000_0000n],
    ["slli a2, a0, 63", minimum],
    ["srli a2, a0, 63", 1n],
    ["srai a2, a0, 63", ones],
    ["addiw a2, a0, 0", 0xffff_ffff_8000_0001n],
    ["slliw a2, a0, 31", 0xffff_ffff_8000_0000n],
    ["srliw a2, a0, 31", 1n],
    ["sraiw a2, a0, 31", ones],
    ["lui a2, 0x80000", 0xffff_ffff_8000_0000n],
    ["auipc a2, 0x80000", 0xffff_ffff_0000_1000n],
    ["auipc a2, 1", 0xffff_ffff_8000_2000n],
  ])("%s", (text, value) => {
    expect(run(text, { a0: left, a2: 7n })).toEqual({ do: "retire", registers: { a2: value }, next: at + 4n });
  });

  it.each([
    ["c.addi a0, -1", { a0: 4n }],
    ["c.addiw a0, -6", { a0: ones }],
    ["c.li a0, -32", { a0: -32n & ones }],
    ["c.lui a0, 0xfffe0", { a0: 0xffff_ffff_fffe_0000n }],
    ["c.slli a0, 62", { a0: 0x4000_0000_0000_0000n }],
    ["c.srli a0, 2", { a0: 1n }],
    ["c.srai a1, 2", { a1: -2n & ones }],
    ["c.andi a0, 4", { a0: 4n }],
    ["c.mv a2, a0", { a2: 5n }],
    ["c.add a0, a1", { a0: -2n & ones }],
    ["c.sub a0, a1", { a0: 12n }],
    ["c.xor a0, a1", { a0: -4n & ones }],
    ["c.or a0, a1", { a0: -3n & ones }],
    ["c.and a0, a1", { a0: 1n }],
    ["c.addw a0, a1", { a0: -2n & ones }],
    ["c.subw a0, a1", { a0: 12n }],
    ["c.addi16sp sp, -64", { sp: 0xfc0n }],
    ["c.addi4spn a0, sp, 16", { a0: 0x1010n }],
    ["c.nop", {}],
  ])("%s", (text, changes) => {
    const registers = { a0: 5n, a1: -7n & ones, sp: 0x1000n };
    expect(run(text, registers)).toEqual({ do: "retire", registers: changes, next: at + 2n });
  });

  it("tells changed registers alone, and never writes zero", () => {
    expect(run("li a0, 5", { a0: 5n })).toMatchObject({ registers: {} });
    expect(run("li a0, 0")).toMatchObject({ registers: {} });
    expect(run("li zero, 5")).toMatchObject({ registers: {} });
    expect(run("add a0, zero, a1", { zero: 9n, a1: 1n })).toMatchObject({ registers: { a0: 1n } });
  });
});

describe("division", () => {
  it.each([
    ["div", ones],
    ["divu", ones],
    ["rem", 0x8000_0000_8000_0001n],
    ["remu", 0x8000_0000_8000_0001n],
    ["divuw", ones],
    ["remw", 0xffff_ffff_8000_0001n],
  ])("%s by zero", (op, value) => {
    expect(run(`${op} a2, a0, a1`, { a0: 0x8000_0000_8000_0001n })).toMatchObject({ registers: { a2: value } });
  });

  it("of the least number by -1 gives it back", () => {
    expect(run("div a2, a0, a1", { a0: minimum, a1: ones })).toMatchObject({ registers: { a2: minimum } });
    expect(run("rem a2, a0, a1", { a0: minimum, a1: ones, a2: 1n })).toMatchObject({ registers: { a2: 0n } });
  });
});

describe("control flow", () => {
  it.each([
    ["beq", [1n, 1n], [1n, 2n]],
    ["bne", [1n, 2n], [1n, 1n]],
    ["blt", [ones, 0n], [0n, ones]],
    ["bge", [0n, 0n], [minimum, 0n]],
    ["bltu", [0n, ones], [ones, 0n]],
    ["bgeu", [ones, ones], [0n, minimum]],
  ])("%s", (op, taken, fallen) => {
    const next = (pair: readonly bigint[]) => run(`${op} a0, a1, .-16`, { a0: pair[0]!, a1: pair[1]! });
    expect(next(taken)).toEqual({ do: "retire", registers: {}, next: at - 16n });
    expect(next(fallen)).toEqual({ do: "retire", registers: {}, next: at + 4n });
  });

  it("branches on zero in two bytes", () => {
    expect(run("c.beqz a0, .+16")).toMatchObject({ next: at + 16n });
    expect(run("c.beqz a0, .+16", { a0: 1n })).toMatchObject({ next: at + 2n });
    expect(run("c.bnez a0, .+16", { a0: 1n })).toMatchObject({ next: at + 16n });
    expect(run("c.bnez a0, .+16")).toMatchObject({ next: at + 2n });
  });

  it.each([
    ["jal ra, .+0x100", { ra: at + 4n }, at + 0x100n],
    ["jal t0, .+0x100", { t0: at + 4n }, at + 0x100n],
    ["jalr t0, -3(t0)", { t0: at + 4n }, 0x2ffen],
    ["jalr ra, 0(t0)", { ra: at + 4n }, 0x3000n],
    ["c.jalr t0", { ra: at + 2n }, 0x3000n],
  ])("%s links", (text, registers, next) => {
    const link = Object.values(registers)[0];
    expect(run(text, { t0: 0x3001n })).toEqual({ do: "retire", registers, next, link });
  });

  it.each([
    ["j .-2", {}, at - 2n],
    ["c.j .+8", {}, at + 8n],
    ["jal a0, .+8", { a0: at + 4n }, at + 8n],
    ["ret", {}, 0x2000n],
    ["jr t0", {}, 0x3000n],
    ["c.jr t0", {}, 0x3000n],
    ["jalr a0, 2(t0)", { a0: at + 4n }, 0x3002n],
  ])("%s does not", (text, registers, next) => {
    expect(run(text, { ra: 0x2001n, t0: 0x3000n })).toEqual({ do: "retire", registers, next });
  });

  it("enters a function with the return address in ra", () => {
    expect(enter(at, 0x7ff00000n)).toEqual({ registers: { ra: at, sp: 0x7ff00000n }, stores: [] });
  });
});

describe("traps and steps of the machine", () => {
  it.each([
    ["ebreak", { do: "trap", vector: "ebreak", resume: at }],
    ["c.ebreak", { do: "trap", vector: "ebreak", resume: at }],
    ["ecall", { do: "trap", vector: "ecall", resume: at }],
    ["fence.i", { do: "operate", step: "fence.i", registers: {}, next: at + 4n }],
    ["fence.tso", { do: "operate", step: "fence.tso", registers: {}, next: at + 4n }],
    ["fence", { do: "operate", step: "fence iorw,iorw", registers: {}, next: at + 4n }],
    ["fence w,o", { do: "operate", step: "fence w,o", registers: {}, next: at + 4n }],
    ["fence w, w", { do: "operate", step: "fence w,w", registers: {}, next: at + 4n }],
    ["fence rw,rw", { do: "operate", step: "fence rw,rw", registers: {}, next: at + 4n }],
    ["pause", { do: "retire", registers: {}, next: at + 4n }],
    ["fence 0,rw", { do: "retire", registers: {}, next: at + 4n }],
    ["nop", { do: "retire", registers: {}, next: at + 4n }],
  ])("%s", (text, outcome) => expect(run(text)).toEqual(outcome));
});

describe("memory", () => {
  const value = 0xfedc_ba98_8765_8381n;
  it.each([
    ["lb", 1, -127n & ones],
    ["lbu", 1, 0x81n],
    ["lh", 2, -0x7c7fn & ones],
    ["lhu", 2, 0x8381n],
    ["lw", 4, 0xffff_ffff_8765_8381n],
    ["lwu", 4, 0x8765_8381n],
    ["ld", 8, value],
  ])("%s", (op, size, result) => {
    const text = `${op} a0, -1(a1)`;
    const registers = { a1: 0x2002n };
    expect(run(text, registers)).toEqual({ do: "load", from: [{ address: 0x2001n, size, tags: [] }] });
    const loaded = [BigInt.asUintN(8 * size, value)];
    expect(run(text, registers, loaded)).toEqual({ do: "retire", registers: { a0: result }, next: at + 4n });
  });

  it.each([
    ["sb a0, 1(a1)", 1, 0x2001n, 4],
    ["sh a0, 2(a1)", 2, 0x2002n, 4],
    ["sw a0, -4(a1)", 4, 0x1ffcn, 4],
    ["sd a0, 2047(a1)", 8, 0x27ffn, 4],
    ["c.sw a0, 124(a1)", 4, 0x207cn, 2],
    ["c.sd a0, 248(a1)", 8, 0x20f8n, 2],
    ["c.swsp a0, 252(sp)", 4, 0x10fcn, 2],
    ["c.sdsp a0, 504(sp)", 8, 0x11f8n, 2],
  ])("%s", (text, size, address, length) => {
    expect(run(text, { a0: value, a1: 0x2000n, sp: 0x1000n })).toEqual({
      do: "retire",
      registers: {},
      next: at + BigInt(length),
      stores: [{ address, size, value: BigInt.asUintN(8 * size, value), tags: [] }],
    });
  });

  it.each([
    ["c.lw a0, 124(a1)", 4, 0x207cn],
    ["c.ld a0, 248(a1)", 8, 0x20f8n],
    ["c.lwsp t0, 252(sp)", 4, 0x10fcn],
    ["c.ldsp t0, 504(sp)", 8, 0x11f8n],
  ])("%s", (text, size, address) => {
    expect(run(text, { a1: 0x2000n, sp: 0x1000n })).toEqual({ do: "load", from: [{ address, size, tags: [] }] });
    const registers = { [text.includes("sp") ? "t0" : "a0"]: 5n };
    expect(run(text, { a1: 0x2000n, sp: 0x1000n }, [5n])).toMatchObject({ registers });
  });

  it("loads to zero all the same", () => {
    expect(run("lw zero, 0(a1)", { a1: 0x2000n })).toMatchObject({ do: "load" });
    expect(run("lw zero, 0(a1)", { a1: 0x2000n }, [5n])).toEqual({ do: "retire", registers: {}, next: at + 4n });
  });

  it("wraps addresses, and faults at one that no translation maps", () => {
    expect(run("lw a0, -4(zero)")).toMatchObject({ from: [{ address: ones - 3n }] });
    const fault = { do: "trap", vector: "pf", resume: at };
    expect(run("lb a0, 0(a1)", { a1: 0x0100_0000_0000_0000n })).toEqual(fault);
    expect(run("ld a0, -4(a1)", { a1: 0x0100_0000_0000_0000n })).toEqual(fault);
    expect(run("sd a0, 0(a1)", { a1: 0xfe00_0000_0000_0000n })).toEqual(fault);
    expect(run("lb a0, -1(a1)", { a1: 0x0100_0000_0000_0000n })).toMatchObject({ do: "load" });
    expect(run("lb a0, 0(a1)", { a1: 0xff00_0000_0000_0000n })).toMatchObject({ do: "load" });
  });
});

describe("atomic memory operations", () => {
  // -1 was found, 2 is in the register, by words.
  const found = 0xffff_ffffn;
  it.each([
    ["amoswap", 2n],
    ["amoadd", 1n],
    ["amoxor", 0xffff_fffdn],
    ["amoand", 2n],
    ["amoor", 0xffff_ffffn],
    ["amomin", 0xffff_ffffn],
    ["amomax", 2n],
    ["amominu", 2n],
    ["amomaxu", 0xffff_ffffn],
  ])("%s", (op, value) => {
    const registers = { a1: 0x7_0000_0002n, a2: 0x2004n };
    const access = { address: 0x2004n, size: 4, tags: ["locked"] };
    expect(run(`${op}.w a0, a1, (a2)`, registers)).toEqual({ do: "load", from: [access] });
    expect(run(`${op}.w a0, a1, (a2)`, registers, [found])).toEqual({
      do: "retire",
      registers: { a0: ones },
      next: at + 4n,
      stores: [{ ...access, value }],
    });
    const doubles = { a1: 2n, a2: 0x2008n };
    const wide = BigInt.asUintN(64, BigInt.asIntN(32, value));
    expect(run(`${op}.d a0, a1, (a2)`, doubles, [ones])).toMatchObject({ stores: [{ size: 8, value: wide }] });
  });

  it.each([
    ["amoadd.w", ["locked"]],
    ["amoadd.w.aq", ["locked", "acquire"]],
    ["amoadd.w.rl", ["locked", "release"]],
    ["amoadd.w.aqrl", ["locked", "acquire", "release"]],
  ])("%s orders", (op, tags) => {
    const registers = { a2: 0x2000n };
    expect(run(`${op} a0, a1, (a2)`, registers)).toMatchObject({ from: [{ tags }] });
    expect(run(`${op} a0, a1, (a2)`, registers, [0n])).toMatchObject({ stores: [{ tags }] });
  });

  it("need alignment", () => {
    const trap = { do: "trap", vector: "misaligned", resume: at };
    expect(run("amoadd.w a0, a1, (a2)", { a2: 0x2002n })).toEqual(trap);
    expect(run("amoadd.d a0, a1, (a2)", { a2: 0x2004n })).toEqual(trap);
  });
});

describe("inputs and outputs", () => {
  it.each([
    ["nop", [], []],
    ["li a0, 5", [], ["a0"]],
    ["add a0, a1, a2", ["a1 data", "a2 data"], ["a0"]],
    ["xor a0, a1, a1", ["a1 data"], ["a0"]],
    ["auipc t0, 1", [], ["t0"]],
    ["jal ra, .", [], ["ra"]],
    ["ret", ["ra branch"], []],
    ["jalr t0, 0(t0)", ["t0 branch"], ["t0"]],
    ["beq a0, a1, .", ["a0 branch", "a1 branch"], []],
    ["c.beqz a0, .", ["a0 branch"], []],
    ["ld a0, 8(a1)", ["a1 address"], ["a0"]],
    ["sd a0, 8(a1)", ["a1 address", "a0 data"], []],
    ["sd a0, 8(a0)", ["a0 address", "a0 data"], []],
    ["c.sdsp ra, 8(sp)", ["sp address", "ra data"], []],
    ["c.ldsp ra, 8(sp)", ["sp address"], ["ra"]],
    ["amoadd.w a0, a1, (a2)", ["a2 address", "a1 data"], ["a0"]],
    ["c.addi4spn a0, sp, 16", ["sp data"], ["a0"]],
    ["c.mv a0, a1", ["a1 data"], ["a0"]],
    ["c.add a0, a1", ["a0 data", "a1 data"], ["a0"]],
    ["fence w,o", [], []],
    ["ebreak", [], []],
  ])("of %s", (text, reads, writes) => {
    expect(inputs(insnOf(text)).map(({ register, role }) => `${register} ${role}`)).toEqual(reads);
    expect(outputs(insnOf(text))).toEqual(writes);
  });
});

describe("every encoding", () => {
  /** The encoding with all the bits of its fields set, or none. */
  const instructions = forms
    .filter(({ status }) => status === "modelled")
    .flatMap(({ name, length, bits, mask }) =>
      [bits, bits | ~mask].map((word) => {
        const bytes = Array.from({ length }, (_, i) => (word >>> (8 * i)) & 0xff);
        return [name, decode(bytes, "")] as const;
      }),
    )
    .filter((entry): entry is readonly [string, RiscvInstruction] => typeof entry[1] !== "string");

  it("executes, and reads and writes what it says", () => {
    expect(new Set(instructions.map(([, insn]) => insn.form)).size).toBe(
      forms.filter(({ status }) => status === "modelled").length,
    );
    for (const [, insn] of instructions) {
      const names = new Set(inputs(insn).map(({ register }) => register));
      const registers = Object.fromEntries([...names].map((name) => [name, 0x40001000n]));
      const all = {
        ...Object.fromEntries(["ra", "sp", "t6", "s0", "a5"].map((name) => [name, 0x7777n])),
        ...registers,
      };
      const outcomes = [registers, all].map((state) => {
        const first = execute(insn, at, state);
        return first.do === "load" ? [first, execute(insn, at, state, [0x1234n])] : [first];
      });
      // Registers beyond the inputs change nothing but what counts as a change.
      const shape = outcomes.map((list) =>
        list.map(({ do: kind, ...rest }) => ({ kind, ...rest, registers: undefined })),
      );
      expect(shape[1], insn.form).toEqual(shape[0]);
      for (const outcome of outcomes.flat()) {
        if (outcome.do === "trap") expect(vectors).toContain(outcome.vector);
        if (outcome.do === "retire") {
          const written = Object.keys(outcome.registers).filter((name) => !name.startsWith("monitor"));
          for (const name of written) expect(outputs(insn)).toContain(name);
        }
      }
    }
  });
});
