import type { Registers } from "@cmodx/core";
import { choosing, comparing, computations, keepingPart, settingFlags, usingCarry } from "./computations.js";
import { holds, isAlways } from "./conditions.js";
import type { Arm64Instruction, Operand, RegisterOperand } from "./instruction.js";
import { accessing } from "./memory-operations.js";
import { conditionFlags } from "./registers.js";

/** A register that an instruction reads, and what for. */
export type Input = { readonly register: string; readonly role: "address" | "data" | "branch" };

const registerInput = ({ register }: RegisterOperand, role: Input["role"]): readonly Input[] =>
  register === "zr" ? [] : [{ register, role }];

const flags = (role: Input["role"]): readonly Input[] => [{ register: "nzcv", role }];

const operandInputs = (operand: Operand, role: Input["role"]): readonly Input[] => {
  if (operand.kind === "register") return registerInput(operand, role);
  if (operand.kind === "condition") return isAlways(operand.condition) ? [] : flags("branch");
  if (operand.kind !== "memory") return [];
  const index = operand.index ? registerInput(operand.index, "address") : [];
  return [...registerInput(operand.base, "address"), ...index];
};

/** Which operands an operation on memory writes without reading them. */
const isLoaded = ({ op, operands }: Arm64Instruction, position: number): boolean => {
  const kind = accessing(op)?.kind;
  if (operands[position]?.kind !== "register" || kind === undefined) return false;
  if (kind === "load" || kind === "reserve") return true;
  if (kind === "exclusive") return position === 0;
  return kind !== "store" && kind !== "cas" && position === 1;
};

const isDestination = (insn: Arm64Instruction, position: number): boolean => {
  const { op } = insn;
  if (op in computations) return position === 0 && !comparing.has(op);
  return isLoaded(insn, position) || (op === "mrs" && position === 0);
};

const branching: ReadonlySet<string> = new Set(["blr", "br", "cbnz", "cbz", "ret", "tbnz", "tbz"]);

const roleOf = ({ op }: Arm64Instruction, position: number): Input["role"] => {
  // CAS stores by a comparison with its first register, which is therefore no part of what it stores.
  if (branching.has(op) || (accessing(op)?.kind === "cas" && position === 0)) return "branch";
  return op === "dc" || op === "ic" ? "address" : "data";
};

const own = (insn: Arm64Instruction): readonly Input[] => {
  const { op, operands } = insn;
  if (usingCarry.has(op)) return flags("data");
  if (op === "ret" && operands.length === 0) return [{ register: "x30", role: "branch" }];
  if (op === "eret")
    return [
      { register: "elr_el1", role: "branch" },
      { register: "spsr_el1", role: "data" },
    ];
  const system = operands[1];
  return op === "mrs" && system?.kind === "name" ? [{ register: system.name, role: "data" }] : [];
};

const isSame = (left: Input) => (right: Input) => left.register === right.register && left.role === right.role;

/**
 * The registers that an instruction reads, each once for each role; the zero register and the pc never.
 *
 * - `address`: bases and indices, and what DC and IC maintain. A written-back base depends on these alone.
 * - `branch` of an instruction that branches: what decides whether it is taken, or where it goes.
 * - `branch` of one that does not (CSEL, CSET, CCMP and their like by the flags, CAS by what it compares): it picks among the
 *   other inputs or effects. Arm calls what flows through it a pick dependency (Arm ARM, B2.3). It orders later writes, DC and
 *   IC, wherever the result then goes, and never a later read; before an ISB it counts as what it goes to counts. Which of the
 *   others was picked tells {@link selectedInputs}.
 */
export const inputs = (insn: Arm64Instruction): readonly Input[] => {
  const all = [
    ...own(insn),
    ...insn.operands.flatMap((operand, position) =>
      isDestination(insn, position) && !keepingPart.has(insn.op) ? [] : operandInputs(operand, roleOf(insn, position)),
    ),
  ];
  return all.filter((input, position) => all.findIndex(isSame(input)) === position);
};

/**
 * The inputs of an instruction once the condition flags are known: of CSEL, CSINC, CSINV and CSNEG without the register that was
 * not picked, of CCMP and CCMN without registers where they compare nothing. Of others the same as {@link inputs}.
 */
export const selectedInputs = (insn: Arm64Instruction, registers: Registers): readonly Input[] => {
  const { op, operands } = insn;
  const condition = operands.at(-1);
  if (condition?.kind !== "condition") return inputs(insn);
  const isHolding = holds(condition.condition, (registers.nzcv ?? 0n) & conditionFlags);
  const unread = choosing.has(op) ? [isHolding ? 2 : 1] : comparing.has(op) && !isHolding ? [0, 1] : [];
  const kept = operands.map((operand, position): Operand => (unread.includes(position) ? none : operand));
  return inputs({ ...insn, operands: kept });
};

const none: Operand = { kind: "immediate", value: 0n };

/** The registers that an instruction writes: the base that is written back, `nzcv` and the link register among them. */
export const outputs = (insn: Arm64Instruction): readonly string[] => {
  const { op, operands } = insn;
  const registers = operands.flatMap((operand, position) => {
    if (operand.kind === "memory") return operand.mode === "offset" ? [] : [operand.base.register];
    const written = isDestination(insn, position) || (accessing(op)?.kind === "cas" && position === 0);
    return written && operand.kind === "register" && operand.register !== "zr" ? [operand.register] : [];
  });
  const [system] = operands;
  return [
    ...registers,
    ...(settingFlags.has(op) || op === "eret" ? ["nzcv"] : []),
    ...(op === "bl" || op === "blr" ? ["x30"] : []),
    ...(op === "msr" && system?.kind === "name" ? [system.name] : []),
  ];
};
