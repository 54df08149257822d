import type { Registers } from "@cmodx/core";
import type { RegisterOperand, Width } from "./instruction.js";

/** A general register by its 64-bit name. */
export type GeneralRegister = (typeof generalRegisters)[number];

/** What number 31 means: the stack pointer or, elsewhere, the register that reads as zero and drops what is written. */
export type Number31 = "sp" | "zr";

/** The general registers in the order of their encoding (Arm ARM, C1.2.5). Number 31 is `sp` or `zr`, by the operand. */
export const generalRegisters = [
  ...(["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15"] as const),
  ...(["x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28"] as const),
  ...(["x29", "x30"] as const),
] as const;

/** The condition flags N, Z, C and V at their places in the register of that name, bits 31 to 28 (Arm ARM, C5.2.9). */
export const flag = { negative: 1n << 31n, zero: 1n << 30n, carry: 1n << 29n, overflow: 1n << 28n } as const;

/** The modelled bits of `nzcv`, 0xf0000000. */
export const conditionFlags = 0xf0000000n;

/** The register operand of an encoded number, 0 to 31. */
export const registerOperand = (number: number, size: Width, number31: Number31): RegisterOperand => ({
  kind: "register",
  register: generalRegisters[number] ?? number31,
  size,
});

/** The number under which a register is encoded. */
export const registerNumber = ({ register }: RegisterOperand): number =>
  register === "sp" || register === "zr" ? 31 : generalRegisters.indexOf(register);

/** The assembler name of a register operand: `x0`, `w0`, `sp`, `wsp`, `xzr`, `wzr`. */
export const registerName = ({ register, size }: RegisterOperand): string => {
  if (register === "sp") return size === 8 ? "sp" : "wsp";
  return (size === 8 ? "x" : "w") + (register === "zr" ? register : register.slice(1));
};

const synonyms: { readonly [name: string]: GeneralRegister } = { ip0: "x16", ip1: "x17", fp: "x29", lr: "x30" };

/** Register operands by assembler name, with the names of the procedure call standard for some of them. */
export const registersByName: ReadonlyMap<string, RegisterOperand> = new Map([
  ...([4, 8] as const)
    .flatMap((size) =>
      [...generalRegisters, "sp" as const, "zr" as const].map((register) => ({
        kind: "register" as const,
        register,
        size,
      })),
    )
    .map((operand) => [registerName(operand), operand] as const),
  ...Object.entries(synonyms).map(([name, register]) => [name, { kind: "register", register, size: 8 }] as const),
]);

/** The value of a register operand, zero-extended, before its shift or extension. */
export const readRegister = (registers: Registers, { register, size }: RegisterOperand): bigint =>
  register === "zr" ? 0n : BigInt.asUintN(size * 8, registers[register] ?? 0n);

/** The registers after a value was written to a register operand; a 32-bit result clears the upper half (Arm ARM, B1.2.1). */
export const writeRegister = (registers: Registers, { register, size }: RegisterOperand, value: bigint): Registers =>
  register === "zr" ? registers : { ...registers, [register]: BigInt.asUintN(size * 8, value) };
