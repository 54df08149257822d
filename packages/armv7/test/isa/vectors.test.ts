import type { Vector } from "../../../../tooling/vectors/run.js";
import { describeVectors } from "../../../../tooling/vectors/suite.js";
import { type Armv7Instruction, armv7InstructionSet, flagRegisters } from "../../src/index.js";
import { generalRegisters } from "../../src/isa/registers.js";

const thumbBit = 0x20n;

const place = (flag: number) => BigInt(31 - flag);

const ways = ({ op, operands, condition, length }: Armv7Instruction, mode: string): readonly number[] => {
  const target = operands.at(-1);
  return [
    ...(target?.kind === "relative" ? [(mode === "a32" ? 8 : 4) + target.displacement] : []),
    ...(/^(b|bx|udf)$/.test(op) && condition === undefined ? [] : [length]),
  ];
};

describeVectors(
  {
    instructionSet: armv7InstructionSet,
    // The stack pointer was not recorded.
    registers: generalRegisters
      .map((name, number) => [name, number] as const)
      .filter(([name]) => name !== "sp" && name !== "pc"),
    modeOf: ({ flagsIn }: Vector) => (BigInt(`0x${flagsIn}`) & thumbBit ? "t32" : "a32"),
    filler: (mode) => (mode === "a32" ? [0xf0, 0x00, 0xf0, 0xe7] : [0x00, 0xde]),
    signals: { bkpt: "trap", und: "illegal", pf: "segv" },
    flags: {
      read: (bits) => Object.fromEntries(flagRegisters.map((name, flag) => [name, (bits >> place(flag)) & 1n])),
      write: (registers, mode) =>
        flagRegisters.reduce(
          (bits, name, flag) => bits | ((registers[name] ?? 0n) << place(flag)),
          mode === "t32" ? thumbBit : 0n,
        ),
    },
    ways,
  },
  {
    on: "under QEMU",
    sample: new URL("../data/armv7-sample.jsonl", import.meta.url),
    full: ["armv7", "thumb2"],
  },
);
