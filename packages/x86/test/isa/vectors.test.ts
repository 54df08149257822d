import { describeVectors } from "../../../../tooling/vectors/suite.js";
import { arithmeticFlags, type X86Instruction, x86InstructionSet } from "../../src/isa/index.js";
import { generalRegisters } from "../../src/isa/registers.js";

const ways = ({ op, operands: [target], length }: X86Instruction): readonly number[] => [
  ...(target?.kind === "relative" ? [length + Number(target.displacement)] : []),
  ...(op === "jmp" || op === "ret" ? [] : [length]),
];

describeVectors(
  {
    instructionSet: x86InstructionSet,
    registers: generalRegisters.map((name, number) => [name, number]),
    filler: () => [0xcc],
    signals: { int3: "trap", ud: "illegal", gp: "segv", pf: "segv", ss: "bus" },
    flags: {
      read: (bits) => ({ rflags: bits }),
      write: ({ rflags = 0n }) => rflags & arithmeticFlags,
    },
    ways,
  },
  { on: "on silicon", sample: new URL("../data/x86-sample.jsonl", import.meta.url), full: ["x86"] },
);
