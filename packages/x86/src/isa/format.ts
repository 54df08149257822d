import { decode } from "./decode.js";
import type { ImmediateOperand, MemoryOperand, Operand, X86Instruction } from "./instruction.js";
import { patchingEncodings } from "./patching.js";
import { generalRegisters, registerName, registerOperand } from "./registers.js";

const sizeNames = { 1: "byte", 2: "word", 4: "dword", 8: "qword" } as const;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const signedHex = (value: bigint): string => (value < 0n ? `-${hex(-value)}` : hex(value));

const plus = (value: bigint): string => (value < 0n ? signedHex(value) : `+${hex(value)}`);

/** Whether memory is named for its address alone. */
const isAddress = (op: X86Instruction["op"], name?: string): boolean =>
  op === "lea" || op === "ud1" || /^(prefetch|[ls][gi]dt|invlpg|clflush)/.test(name ?? "");

const memoryText = (operand: MemoryOperand, { op, name: mnemonic }: X86Instruction): string => {
  const { addressSize, base, index, scale, displacement, segment } = operand;
  const name = (register: (typeof generalRegisters)[number]) =>
    registerName(registerOperand(generalRegisters.indexOf(register), addressSize));
  const baseText = base === "rip" ? { 4: "eip", 8: "rip" }[addressSize] : base && name(base);
  const parts = [baseText, index && `${name(index)}*${scale}`].filter((part) => part !== undefined).join("+");
  const place = parts === "" ? signedHex(displacement) : parts + (displacement === 0n ? "" : plus(displacement));
  const size = isAddress(op, mnemonic) ? "" : `${sizeNames[operand.size]} ptr `;
  return `${size}${segment ? `${segment}:` : ""}[${place}]`;
};

// Moved values are often addresses and masks.
const immediateText = ({ value }: ImmediateOperand, { op, operands: [destination] }: X86Instruction): string =>
  op === "mov" ? hex(BigInt.asUintN(destination!.size * 8, value)) : signedHex(value);

const operandText = (operand: Operand, insn: X86Instruction, at: bigint): string => {
  switch (operand.kind) {
    case "register":
      return registerName(operand);
    case "memory":
      return memoryText(operand, insn);
    case "immediate":
      return immediateText(operand, insn);
    case "relative":
      return hex(BigInt.asUintN(64, at + BigInt(insn.length) + operand.displacement));
  }
};

const mnemonic = ({ op, condition, name: opaque, operands }: X86Instruction): string => {
  if (opaque !== undefined) return opaque;
  const name = condition ? op.replace("cc", condition) : op;
  if (operands.some(({ kind, size }) => kind === "relative" && size === 1)) return `${name}8`;
  return op === "mov" && operands[1]?.kind === "immediate" && operands[1].size === 8 ? "movabs" : name;
};

/** Equal for instructions that are equal: the decoder writes every object in one order of keys. */
const key = (insn: X86Instruction): string =>
  JSON.stringify(insn, (_, value) => (typeof value === "bigint" ? `${value}n` : value));

const patchingNames = new Map(
  [...patchingEncodings].map(([name, bytes]) => {
    const insn = decode(bytes);
    return [typeof insn === "string" ? insn : key(insn), name];
  }),
);

/**
 * Assembler text in Intel's syntax of an instruction that lies at `at`.
 *
 * Branches show the absolute target; a one-byte displacement is marked as in `jmp8` and `je8`. The encodings of patching code
 * have their kernel names (`nop5`, `xor5rax`, …), every no-operation is named for its length alone, and an instruction of which no more
 * than the length is known is shown as its bytes.
 */
export const format = (insn: X86Instruction, at: bigint): string => {
  const patchingName = patchingNames.get(key(insn));
  if (patchingName !== undefined) return patchingName;
  if (insn.bytes !== undefined) return `.byte ${insn.bytes.map((byte) => hex(BigInt(byte))).join(", ")}`;
  const operands = insn.operands.map((operand) => operandText(operand, insn, at)).join(", ");
  return [insn.locked && "lock", insn.repeated && "rep", mnemonic(insn), operands].filter(Boolean).join(" ");
};
