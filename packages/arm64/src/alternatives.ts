import type { Alternatives } from "@cmodx/core";
import { holds } from "./isa/conditions.js";
import type { Arm64Instruction } from "./isa/index.js";

const indirect: ReadonlySet<string> = new Set(["blr", "br", "eret", "ret"]);

const flags = Array.from({ length: 16 }, (_, bits) => BigInt(bits) << 28n);

/** How an instruction may turn out while what decides it is not known: the registers of each way. */
export const alternatives = ({ op, operands }: Arm64Instruction): Alternatives => {
  if (indirect.has(op)) return "indirect";
  const [tested, bit] = operands;
  if ((op === "cbz" || op === "cbnz") && tested?.kind === "register" && tested.register !== "zr")
    return [{ [tested.register]: 0n }, { [tested.register]: 1n }];
  if ((op === "tbz" || op === "tbnz") && tested?.kind === "register" && bit?.kind === "immediate")
    return [{ [tested.register]: 0n }, { [tested.register]: 1n << bit.value }];
  const condition = operands.find((operand) => operand.kind === "condition");
  if (condition?.kind !== "condition") return [];
  return [true, false].flatMap((turn) => {
    const nzcv = flags.find((each) => holds(condition.condition, each) === turn);
    return nzcv === undefined ? [] : [{ nzcv }];
  });
};
