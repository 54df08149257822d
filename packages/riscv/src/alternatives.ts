import type { Alternatives, Registers } from "@cmodx/core";
import { type BranchOperation, branches } from "./isa/arithmetic.js";
import type { RiscvInstruction } from "./isa/index.js";

const values = [0n, 1n, (1n << 64n) - 1n];

/** How an instruction may turn out while what decides it is not known: the registers of each way. */
export const alternatives = ({ op, rs1 = "zero", rs2 = "zero" }: RiscvInstruction): Alternatives => {
  if (op === "jalr") return "indirect";
  if (!(op in branches)) return [];
  const isTaken = branches[op as BranchOperation];
  const possible = values.flatMap((left) =>
    values.flatMap((right): readonly Registers[] => {
      const given = { [rs1]: left, [rs2]: right, zero: 0n };
      return given[rs1] === left && given[rs2] === right ? [given] : [];
    }),
  );
  const turns = (turn: boolean) => possible.find((given) => isTaken(given[rs1] ?? 0n, given[rs2] ?? 0n) === turn);
  return [turns(true), turns(false)].filter((given) => given !== undefined);
};
