import type { Bytes } from "@cmodx/core";
import type { MemoryOperand, RegisterOperand, Width } from "./instruction.js";
import { type Form, hasModRM, immediateSize, type OperandCode } from "./opcodes.js";
import { generalRegisters, registerNumber } from "./registers.js";

/** An operand as text gives it: memory may leave its size open, a number is an immediate. */
export type OperandText =
  | RegisterOperand
  | (Omit<MemoryOperand, "size"> & { readonly size: Width | undefined })
  | { readonly kind: "number"; readonly value: bigint };

type Place = Exclude<OperandText, { kind: "number" }>;

/** The little-endian bytes of a value, truncated to `size` bytes. */
export const littleEndian = (value: bigint, size: number): Bytes =>
  Array.from({ length: size }, (_, position) => Number((value >> BigInt(position * 8)) & 0xffn));

const isSized = (code: OperandCode): boolean => ["Ev", "Gv", "Zv", "rAX", "M"].includes(code);

const codeSize = (code: OperandCode, size: Width): Width => {
  if (code === "Eb" || code === "Gb" || code === "Zb" || code === "AL" || code === "CL") return 1;
  if (code === "Ew") return 2;
  return code === "Ez" && size === 8 ? 4 : size;
};

const fitsSigned = (value: bigint, size: number): boolean => BigInt.asIntN(size * 8, value) === value;

/**
 * The value as the immediate of an operation of `size` bytes, or as a displacement of addresses of that size, with the sign that its
 * highest bit means; nothing when it needs more than that.
 */
export const signExtended = (value: bigint, size: Width): bigint | undefined => {
  const bits = size * 8;
  return BigInt.asUintN(bits, value) === value || fitsSigned(value, size) ? BigInt.asIntN(bits, value) : undefined;
};

const accepts = (code: OperandCode, operand: OperandText, size: Width): boolean => {
  if (operand.kind === "number") {
    if (code === "1") return operand.value === 1n;
    const width = immediateSize(code, size);
    if (code.startsWith("U")) return BigInt.asUintN(width * 8, operand.value) === operand.value;
    const value = signExtended(operand.value, size);
    return code.startsWith("I") && value !== undefined && fitsSigned(value, width);
  }
  if (operand.kind === "memory") {
    const isPlace = code === "M" || code.startsWith("E");
    return isPlace && (code === "M" || operand.size === undefined || operand.size === codeSize(code, size));
  }
  if (operand.size !== codeSize(code, size)) return false;
  if (code === "AL" || code === "rAX") return operand.register === "rax" && !operand.high;
  if (code === "CL") return operand.register === "rcx" && !operand.high;
  return code !== "M" && /^[EGZ]/.test(code);
};

/** Whether the form tells the size of a memory operand that the text leaves open. */
const impliesSize = (form: Form): boolean =>
  form.attributes.has("f64") ||
  form.operands.some(
    (code) => code === "M" || (code.startsWith("E") && form.operands.some((other) => other === `G${code[1]}`)),
  );

const operationSize = (form: Form, operands: readonly OperandText[]): Width | undefined => {
  const sizes = form.operands.flatMap((code, position) => {
    const operand = operands[position]!;
    return operand.kind !== "number" && isSized(code) && operand.size !== undefined ? [operand.size] : [];
  });
  if (form.attributes.has("f64")) return 8;
  if (sizes.length > 0) return sizes.find((size) => size > 1);
  const isByte = form.operands.some((code) => /^(.b|AL)$/.test(code));
  return isByte ? 1 : undefined;
};

const modrmBytes = (reg: number, operand: Place): Bytes => {
  const field = (reg % 8) << 3;
  if (operand.kind === "register") return [0xc0 | field | (registerNumber(operand) % 8)];
  const { base, index, scale = 1, displacement } = operand;
  if (base === "rip") return [field | 5, ...littleEndian(displacement, 4)];
  const baseNumber = base === undefined ? 5 : generalRegisters.indexOf(base) % 8;
  const mode =
    base === undefined || (displacement === 0n && baseNumber !== 5) ? 0 : fitsSigned(displacement, 1) ? 1 : 2;
  const bytes = littleEndian(displacement, base === undefined ? 4 : [0, 1, 4][mode]!);
  // RSP as a base and an absolute address have no encoding without a SIB byte.
  const needsSib = base === undefined || index !== undefined || baseNumber === 4;
  if (!needsSib) return [(mode << 6) | field | baseNumber, ...bytes];
  const indexNumber = index === undefined ? 4 : generalRegisters.indexOf(index) % 8;
  const sib = (Math.log2(scale) << 6) | (indexNumber << 3) | baseNumber;
  return [(mode << 6) | field | 4, sib, ...bytes];
};

const rexBits = (operand: OperandText | undefined, registerBit: number): number => {
  if (operand?.kind === "register") return registerNumber(operand) >= 8 ? registerBit : 0;
  if (operand?.kind !== "memory") return 0;
  const isUpper = (register: string | undefined) =>
    generalRegisters.some((name, number) => number >= 8 && name === register);
  return (isUpper(operand.base) ? 1 : 0) | (isUpper(operand.index) ? 2 : 0);
};

/** `spl` to `dil` need a REX prefix, `ah` to `bh` forbid it. */
const byteRegisters = (operands: readonly OperandText[]) => {
  const bytes = operands.filter((operand) => operand.kind === "register" && operand.size === 1) as RegisterOperand[];
  return {
    needRex: bytes.some((operand) => !operand.high && registerNumber(operand) >= 4),
    forbidRex: bytes.some((operand) => operand.high),
  };
};

/** The encoding of an instruction in one form, or nothing when the operands do not fit it. Relative branches fit none. */
export const encode = (
  form: Form,
  operands: readonly OperandText[],
  lock: boolean,
  repeated = false,
): Bytes | undefined => {
  if (operands.length !== form.operands.length || form.op === "outside") return undefined;
  if (repeated && !form.attributes.has("string")) return undefined;
  const size = operationSize(form, operands) ?? 4;
  if (!form.operands.every((code, position) => accepts(code, operands[position]!, size))) return undefined;
  const at = (letters: RegExp) => operands[form.operands.findIndex((code) => letters.test(code))];
  const place = at(/^[EM]/) as Place | undefined;
  const register = at(/^G/);
  const inOpcode = at(/^Z/);
  const memory = operands.find((operand) => operand.kind === "memory");
  if (lock && !(form.attributes.has("lock") && place?.kind === "memory")) return undefined;
  if (memory && !fitsSigned(memory.displacement, 4)) return undefined;
  if (memory && memory.size === undefined && !impliesSize(form)) return undefined;
  if (size === 4 && form.attributes.has("d64")) return undefined;
  if (inOpcode?.kind === "register" && registerNumber(inOpcode) % 8 !== form.opcode % 8) return undefined;

  const needsWide =
    (size === 8 && !form.attributes.has("f64") && !form.attributes.has("d64")) || form.attributes.has("W");
  const { needRex, forbidRex } = byteRegisters(operands);
  const rex =
    (needsWide ? 8 : 0) | rexBits(register, 4) | rexBits(inOpcode, 1) | rexBits(place, 1) | (needRex ? 0x40 : 0);
  if (rex !== 0 && forbidRex) return undefined;
  const reg = form.reg ?? (register?.kind === "register" ? registerNumber(register) : 0);
  const fixedRm = { kind: "register", register: generalRegisters[form.rm ?? 0]!, size: 8 } as const;
  const immediates = form.operands.flatMap((code, position) => {
    const operand = operands[position]!;
    return operand.kind === "number" ? littleEndian(operand.value, immediateSize(code, size)) : [];
  });
  const segment = memory?.segment;
  return [
    ...(segment ? [{ fs: 0x64, gs: 0x65 }[segment]] : []),
    ...(memory?.addressSize === 4 ? [0x67] : []),
    ...(lock ? [0xf0] : []),
    ...((size === 2 && form.operands.some(isSized)) || form.attributes.has("o16") ? [0x66] : []),
    ...(form.attributes.has("F3") || repeated ? [0xf3] : []),
    ...(rex ? [0x40 | rex] : []),
    ...(form.opcode >= 0x0f00 ? [0x0f] : []),
    form.opcode & 0xff,
    ...(hasModRM(form) ? modrmBytes(reg, place ?? fixedRm) : []),
    ...immediates,
  ];
};
