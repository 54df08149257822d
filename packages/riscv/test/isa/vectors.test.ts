import { expect, it } from "vitest";
import { run, type Target } from "../../../../tooling/vectors/run.js";
import { describeVectors, readVectors } from "../../../../tooling/vectors/suite.js";
import { integerRegisters, type RiscvInstruction, riscvInstructionSet } from "../../src/isa/index.js";

const sample = new URL("../data/riscv-sample.jsonl", import.meta.url);

const ways = ({ op, rd, imm, length }: RiscvInstruction): readonly number[] => [
  ...(op.startsWith("b") || op === "jal" ? [Number(imm)] : []),
  ...(op === "jal" && rd === "zero" ? [] : [length]),
];

const target: Target<RiscvInstruction> = {
  instructionSet: riscvInstructionSet,
  registers: integerRegisters.map((name, number) => [name, number]),
  notCompared: ["zero", "sp", "gp", "tp"],
  filler: () => [0x02, 0x90],
  signals: { ebreak: "trap", ud: "illegal", pf: "segv", misaligned: "bus" },
  ways,
};

describeVectors(target, { on: "under QEMU", sample, full: ["riscv64"] });

/** The forms that the measured code contains; the tests of `execute` go through the others. */
const measuredForms =
  "addi addiw add andi auipc beq bge bgeu blt bltu bne c.addi c.ebreak c.j c.nop c.slli ebreak fence fence.i jal jalr lb lbu ld lh lhu lui lw lwu ori sb sd sh slli slti sltiu sub sw xori".split(
    " ",
  );
const rare = new Set(["c.slli"]);

it("the sample ends in every way that the full set ends in", () => {
  expect(new Set(readVectors(sample).map(({ end }) => end))).toEqual(new Set(["trap", "illegal", "segv"]));
});

it("the sample runs every instruction that the full set runs, at least four times each", () => {
  const counts = new Map<string, number>();
  for (const vector of readVectors(sample))
    run(target, vector, ({ form }) => counts.set(form, (counts.get(form) ?? 0) + 1));
  const often = [...counts].filter(([form, count]) => count >= 4 || rare.has(form)).map(([form]) => form);
  expect(often.sort()).toEqual([...measuredForms].sort());
});
