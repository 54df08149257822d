import { formNamed } from "./encodings.js";
import { withFixed } from "./fields.js";
import type { FieldName, Meaning, OperandCode } from "./form.js";
import type { RiscvInstruction } from "./instruction.js";
import { hex } from "./literals.js";
import { pseudoInstructions } from "./pseudo-instructions.js";

const operandText = (code: OperandCode, insn: RiscvInstruction, at: bigint): string => {
  const { imm = 0n, rs1 } = insn;
  switch (code) {
    case "imm":
      return imm.toString();
    case "imm20":
      return hex(BigInt.asUintN(20, imm >> 12n));
    case "target":
      return hex(BigInt.asUintN(64, at + imm));
    case "imm(rs1)":
    case "imm(sp)":
      return `${imm}(${rs1})`;
    case "(rs1)":
      return `(${rs1})`;
    case "sp":
      return code;
    default:
      return insn[code] ?? "";
  }
};

const isMeant = (meaning: Meaning, insn: RiscvInstruction): boolean => {
  const fixed = withFixed(meaning, insn);
  return (
    meaning.op === insn.form &&
    Object.keys(meaning.fixed).every((name) => fixed[name as FieldName] === insn[name as FieldName])
  );
};

/**
 * Assembler text of an instruction that lies at address `at`, with the registers' names in the calling convention: a
 * pseudo-instruction (`nop`, `ret`, `j`) where one fits, compressed instructions as `c.…`. Branches show the absolute
 * target, `lui` and `auipc` the upper 20 bits.
 */
export const format = (insn: RiscvInstruction, at: bigint): string => {
  if (insn.word !== undefined) return `${insn.length === 2 ? ".half" : ".word"} ${hex(BigInt(insn.word))}`;
  const { name, operands } = pseudoInstructions.find((meaning) => isMeant(meaning, insn)) ?? formNamed.get(insn.form)!;
  const ordering = insn.aq || insn.rl ? `.${insn.aq ? "aq" : ""}${insn.rl ? "rl" : ""}` : "";
  const texts = operands.map((code) => operandText(code, insn, at));
  return `${name.replace(/\.ordered$/, "")}${ordering} ${texts.join(insn.op === "fence" ? "," : ", ")}`.trim();
};
