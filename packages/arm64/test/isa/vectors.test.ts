import { expect, it } from "vitest";
import type { Target } from "../../../../tooling/vectors/run.js";
import { describeVectors, readVectors } from "../../../../tooling/vectors/suite.js";
import { forms } from "../../src/isa/encodings.js";
import { type Arm64Instruction, arm64InstructionSet, conditionFlags } from "../../src/isa/index.js";
import { generalRegisters } from "../../src/isa/registers.js";

const sample = new URL("../data/arm64-sample.jsonl", import.meta.url);

/** Instructions after which the one behind is not reached. */
const leaving: ReadonlySet<string> = new Set(["b", "br", "ret", "brk", "udf"]);

const ways = ({ op, operands, length }: Arm64Instruction): readonly number[] => {
  const target = operands.at(-1);
  return [
    ...(target?.kind === "relative" && /^(b|c|t)/.test(op) ? [Number(target.displacement)] : []),
    ...(leaving.has(op) ? [] : [length]),
  ];
};

const target: Target<Arm64Instruction> = {
  instructionSet: arm64InstructionSet,
  registers: generalRegisters.map((name, number) => [name, number]),
  notCompared: ["x18", "x29"],
  filler: () => [0x00, 0x00, 0x20, 0xd4],
  signals: { brk: "trap", ud: "illegal", pf: "bus" },
  flags: {
    read: (bits) => ({ nzcv: bits }),
    write: ({ nzcv = 0n }) => nzcv & conditionFlags,
  },
  ways,
};

describeVectors(target, { on: "under QEMU", sample, full: ["arm64"] });

/** What a program cannot run without a kernel; test/isa/execute.test.ts has these. */
const ofSystem: ReadonlySet<string> = new Set([
  ...["brk", "dc", "dcps1", "dcps2", "dcps3", "dmb", "dsb", "eret", "hint", "hlt", "hvc", "ic", "isb", "mrs", "msr"],
  ...["pssbb", "smc", "ssbb", "svc", "udf"],
]);

/** STADD and its like are the operations that keep what they load, without a place to keep it in. */
const keeping = (op: string): string => op.replace(/^st(?=add|clr|eor|set)/, "ld");

/** What litmus tests run instead (packages/litmus/test/exclusives.test.ts, files.test.ts). */
const ofOthers: ReadonlySet<string> = new Set([
  ...["rbit", "rev", "rev16", "rev32", "clz"],
  ...["", "b", "h"].flatMap((part) => ["ldxr", "ldaxr", "stxr", "stlxr"].map((name) => name + part)),
]);

/** The operations of a vector's code. */
const operationsOf = (code: Buffer): readonly string[] =>
  Array.from({ length: code.length / 4 }, (_, k) => {
    const insn = arm64InstructionSet.decode([...code.subarray(k * 4, k * 4 + 4)], "");
    return typeof insn === "string" ? [] : [keeping(insn.op)];
  }).flat();

it("the sample runs every operation but those of the system", () => {
  const run = new Set(readVectors(sample).flatMap(({ code }) => operationsOf(Buffer.from(code, "hex"))));
  const left = [...new Set(forms.map(({ op }) => op))].filter(
    (op) => !run.has(keeping(op)) && !ofSystem.has(op) && !ofOthers.has(op),
  );
  expect(left).toEqual([]);
});
