import { describe, expect, it } from "vitest";
import { type Armv7Instruction, armv7InstructionSet, type Mode, outputs } from "../../src/index.js";
import { executionsKeepToTheirData } from "./dataflow.js";

const { assemble, decode, inputs } = armv7InstructionSet;
const at = 0x80100000n;

const insnOf = (mode: Mode, text: string): Armv7Instruction =>
  decode(assemble(text, at, mode), mode) as Armv7Instruction;

describe("inputs and outputs", () => {
  it.each([
    ["a32", "add r0, r1, r2, lsl r3", "r1 data, r2 data, r3 data", "r0"],
    ["a32", "adds r0, r1, #1", "r1 data", "r0, n, z, c, v"],
    ["a32", "ands r0, r1, r2", "r1 data, r2 data", "r0, n, z"],
    ["a32", "ands r0, r1, r2, lsl #1", "r1 data, r2 data", "r0, n, z, c"],
    ["a32", "ands r0, r1, r2, lsl r3", "r1 data, r2 data, r3 data, c data", "r0, n, z, c"],
    ["a32", "adc r0, r1, #0", "r1 data, c data", "r0"],
    ["a32", "rrx r0, r1", "r1 data, c data", "r0"],
    ["a32", "add r0, r1, r2, rrx", "r1 data, r2 data, c data", "r0"],
    ["a32", "muls r0, r1, r2", "r1 data, r2 data", "r0, n, z"],
    ["a32", "cmp r1, #1", "r1 data", "n, z, c, v"],
    ["a32", "movne r0, r1", "z data, r1 data, r0 data", "r0"],
    ["a32", "movt r0, #1", "r0 data", "r0"],
    ["t32", "add r0, r9", "r0 data, r9 data", "r0"],
    ["t32", "movs r0, #1", "", "r0, n, z"],
    ["a32", "add r0, pc, #4", "", "r0"],
    ["a32", "add pc, r0, r1", "r0 branch, r1 branch", ""],
    ["a32", "beq .", "z branch", ""],
    ["a32", "bgt .", "n branch, z branch, v branch", ""],
    ["a32", "bl .", "", "lr"],
    ["a32", "blne .", "z branch, lr data", "lr"],
    ["a32", "bx lr", "lr branch", ""],
    ["t32", "blx r3", "r3 branch", "lr"],
    ["t32", "cbz r0, .+4", "r0 branch", ""],
    ["a32", "ldr r0, [r1, r2]", "r1 address, r2 address", "r0"],
    ["a32", "ldr r0, [r1], #4", "r1 address", "r0, r1"],
    ["a32", "str r0, [r1, r2, lsl #2]", "r1 address, r2 address, r0 data", ""],
    ["a32", "str r1, [r1]", "r1 address, r1 data", ""],
    ["a32", "stm r1!, {r2, r3}", "r1 address, r2 data, r3 data", "r1"],
    ["t32", "push {r4, lr}", "sp address, r4 data, lr data", "sp"],
    ["t32", "pop {r4, pc}", "sp address", "r4, sp"],
    ["a32", "icimvau r0", "r0 address", ""],
    ["a32", "iciallu r0", "", ""],
    ["a32", "dsb ish", "", ""],
    ["a32", "udfeq #24", "", ""],
    ["a32", "svceq #0", "z branch", ""],
  ] as const)("%s %s", (mode, text, read, written) => {
    const insn = insnOf(mode, text);
    expect(
      inputs(insn)
        .map(({ register, role }) => `${register} ${role}`)
        .join(", "),
    ).toBe(read);
    expect(outputs(insn).join(", ")).toBe(written);
  });
});

executionsKeepToTheirData(15);
