import { describe, expect, it } from "vitest";
import {
  type Arm64Instruction,
  arm64InstructionSet,
  type Input,
  outputs,
  selectedInputs,
} from "../../src/isa/index.js";

const { assemble, decode, inputs } = arm64InstructionSet;

const insnOf = (text: string): Arm64Instruction => decode(assemble(text, 0x1000n), "") as Arm64Instruction;
const shown = (all: readonly Input[]) => all.map(({ register, role }) => `${register} ${role}`);

describe("inputs and outputs", () => {
  it.each([
    ["nop", [], []],
    ["ldr w0, [x1]", ["x1 address"], ["x0"]],
    ["ldr x0, [x1, w2, sxtw]", ["x1 address", "x2 address"], ["x0"]],
    ["ldr x0, [x1], #8", ["x1 address"], ["x0", "x1"]],
    ["ldr x0, .+8", [], ["x0"]],
    ["ldp x0, x1, [sp], #16", ["sp address"], ["x0", "x1", "sp"]],
    ["str w0, [x1]", ["x0 data", "x1 address"], []],
    ["str x1, [x1]", ["x1 data", "x1 address"], []],
    ["str xzr, [x1]", ["x1 address"], []],
    ["stp x29, x30, [sp, #-16]!", ["x29 data", "x30 data", "sp address"], ["sp"]],
    ["stlr x0, [x1]", ["x0 data", "x1 address"], []],
    ["ldadd x0, x1, [x2]", ["x0 data", "x2 address"], ["x1"]],
    ["ldadd x0, xzr, [x2]", ["x0 data", "x2 address"], []],
    ["cas x0, x1, [x2]", ["x0 branch", "x1 data", "x2 address"], ["x0"]],
    ["mov x0, x1", ["x1 data"], ["x0"]],
    ["mov x0, #1", [], ["x0"]],
    ["movk x0, #1", ["x0 data"], ["x0"]],
    ["bfi x0, x1, #1, #1", ["x0 data", "x1 data"], ["x0"]],
    ["eor w0, w1, w1", ["x1 data"], ["x0"]],
    ["add x0, x1, x2, lsl #3", ["x1 data", "x2 data"], ["x0"]],
    ["adds x0, x1, x2", ["x1 data", "x2 data"], ["x0", "nzcv"]],
    ["adc x0, x1, x2", ["nzcv data", "x1 data", "x2 data"], ["x0"]],
    ["cmp x0, #1", ["x0 data"], ["nzcv"]],
    ["tst w0, w1", ["x0 data", "x1 data"], ["nzcv"]],
    ["ccmp x0, x1, #0, eq", ["x0 data", "x1 data", "nzcv branch"], ["nzcv"]],
    ["csel x0, x1, x2, eq", ["x1 data", "x2 data", "nzcv branch"], ["x0"]],
    ["csel x0, x1, x2, al", ["x1 data", "x2 data"], ["x0"]],
    ["cset w0, eq", ["nzcv branch"], ["x0"]],
    ["adr x0, .", [], ["x0"]],
    ["b .", [], []],
    ["b.eq .", ["nzcv branch"], []],
    ["b.al .", [], []],
    ["cbz w0, .", ["x0 branch"], []],
    ["tbz w0, #1, .", ["x0 branch"], []],
    ["br x0", ["x0 branch"], []],
    ["bl .", [], ["x30"]],
    ["blr x0", ["x0 branch"], ["x30"]],
    ["ret", ["x30 branch"], []],
    ["ret x1", ["x1 branch"], []],
    ["eret", ["elr_el1 branch", "spsr_el1 data"], ["nzcv"]],
    ["msr elr_el1, x0", ["x0 data"], ["elr_el1"]],
    ["mrs x0, nzcv", ["nzcv data"], ["x0"]],
    ["dc cvau, x0", ["x0 address"], []],
    ["ic ivau, x0", ["x0 address"], []],
    ["ic iallu", [], []],
    ["dsb ish", [], []],
    ["svc #0", [], []],
  ] as [string, string[], string[]][])("of %s", (text, read, written) => {
    const insn = insnOf(text);
    expect(shown(inputs(insn))).toEqual(read);
    expect(outputs(insn)).toEqual(written);
  });

  it("are those picked once the flags are known", () => {
    const equal = { nzcv: 0x40000000n };
    expect(shown(selectedInputs(insnOf("csel x0, x1, x2, eq"), equal))).toEqual(["x1 data", "nzcv branch"]);
    expect(shown(selectedInputs(insnOf("csel x0, x1, x2, eq"), {}))).toEqual(["x2 data", "nzcv branch"]);
    expect(shown(selectedInputs(insnOf("ccmp x0, x1, #0, eq"), equal))).toEqual(["x0 data", "x1 data", "nzcv branch"]);
    expect(shown(selectedInputs(insnOf("ccmp x0, x1, #0, eq"), {}))).toEqual(["nzcv branch"]);
    expect(shown(selectedInputs(insnOf("b.eq ."), equal))).toEqual(["nzcv branch"]);
    expect(shown(selectedInputs(insnOf("add x0, x1, x2"), equal))).toEqual(["x1 data", "x2 data"]);
  });
});
