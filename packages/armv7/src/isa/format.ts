import { encodeA32, rotateRight } from "./constants.js";
import { forms } from "./forms.js";
import type { Armv7Instruction, MemoryOperand, Operand, Operation, Shift } from "./instruction.js";
import { optionNames } from "./operand-text.js";

const wideOperations: ReadonlySet<Operation | "outside" | "undefined"> = new Set(
  forms.t32.filter(({ isWide }) => isWide).map(({ op }) => op),
);

const number = (value: number): string => `#${value < 4096 ? value : `0x${value.toString(16)}`}`;

const shiftText = ({ type, amount }: Shift): string =>
  type === "rrx" ? "rrx" : `${type} ${typeof amount === "number" ? number(amount) : amount}`;

const memoryText = ({ base, offset, subtract, indexing }: MemoryOperand): string => {
  const sign = subtract ? "-" : "";
  const isNone = offset === 0 && !subtract && indexing === "offset";
  const shift = typeof offset === "number" || offset.shift === undefined ? "" : `, ${shiftText(offset.shift)}`;
  const text = typeof offset === "number" ? `#${sign}${offset}` : `${sign}${offset.register}${shift}`;
  if (indexing === "post") return `[${base}], ${text}`;
  return `[${base}${isNone ? "" : `, ${text}`}]${indexing === "pre" ? "!" : ""}`;
};

/** What a branch reads as pc: two instructions ahead, for BLX aligned to words (DDI 0406C, A2.3 and A8.8.25). */
const branchOrigin = ({ mode, op }: Armv7Instruction, at: bigint): bigint => {
  const pc = at + (mode === "a32" ? 8n : 4n);
  return op === "blx" ? pc & ~3n : pc;
};

const operandText = (operand: Operand, insn: Armv7Instruction, at: bigint): string => {
  switch (operand.kind) {
    case "register":
      return `${operand.register}${operand.writeBack ? "!" : ""}${operand.shift ? `, ${shiftText(operand.shift)}` : ""}`;
    case "immediate": {
      const { value, rotation } = operand;
      const first = insn.mode === "a32" ? encodeA32({ kind: "immediate", value }) : undefined;
      // A constant with several encodings is shown as the byte and its rotation where it is not the first of them.
      return rotation === undefined || first === undefined || (first >>> 8) * 2 === rotation
        ? number(value)
        : `${number(rotateRight(value, 32 - rotation))}, #${rotation}`;
    }
    case "memory":
      return memoryText(operand);
    case "list":
      return `{${operand.registers.join(", ")}}`;
    case "option":
      if (insn.op === "isb") return operand.value === 15 ? "" : number(operand.value);
      return optionNames.get(operand.value) ?? number(operand.value);
    case "relative":
      return `0x${BigInt.asUintN(32, branchOrigin(insn, at) + BigInt(operand.displacement)).toString(16)}`;
  }
};

/**
 * Assembler text in unified syntax (DDI 0406C, A8.2) of an instruction that lies at `at`.
 *
 * Branches show the absolute target. Of the T32 instructions that exist in both sizes the 32-bit ones end in `.w`. Cache maintenance
 * has the name of its register (`icimvau r0`); what is opaque is shown as its bits.
 */
export const format = (insn: Armv7Instruction, at: bigint): string => {
  if (insn.word !== undefined) {
    const directive = insn.mode === "a32" ? ".inst" : insn.length === 2 ? ".inst.n" : ".inst.w";
    return `${directive} 0x${insn.word.toString(16)}`;
  }
  const width = insn.mode === "t32" && insn.length === 4 && wideOperations.has(insn.op) ? ".w" : "";
  const mnemonic = `${insn.op}${insn.setsFlags ? "s" : ""}${insn.condition ?? ""}${width}`;
  return [mnemonic, insn.operands.map((operand) => operandText(operand, insn, at)).join(", ")]
    .filter(Boolean)
    .join(" ");
};
