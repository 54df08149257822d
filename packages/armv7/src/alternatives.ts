import type { Alternatives, Registers } from "@cmodx/core";
import { conditionTests } from "./isa/alu.js";
import { inputs } from "./isa/dataflow.js";
import { type Armv7Instruction, type Condition, conditions } from "./isa/index.js";
import { flagRegisters } from "./isa/registers.js";

const flagValues: readonly Registers[] = Array.from({ length: 16 }, (_, bits) =>
  Object.fromEntries(flagRegisters.map((flag, i) => [flag, BigInt((bits >> i) & 1)])),
);

/** Flags under which a condition holds, or does not; undefined where there are none. */
const flagsFor = (condition: Condition, holds: boolean): Registers | undefined => {
  const number = conditions.indexOf(condition);
  const test = conditionTests[number >>> 1];
  if (test === undefined) return holds ? {} : undefined;
  return flagValues.find(({ n, z, c, v }) => {
    const passes = test.holds({ n: n === 1n, z: z === 1n, c: c === 1n, v: v === 1n }) !== ((number & 1) === 1);
    return passes === holds;
  });
};

/** How an instruction may turn out while what decides it is not known: the registers of each way. */
export const alternatives = (insn: Armv7Instruction): Alternatives => {
  const deciding = inputs(insn).flatMap(({ register, role }) => (role === "branch" ? [register] : []));
  const tested = deciding.find((register) => !(flagRegisters as readonly string[]).includes(register));
  if (insn.op === "cbz" || insn.op === "cbnz") return tested === undefined ? [] : [{ [tested]: 0n }, { [tested]: 1n }];
  if (tested !== undefined) return "indirect";
  const { condition } = insn;
  if (condition === undefined) return [];
  return [true, false].map((holds) => flagsFor(condition, holds)).filter((flags) => flags !== undefined);
};

/** Flags with which an instruction that does not branch has its effect; undefined where it always has. */
export const conditional = (insn: Armv7Instruction): Registers | undefined => {
  if (insn.condition === undefined || insn.op === "udf" || inputs(insn).some(({ role }) => role === "branch"))
    return undefined;
  return flagsFor(insn.condition, true);
};
