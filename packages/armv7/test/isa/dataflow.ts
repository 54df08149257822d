import { isDeepStrictEqual } from "node:util";
import type { Outcome, Registers } from "@cmodx/core";
import { expect, it } from "vitest";
import { type Armv7Instruction, armv7InstructionSet, flagRegisters, outputs } from "../../src/index.js";
import { forms } from "../../src/isa/forms.js";
import { generalRegisters } from "../../src/isa/registers.js";

const { decode, execute, inputs } = armv7InstructionSet;
const at = 0x80100000n;

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

/** Most of very many comparisons hold; only one that does not is worth a message. */
const expectSame = (found: unknown, wanted: unknown, context: () => string) => {
  if (!isDeepStrictEqual(found, wanted)) expect(found, context()).toEqual(wanted);
};

/** Random executions of every row of the tables, `rounds` of each, depend on their inputs alone and change their outputs alone. */
export const executionsKeepToTheirData = (rounds: number) =>
  it("executions of every row of the tables depend on their inputs alone, and change their outputs alone", () => {
    const next = words(3);
    for (const { pattern, mode, op } of [...forms.a32, ...forms.t32]) {
      if (op === "outside" || op === "undefined" || op === "opaque") continue;
      for (let round = 0; round < rounds; round += 1) {
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
        expectSame(
          // What is reserved is no register of the architecture.
          changed.filter((name) => !written.includes(name) && !name.startsWith("monitor")),
          [],
          () => op,
        );
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
          const context = () => `${op} ${JSON.stringify(insn)} ${name}`;
          if (roles.length === 0) expectSame(rest(other, written), rest(done, written), context);
          // A register that is data decides neither where memory is accessed nor where execution goes on.
          if (roles.length > 0 && roles.every((role) => role === "data") && insn.condition === undefined) {
            const loads = ({ first }: Done) => (first.do === "load" ? first.from : []);
            const next = (outcome: Outcome) => ("next" in outcome ? outcome.next : outcome);
            expectSame(loads(other), loads(done), context);
            expectSame(next(other.last), next(done.last), context);
          }
        }
      }
    }
  });
