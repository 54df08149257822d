import type { Outcome, Registers } from "@cmodx/core";
import { type Computation, type ComputingOperation, comparing, computations, keepingPart } from "./computations.js";
import { type Context, evaluate, flagsOf, operate, retire, trap, unsigned } from "./effect.js";
import { executeMemory } from "./execute-memory.js";
import type { Arm64Instruction, Operand, RegisterOperand } from "./instruction.js";
import { accessing } from "./memory-operations.js";
import type { ControlOperation, Operation } from "./operations.js";
import { conditionFlags, writeRegister } from "./registers.js";

const isComputing = (op: Operation): op is ComputingOperation => op in computations;

const compute = (context: Context, op: ComputingOperation): Outcome => {
  const { insn, registers } = context;
  const { operands } = insn;
  const [destination] = operands as readonly [RegisterOperand, ...Operand[]];
  const { size } = destination;
  const sources = comparing.has(op) || keepingPart.has(op) ? operands : operands.slice(1);
  const constant = operands.at(-1);
  const computation: Computation = computations[op];
  const { value, nzcv } = computation(
    sources.map((operand) => evaluate(context, operand, size)),
    { size, nzcv: flagsOf(context), shift: constant?.kind === "immediate" ? (constant.shift ?? 0) : 0 },
  );
  const written = value === undefined ? registers : writeRegister(registers, destination, value);
  return retire(context, { registers: nzcv === undefined ? written : { ...written, nzcv } });
};

/** The value of an operand of an instruction on 64 bits. */
const operandValue = (context: Context, position: number): bigint =>
  evaluate(context, context.insn.operands[position], 8);

const nameOf = ({ insn }: Context, position: number): string | undefined => {
  const operand = insn.operands[position];
  return operand?.kind === "name" ? operand.name : undefined;
};

const branchIf = (context: Context, isTaken: boolean): Outcome =>
  retire(context, isTaken ? { next: evaluate(context, context.insn.operands.at(-1), 8) } : {});

const call = (context: Context): Outcome => {
  const { next, registers } = context;
  return retire(context, {
    registers: { ...registers, x30: next },
    next: operandValue(context, 0),
    link: next,
  });
};

const bitIsSet = (context: Context): boolean => ((operandValue(context, 0) >> operandValue(context, 1)) & 1n) === 1n;

/** The domain of a barrier; the reserved ones are full barriers of the whole system (Arm ARM, DMB and DSB). */
const domain = (context: Context): string => nameOf(context, 0) ?? "sy";

const maintain = (context: Context): Outcome => {
  const step = `${context.insn.op} ${nameOf(context, 0)}`;
  return operate(context, step, context.insn.operands.length > 1 ? { address: operandValue(context, 1) } : {});
};

const debugOnly = (context: Context): Outcome => trap(context, "ud");

const control: { readonly [op in ControlOperation]: (context: Context) => Outcome } = {
  b: (context) => branchIf(context, true),
  "b.cond": (context) => branchIf(context, operandValue(context, 0) === 1n),
  bl: call,
  blr: call,
  br: (context) => branchIf(context, true),
  brk: (context) => trap(context, "brk"),
  cbnz: (context) => branchIf(context, operandValue(context, 0) !== 0n),
  cbz: (context) => branchIf(context, operandValue(context, 0) === 0n),
  dc: maintain,
  dcps1: debugOnly,
  dcps2: debugOnly,
  dcps3: debugOnly,
  dmb: (context) => operate(context, `dmb ${domain(context)}`),
  dsb: (context) => operate(context, `dsb ${domain(context)}`),
  eret: (context) => {
    const { registers } = context;
    const nzcv = (registers.spsr_el1 ?? 0n) & conditionFlags;
    return operate(context, "eret", { registers: { ...registers, nzcv }, next: registers.elr_el1 ?? 0n });
  },
  hlt: debugOnly,
  hvc: (context) => trap(context, "hvc", context.next),
  ic: maintain,
  isb: (context) => operate(context, "isb"),
  mrs: (context) => {
    const [destination] = context.insn.operands as readonly [RegisterOperand, Operand];
    const value = context.registers[nameOf(context, 1)!] ?? 0n;
    return retire(context, { registers: writeRegister(context.registers, destination, value) });
  },
  msr: (context) => {
    const name = nameOf(context, 0)!;
    const value = operandValue(context, 1);
    const written = name === "nzcv" ? value & conditionFlags : value;
    return retire(context, { registers: { ...context.registers, [name]: written } });
  },
  opaque: (context) => retire(context),
  pssbb: (context) => operate(context, "pssbb"),
  ret: (context) =>
    retire(context, {
      next: context.insn.operands.length > 0 ? operandValue(context, 0) : (context.registers.x30 ?? 0n),
    }),
  smc: (context) => trap(context, "smc", context.next),
  ssbb: (context) => operate(context, "ssbb"),
  svc: (context) => trap(context, "svc", context.next),
  tbnz: (context) => branchIf(context, bitIsSet(context)),
  tbz: (context) => branchIf(context, !bitIsSet(context)),
  udf: (context) => trap(context, "ud"),
};

const isControl = (op: Operation): op is ControlOperation => op in control;

/**
 * Executes an instruction; see `InstructionSet.execute`.
 *
 * - Barriers, cache maintenance and ERET ask for steps named as they are written: `dmb ish`, `dsb ishst`, `isb`, `ssbb`, `pssbb`,
 *   `dc cvau`, `ic ivau`, `ic ialluis`, `eret`. Maintenance by address gives the address, which need not be a line's first.
 * - Traps have the vectors of {@link Vector}.
 * - What is opaque changes nothing: whoever lets it pass sees to it that its effect does not matter.
 * - Hints do nothing: nothing waits for events, and addresses are not signed.
 * - ERET goes on at `elr_el1` with the condition flags of `spsr_el1`.
 *
 * Source: the instructions' pages in the Arm ARM, C6.2.
 */
export const execute = (
  insn: Arm64Instruction,
  at: bigint,
  registers: Registers,
  loaded: readonly bigint[] = [],
): Outcome => {
  const context: Context = { insn, at, next: unsigned(at + 4n), registers, loaded };
  if (at % 4n !== 0n) return trap(context, "pf");
  const access = accessing(insn.op);
  if (access) return executeMemory(context, access);
  if (isComputing(insn.op)) return compute(context, insn.op);
  return isControl(insn.op) ? control[insn.op](context) : retire(context);
};
