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
  "cmovcc",
  "setcc",
]);

const usesStack: ReadonlySet<Operation> = new Set(["call", "iretq", "pop", "push", "ret"]);

const writesOnly: ReadonlySet<Operation> = new Set(["lea", "mov", "movsx", "movsxd", "movzx", "pop", "setcc"]);

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
  ...(insn.op === "ud1" ? [] : insn.operands.flatMap((operand, position) => operandInputs(operand, position, insn))),
];
