import { amos, branches } from "./arithmetic.js";
import type { RiscvInstruction } from "./instruction.js";
import { exclusive, loads, stores } from "./memory-operations.js";
import type { Register } from "./registers.js";

/** A register that an instruction reads, and what for. */
export type Input = { readonly register: Register; readonly role: "address" | "data" | "branch" };

const roleOf = (field: "rs1" | "rs2", { op }: RiscvInstruction): Input["role"] => {
  if (op in branches || op === "jalr") return "branch";
  return field === "rs1" && (op in loads || op in stores || op in amos || exclusive(op) !== undefined)
    ? "address"
    : "data";
};

/**
 * The registers that an instruction reads, `zero` never. A register that is read for two reasons has two entries
 * (`sd a0, 0(a0)`).
 */
export const inputs = (insn: RiscvInstruction): readonly Input[] => {
  const all = (["rs1", "rs2"] as const).flatMap((field): Input[] => {
    const register = insn[field];
    return register === undefined || register === "zero" ? [] : [{ register, role: roleOf(field, insn) }];
  });
  return all.filter(
    ({ register, role }, i) => all.findIndex((other) => other.register === register && other.role === role) === i,
  );
};

/**
 * The registers that an instruction writes, `zero` never. What they hold depends on the inputs of the role `data`, for a load and
 * an atomic memory operation on the value loaded alone, and for `jal` and `jalr` on no register (RISC-V unprivileged ISA,
 * "Source and Destination Register Listings").
 */
export const outputs = ({ rd }: RiscvInstruction): readonly Register[] =>
  rd === undefined || rd === "zero" ? [] : [rd];
