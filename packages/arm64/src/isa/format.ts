import type { Arm64Instruction, MemoryOperand, Modifier, Operand, RegisterOperand } from "./instruction.js";
import { registerName } from "./registers.js";

const hex = (value: bigint): string => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

const address = (value: bigint): string => hex(BigInt.asUintN(64, value));

const modifierText = ({ by, amount }: Modifier): string => `, ${by}${amount === undefined ? "" : ` #${amount}`}`;

const registerText = (operand: RegisterOperand): string =>
  registerName(operand) + (operand.modifier ? modifierText(operand.modifier) : "");

const memoryText = ({ base, mode, offset, index }: MemoryOperand): string => {
  const name = registerName(base);
  if (index) return `[${name}, ${registerText(index)}]`;
  if (mode === "post") return `[${name}], #${hex(offset)}`;
  if (mode === "pre") return `[${name}, #${hex(offset)}]!`;
  return offset === 0n ? `[${name}]` : `[${name}, #${hex(offset)}]`;
};

const operandText = (operand: Operand, at: bigint): string => {
  switch (operand.kind) {
    case "register":
      return registerText(operand);
    case "immediate":
      return `#${hex(operand.value)}${operand.shift === undefined ? "" : `, lsl #${operand.shift}`}`;
    case "relative":
      return address(at + operand.displacement);
    case "page":
      return address((at & ~0xfffn) + operand.displacement);
    case "memory":
      return memoryText(operand);
    case "condition":
      return operand.condition;
    case "name":
      return operand.name;
  }
};

/**
 * Assembler text of an instruction that lies at `at`, in lower case, with the aliases that the manual prefers. Branches and
 * literals show the absolute address, constants are hexadecimal and counts of bits decimal. What is opaque is shown as its bits.
 */
export const format = ({ op, operands, word }: Arm64Instruction, at: bigint): string => {
  if (word !== undefined) return `.inst 0x${word.toString(16)}`;
  const [first, ...rest] = operands;
  const [mnemonic, shown] =
    op === "b.cond" && first?.kind === "condition" ? [`b.${first.condition}`, rest] : [op, operands];
  const text = shown.map((operand) => operandText(operand, at)).join(", ");
  return text === "" ? mnemonic : `${mnemonic} ${text}`;
};
