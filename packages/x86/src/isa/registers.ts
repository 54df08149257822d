import type { Registers } from "@cmodx/core";
import type { RegisterOperand, Width } from "./instruction.js";

/** The general registers in the order of their encoding (Intel SDM vol. 2, table 2-4). */
export const generalRegisters = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const;

/** A general register by its 64-bit name. */
export type GeneralRegister = (typeof generalRegisters)[number];

/** The arithmetic flags at their places in RFLAGS (Intel SDM vol. 1, 3.4.3.1); no other bit of it is modelled. */
export const flag = {
  carry: 0x001n,
  parity: 0x004n,
  adjust: 0x010n,
  zero: 0x040n,
  sign: 0x080n,
  overflow: 0x800n,
} as const;

/** The modelled bits of RFLAGS, 0x8d5. */
export const arithmeticFlags = Object.values(flag).reduce((all, bit) => all | bit, 0n);

const legacyStems = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const highNames = ["ah", "ch", "dh", "bh"];

const name = (number: number, size: Width): string => {
  const stem = legacyStems[number];
  if (stem === undefined) return `r${number}${{ 1: "b", 2: "w", 4: "d", 8: "" }[size]}`;
  if (size === 1) return number < 4 ? `${stem[0]}l` : `${stem}l`;
  return `${{ 2: "", 4: "e", 8: "r" }[size]}${stem}`;
};

/** The register operand of an encoded number, 0 to 15. */
export const registerOperand = (number: number, size: Width): RegisterOperand => ({
  kind: "register",
  register: generalRegisters[number]!,
  size,
});

/** The register operand of an encoded number, 0 to 7, in an instruction without REX: 4 to 7 are `ah`, `ch`, `dh`, `bh`. */
export const legacyByteOperand = (number: number): RegisterOperand =>
  number < 4 ? registerOperand(number, 1) : { ...registerOperand(number - 4, 1), high: true };

/** The number under which a register operand is encoded: 0 to 15, with `ah` to `bh` as 4 to 7. */
export const registerNumber = (operand: RegisterOperand): number =>
  generalRegisters.indexOf(operand.register) + (operand.high ? 4 : 0);

/** The assembler name of a register operand: `rax`, `eax`, `ax`, `al`, `ah`, `r8d`, … */
export const registerName = (operand: RegisterOperand): string =>
  operand.high ? highNames[registerNumber(operand) - 4]! : name(registerNumber(operand), operand.size);

/** Register operands by assembler name. */
export const registersByName: ReadonlyMap<string, RegisterOperand> = new Map(
  [
    ...([1, 2, 4, 8] as const).flatMap((size) => generalRegisters.map((_, number) => registerOperand(number, size))),
    ...highNames.map((_, number) => legacyByteOperand(number + 4)),
  ].map((operand) => [registerName(operand), operand]),
);

/** The value of a register operand, zero-extended. */
export const readRegister = (registers: Registers, { register, size, high }: RegisterOperand): bigint =>
  BigInt.asUintN(size * 8, (registers[register] ?? 0n) >> (high ? 8n : 0n));

/**
 * The registers after a value was written to a register operand.
 * A 32-bit result clears the upper half, narrower ones leave the rest as it was (Intel SDM vol. 1, 3.4.1.1).
 */
export const writeRegister = (
  registers: Registers,
  { register, size, high }: RegisterOperand,
  value: bigint,
): Registers => {
  const result = BigInt.asUintN(size * 8, value);
  if (size >= 4) return { ...registers, [register]: result };
  const shift = high ? 8n : 0n;
  const mask = ((1n << BigInt(size * 8)) - 1n) << shift;
  const old = registers[register] ?? 0n;
  return { ...registers, [register]: (old & ~mask) | (result << shift) };
};
