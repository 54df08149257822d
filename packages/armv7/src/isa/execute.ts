import type { Outcome, Registers } from "@cmodx/core";
import { addOrSubtract, combine, extract, moveTop, multiply, shiftRegister, transform } from "./data-processing.js";
import { type Context, following, interwork, operate, passes, read, retire, trap, wrap } from "./effect.js";
import type { ExceptionVector } from "./exceptions.js";
import type {
  Armv7Instruction,
  Operand,
  Operation,
  OptionOperand,
  RegisterOperand,
  RelativeOperand,
} from "./instruction.js";
import {
  barriers,
  doubles,
  exceptions,
  exclusives,
  extractions,
  hints,
  loads,
  maintenanceByAddress,
  maintenanceOfAll,
  multiples,
  stores,
} from "./instruction.js";
import { double, exclusive, load, multiple, store } from "./memory-access.js";
import { optionNames } from "./operand-text.js";

const registerOf = (operand: Operand | undefined) => (operand as RegisterOperand).register;

/** Where a relative branch goes: its displacement counts from the pc that it reads, aligned to words in BLX. */
const targetOf = (context: Context, operand: Operand): number => {
  const pc = read(context, "pc");
  const origin = context.insn.op === "blx" ? wrap(pc & ~3) : pc;
  return wrap(origin + (operand as RelativeOperand).displacement);
};

/** The link register holds where to return to, with the lowest bit set in T32. */
const linked = (context: Context) => {
  const link = following(context);
  return { link, effect: { written: { lr: wrap(link | (context.insn.mode === "t32" ? 1 : 0)) } } };
};

const callAndChange = (context: Context): Outcome => {
  const { link, effect } = linked(context);
  const operand = context.insn.operands[0]!;
  if (operand.kind === "register") return interwork(context, read(context, operand.register), effect, link);
  const target = targetOf(context, operand);
  return interwork(context, context.insn.mode === "a32" ? wrap(target | 1) : target, effect, link);
};

const compareAndBranch = (context: Context): Outcome => {
  const [operand, target] = context.insn.operands;
  const isZero = read(context, registerOf(operand)) === 0;
  const isTaken = isZero === (context.insn.op === "cbz");
  return retire(context, {}, isTaken ? targetOf(context, target!) : following(context));
};

/** Options without a name act as SY (DDI 0406C, A8.8.43). */
const barrier = (context: Context): Outcome => {
  const { op, operands } = context.insn;
  if (op === "isb" || op === "cp15isb") return operate(context, "isb");
  if (op.startsWith("cp15")) return operate(context, `${op.slice("cp15".length)} sy`);
  const { value } = operands[0] as OptionOperand;
  return operate(context, `${op} ${optionNames.get(value) ?? "sy"}`);
};

/** SVC, HVC and SMC return behind themselves, BKPT and UDF to themselves (DDI 0406C, B1.8.3). */
const raise = (context: Context): Outcome => {
  const { op } = context.insn;
  if (op === "udf") return trap("und", context.at);
  return trap(op as ExceptionVector, op === "bkpt" ? context.at : following(context));
};

const each = <Name extends Operation>(names: readonly Name[], action: (context: Context) => Outcome) =>
  Object.fromEntries(names.map((name) => [name, action])) as { readonly [name in Name]: (context: Context) => Outcome };

const semantics: { readonly [op in Operation]: (context: Context) => Outcome } = {
  ...each(["adc", "add", "addw", "cmn", "cmp", "rsb", "rsc", "sbc", "sub", "subw"], addOrSubtract),
  ...each(["and", "bic", "eor", "orn", "orr", "teq", "tst"], combine),
  ...each(["clz", "mov", "movw", "mvn", "rbit", "rev", "rev16", "revsh", "sxtb", "sxth", "uxtb", "uxth"], transform),
  ...each(["asr", "lsl", "lsr", "ror", "rrx"], shiftRegister),
  ...each(loads, load),
  ...each(stores, store),
  ...each(multiples, multiple),
  ...each(doubles, double),
  ...each(exclusives, exclusive),
  ...each(extractions, extract),
  opaque: (context) => retire(context),
  ...each(hints, retire),
  ...each(barriers, barrier),
  ...each(exceptions, raise),
  ...each(maintenanceByAddress, (context) =>
    operate(context, context.insn.op, read(context, registerOf(context.insn.operands[0]))),
  ),
  ...each(maintenanceOfAll, (context) => operate(context, context.insn.op)),
  b: (context) => retire(context, {}, targetOf(context, context.insn.operands[0]!)),
  bl: (context) => {
    const { link, effect } = linked(context);
    return retire(context, effect, targetOf(context, context.insn.operands[0]!), link);
  },
  blx: callAndChange,
  bx: (context) => interwork(context, read(context, registerOf(context.insn.operands[0]))),
  cbnz: compareAndBranch,
  cbz: compareAndBranch,
  movt: moveTop,
  mul: multiply,
};

/**
 * Executes an instruction that lies at `at` (DDI 0406C, A8.8). One whose condition does not hold does nothing, but UDF raises its
 * exception whatever its condition: the architecture leaves that to implementations (B1.9), and who emulates it must cope. What is opaque
 * changes nothing: whoever lets it pass sees to it that its effect does not matter.
 */
export const execute = (
  insn: Armv7Instruction,
  at: bigint,
  registers: Registers,
  loaded: readonly bigint[] = [],
): Outcome => {
  const context: Context = { insn, at: Number(BigInt.asUintN(32, at)), registers, loaded };
  return insn.op === "udf" || passes(context) ? semantics[insn.op](context) : retire(context);
};
