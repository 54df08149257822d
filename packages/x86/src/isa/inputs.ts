import type { Operand, Operation, X86Instruction } from "./instruction.js";

/** A register that an instruction reads, and what for. */
export type Input = { readonly register: string; readonly role: "address" | "data" | "branch" };

const readsFlags: ReadonlySet<Operation> = new Set([
  "adc",
  "sbb",
  "inc",
  "dec",
  "shl",
  "shr",
  "sar",
  "rol",
  "ror",
  "rcl",
  "rcr",
  "bt",
  "bts",
  "btr",
  "btc",
  "bsf",
  "bsr",
  "mul",
  "clc",
  "cmc",
  "stc",
  "cmovcc",
  "setcc",
]);

const usesStack: ReadonlySet<Operation> = new Set(["call", "iretq", "pop", "push", "ret"]);

const writesOnly: ReadonlySet<Operation> = new Set(["lea", "mov", "movsx", "movsxd", "movzx", "pop", "setcc"]);

const names = (role: Input["role"], ...registers: readonly string[]): readonly Input[] =>
  registers.map((register) => ({ register, role }));

/** What an instruction reads without an operand that says so. */
const implied = ({ op, operands, repeated }: X86Instruction): readonly Input[] => {
  if (/^(movs|stos)[bwdq]$/.test(op)) {
    const counted = repeated ? [...names("branch", "rcx"), ...names("data", "rcx")] : [];
    const pointers = op.startsWith("movs") ? names("address", "rsi", "rdi") : names("address", "rdi");
    return [...pointers, ...(op.startsWith("stos") ? names("data", "rax") : []), ...counted];
  }
  const [place, number] = operands;
  // A bit's number reaches beyond the operand.
  if (/^bt[src]?$/.test(op) && place?.kind === "memory" && number?.kind === "register")
    return names("address", number.register);
  if (op === "mul" || (op === "imul" && operands.length === 1)) return names("data", "rax");
  if (op === "div" || op === "idiv") return names("data", "rax", "rdx");
  return /^(cbw|cwde?|cdqe?|cqo|cmpxchg)$/.test(op) ? names("data", "rax") : [];
};

const operandInputs = (operand: Operand, position: number, { op, operands }: X86Instruction): readonly Input[] => {
  if (operand.kind === "memory") {
    const role = op === "lea" ? "data" : "address";
    const segment = operand.segment && op !== "lea" ? `${operand.segment}_base` : undefined;
    return [operand.base, operand.index, segment]
      .filter((register) => register !== undefined && register !== "rip")
      .map((register) => ({ register: register!, role }));
  }
  if (operand.kind !== "register") return [];
  // A narrow result keeps the rest of its register.
  const isWritten = position === 0 && (writesOnly.has(op) || operands.length === 3) && operand.size >= 4;
  if (isWritten) return [];
  return [{ register: operand.register, role: op === "jmp" || op === "call" ? "branch" : "data" }];
};

/** The registers that an instruction reads; `rflags` among them, `rip` never. */
export const inputs = (insn: X86Instruction): readonly Input[] => [
  ...(usesStack.has(insn.op) ? [{ register: "rsp", role: "address" } as const] : []),
  ...(insn.op === "leave" ? [{ register: "rbp", role: "address" } as const] : []),
  ...(insn.op === "cpuid"
    ? [{ register: "rax", role: "data" } as const, { register: "rcx", role: "data" } as const]
    : []),
  ...(insn.op === "jcc" ? [{ register: "rflags", role: "branch" } as const] : []),
  ...(readsFlags.has(insn.op) ? [{ register: "rflags", role: "data" } as const] : []),
  ...implied(insn),
  ...(insn.op === "ud1" || insn.opaque
    ? []
    : insn.operands.flatMap((operand, position) => operandInputs(operand, position, insn))),
];
