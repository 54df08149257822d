import { conditionTests } from "./alu.js";
import {
  type Armv7Instruction,
  binaryOperations,
  comparisons,
  conditions,
  doubles,
  exclusives,
  extractions,
  type ListOperand,
  loads,
  type MemoryOperand,
  maintenanceByAddress,
  multiples,
  type Operand,
  type Operation,
  type RegisterOperand,
  type Shift,
  stores,
  unaryOperations,
} from "./instruction.js";
import { type FlagRegister, flagRegisters, type GeneralRegister } from "./registers.js";

/** A register that an instruction reads, and what for. */
export type Input = { readonly register: string; readonly role: "address" | "data" | "branch" };

type Role = Input["role"];
type Flow = { readonly reads: readonly Input[]; readonly writes: readonly (GeneralRegister | FlagRegister)[] };

const isOneOf = (names: readonly Operation[], op: Operation): boolean => names.includes(op);

const shiftInputs = (shift: Shift | undefined, role: Role): Input[] => {
  if (shift === undefined) return [];
  if (typeof shift.amount === "string") return [{ register: shift.amount, role }];
  return shift.type === "rrx" ? [{ register: "c", role }] : [];
};

const operandInputs = (operand: Operand, role: Role): readonly Input[] => {
  switch (operand.kind) {
    case "register":
      return [{ register: operand.register, role }, ...shiftInputs(operand.shift, role)];
    case "memory": {
      const { base, offset } = operand;
      const index =
        typeof offset === "number" ? [] : [{ register: offset.register, role }, ...shiftInputs(offset.shift, role)];
      return [{ register: base, role }, ...index];
    }
    case "list":
      return operand.registers.map((register) => ({ register, role }));
    default:
      return [];
  }
};

const shifts: readonly Operation[] = ["asr", "lsl", "lsr", "ror", "rrx"];
const bitwise: readonly Operation[] = ["and", "bic", "eor", "mov", "mvn", "orn", "orr", "teq", "tst"];
const withCarry: readonly Operation[] = ["adc", "rrx", "rsc", "sbc"];

/** How the carry of a bitwise operation or shift comes about: it stays, it is written, or a shift by a register may keep it. */
const carryOut = ({ op, operands }: Armv7Instruction): "kept" | "written" | "either" => {
  const last = operands.at(-1);
  if (op === "rrx") return "written";
  if (isOneOf(shifts, op)) return last?.kind === "immediate" ? "written" : "either";
  if (last?.kind === "immediate") return last.rotation === undefined ? "kept" : "written";
  const amount = (last as RegisterOperand).shift?.amount;
  return amount === undefined ? "kept" : typeof amount === "number" ? "written" : "either";
};

const flagsWritten = (insn: Armv7Instruction): readonly FlagRegister[] => {
  if (!insn.setsFlags && !isOneOf(comparisons, insn.op)) return [];
  if (insn.op === "mul") return ["n", "z"];
  if (!isOneOf([...bitwise, ...shifts], insn.op)) return flagRegisters;
  return carryOut(insn) === "kept" ? ["n", "z"] : ["n", "z", "c"];
};

const carryInputs = (insn: Armv7Instruction, role: Role): readonly Input[] => {
  const isKept = flagsWritten(insn).length === 3 && carryOut(insn) === "either";
  return isOneOf(withCarry, insn.op) || isKept ? [{ register: "c", role }] : [];
};

const destination = ({ operands }: Armv7Instruction): GeneralRegister => (operands[0] as RegisterOperand).register;

const computation = (insn: Armv7Instruction): Flow => {
  const { op, operands } = insn;
  const isComparison = isOneOf(comparisons, op);
  // Where two operands are named the first is a source too.
  const isSource = isComparison || op === "movt" || (isOneOf(binaryOperations, op) && operands.length === 2);
  const sources = isSource ? operands : operands.slice(1);
  const role = !isComparison && destination(insn) === "pc" ? "branch" : "data";
  return {
    reads: [...sources.flatMap((operand) => operandInputs(operand, role)), ...carryInputs(insn, role)],
    writes: [...(isComparison ? [] : [destination(insn)]), ...flagsWritten(insn)],
  };
};

const singleAccess = ({ op, operands }: Armv7Instruction): Flow => {
  const [{ register }, memory] = operands as readonly [RegisterOperand, MemoryOperand];
  const isStore = isOneOf(stores, op);
  return {
    reads: [...operandInputs(memory, "address"), ...(isStore ? [{ register, role: "data" } as const] : [])],
    writes: [...(isStore ? [] : [register]), ...(memory.indexing === "offset" ? [] : [memory.base])],
  };
};

/** Two registers, of which a store's are read. */
const doubleAccess = ({ op, operands }: Armv7Instruction): Flow => {
  const [first, second, memory] = operands as readonly [RegisterOperand, RegisterOperand, MemoryOperand];
  const both = [first.register, second.register];
  const isStore = op === "strd";
  return {
    reads: [
      ...operandInputs(memory, "address"),
      ...(isStore ? both.map((register) => ({ register, role: "data" }) as const) : []),
    ],
    writes: [...(isStore ? [] : both), ...(memory.indexing === "offset" ? [] : [memory.base])],
  };
};

const exclusiveAccess = ({ op, operands }: Armv7Instruction): Flow => {
  const [first, second] = operands as readonly [RegisterOperand, RegisterOperand];
  const memory = operandInputs(operands.at(-1)!, "address");
  return {
    reads: op === "strex" ? [...memory, { register: second.register, role: "data" }] : memory,
    writes: [first.register],
  };
};

const multipleAccess = ({ op, operands }: Armv7Instruction): Flow => {
  const list = operands.at(-1) as ListOperand;
  const isImplied = operands.length === 1;
  const base = isImplied ? "sp" : (operands[0] as RegisterOperand).register;
  const writeBack = isImplied || (operands[0] as RegisterOperand).writeBack ? [base] : [];
  const isStore = op === "push" || op.startsWith("stm");
  return {
    reads: [{ register: base, role: "address" }, ...(isStore ? operandInputs(list, "data") : [])],
    writes: [...(isStore ? [] : list.registers), ...writeBack],
  };
};

const branch = ({ op, operands }: Armv7Instruction): Flow => ({
  reads: operands.flatMap((operand) => operandInputs(operand, "branch")),
  writes: op === "bl" || op === "blx" ? ["lr"] : [],
});

const unconditional = (insn: Armv7Instruction): Flow => {
  const { op, operands } = insn;
  if (isOneOf([...binaryOperations, ...unaryOperations, ...comparisons, "movt", ...extractions], op))
    return computation(insn);
  if (isOneOf([...loads, ...stores], op)) return singleAccess(insn);
  if (isOneOf(doubles, op)) return doubleAccess(insn);
  if (isOneOf(exclusives, op)) return exclusiveAccess(insn);
  if (isOneOf(multiples, op)) return multipleAccess(insn);
  if (isOneOf(maintenanceByAddress, op)) return { reads: operandInputs(operands[0]!, "address"), writes: [] };
  const isBranch = isOneOf(["b", "bl", "blx", "bx", "cbnz", "cbz"], op);
  return isBranch ? branch(insn) : { reads: [], writes: [] };
};

/** Whether an instruction may go on elsewhere than behind itself, or raises an exception. */
const isControl = ({ op }: Armv7Instruction, writes: Flow["writes"]): boolean =>
  isOneOf(["b", "bl", "blx", "bx", "bkpt", "hvc", "smc", "svc"], op) || writes.includes("pc");

const flow = (insn: Armv7Instruction): Flow => {
  const { reads, writes } = unconditional(insn);
  const test = insn.condition && insn.op !== "udf" && conditionTests[conditions.indexOf(insn.condition) >>> 1];
  if (!test) return { reads, writes };
  const role = isControl(insn, writes) ? "branch" : "data";
  const flags = test.reads.map((register) => ({ register, role }) as const);
  // What is not written after all stays as it was.
  const kept = writes.map((register) => ({ register, role: "data" }) as const);
  return { reads: [...flags, ...reads, ...kept], writes };
};

/**
 * The registers that an instruction reads, the flags `n`, `z`, `c` and `v` among them, `pc` never. An instruction with a condition reads
 * the flags of its condition, as data unless it branches, and as data what it would write, since it may leave that as it is.
 */
export const inputs = (insn: Armv7Instruction): readonly Input[] => {
  const seen = new Set<string>();
  return flow(insn).reads.filter(({ register, role }) => {
    const key = `${register} ${role}`;
    if (register === "pc" || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
};

/** The registers that an instruction may write, the flags among them, `pc` never; nothing else of a context changes. */
export const outputs = (insn: Armv7Instruction): readonly (GeneralRegister | FlagRegister)[] => [
  ...new Set(flow(insn).writes.filter((register) => register !== "pc")),
];
