import type { Outcome, Registers } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { type Armv7Instruction, armv7InstructionSet, flagRegisters, type Mode, outputs } from "../../src/index.js";
import { forms } from "../../src/isa/forms.js";
import { generalRegisters } from "../../src/isa/registers.js";

const { assemble, decode, execute, inputs } = armv7InstructionSet;
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

const words = (seed: number) => {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
};

const names = [...generalRegisters.filter((name) => name !== "pc"), ...flagRegisters];

type Done = { readonly first: Outcome; readonly last: Outcome; readonly after: Registers };

const finish = (insn: Armv7Instruction, before: Registers): Done => {
  const first = execute(insn, at, before);
  const last =
    first.do === "load"
      ? execute(
          insn,
          at,
          before,
          first.from.map((_, k) => BigInt(0x81828384 + 4 * k)),
        )
      : first;
  return { first, last, after: last.do === "retire" ? { ...before, ...last.registers } : before };
};

/** What an outcome shows besides registers. */
const rest = ({ first, last, after }: Done, written: readonly string[]) => [
  first.do === "load" ? first.from : [],
  { ...last, registers: null },
  // A trap writes nothing.
  last.do === "trap" ? [] : written.map((name) => after[name]),
];

describe("executions of every row of the tables", () => {
  it("depend on their inputs alone, and change their outputs alone", () => {
    const next = words(3);
    for (const { pattern, mode, op } of [...forms.a32, ...forms.t32]) {
      if (op === "outside" || op === "undefined") continue;
      for (let round = 0; round < 60; round += 1) {
        const word = ((next() & ~pattern.mask) | pattern.value) >>> 0;
        const bytes = [0, 8, 16, 24].map((place) => (word >>> place) & 0xff);
        const wide = mode === "a32" ? bytes : [...bytes.slice(2), ...bytes.slice(0, 2)];
        const insn = decode(pattern.bits === 16 ? bytes.slice(0, 2) : wide, mode);
        if (typeof insn === "string") continue;
        const isFlag = (name: string) => (flagRegisters as readonly string[]).includes(name);
        // Mostly aligned, or no multiple access gets far.
        const random = (name: string) =>
          isFlag(name) ? BigInt(next() & 1) : BigInt(next() & ~3) + BigInt(round % 8 === 0 ? 1 : 0);
        const before: Registers = Object.fromEntries(names.map((name) => [name, random(name)]));
        const done = finish(insn, before);
        const written: readonly string[] = outputs(insn);
        const changed = done.last.do === "retire" || done.last.do === "operate" ? Object.keys(done.last.registers) : [];
        expect(written).toEqual(expect.arrayContaining(changed));
        const read = new Map(
          inputs(insn).map(({ register }) => [
            register,
            inputs(insn)
              .filter((input) => input.register === register)
              .map(({ role }) => role),
          ]),
        );
        for (const name of names) {
          const roles = read.get(name) ?? [];
          const other = finish(insn, { ...before, [name]: isFlag(name) ? 1n - before[name]! : before[name]! ^ 0x10n });
          const context = `${op} ${JSON.stringify(insn)} ${name}`;
          if (roles.length === 0) expect(rest(other, written), context).toEqual(rest(done, written));
          // A register that is data decides neither where memory is accessed nor where execution goes on.
          if (roles.length > 0 && roles.every((role) => role === "data") && insn.condition === undefined) {
            expect(other.first.do === "load" ? other.first.from : []).toEqual(
              done.first.do === "load" ? done.first.from : [],
            );
            const next = (outcome: Outcome) => ("next" in outcome ? outcome.next : outcome);
            expect(next(other.last), context).toEqual(next(done.last));
          }
        }
      }
    }
  });
});
