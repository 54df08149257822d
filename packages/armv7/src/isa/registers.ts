import type { Registers } from "@cmodx/core";

/** The general registers in the order of their encoding (DDI 0406C, A2.3). */
export const generalRegisters = [
  "r0",
  "r1",
  "r2",
  "r3",
  "r4",
  "r5",
  "r6",
  "r7",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "sp",
  "lr",
  "pc",
] as const;

/** A general register. `pc` is an operand alone: no context holds a register of that name. */
export type GeneralRegister = (typeof generalRegisters)[number];

/**
 * The condition flags of the APSR, one register each, 0 or 1 (DDI 0406C, A2.4): negative, zero, carry, overflow. Apart from each
 * other, as an instruction that sets some of them depends on none of the rest.
 */
export const flagRegisters = ["n", "z", "c", "v"] as const;

/** A condition flag. */
export type FlagRegister = (typeof flagRegisters)[number];

/** A register by its number, 0 to 15. */
export const registerOf = (number: number): GeneralRegister => generalRegisters[number & 15]!;

/** The number of a register, 0 to 15. */
export const numberOf = (register: GeneralRegister): number => generalRegisters.indexOf(register);

const synonyms: { readonly [name: string]: GeneralRegister } = {
  r13: "sp",
  r14: "lr",
  r15: "pc",
  sl: "r10",
  fp: "r11",
  ip: "r12",
};

/** Registers by assembler name. */
export const registersByName: ReadonlyMap<string, GeneralRegister> = new Map([
  ...generalRegisters.map((name) => [name, name] as const),
  ...Object.entries(synonyms),
]);

/** What a register other than pc holds, 0 to 2^32 - 1. */
export const contents = (registers: Registers, register: GeneralRegister | FlagRegister): number =>
  Number(BigInt.asUintN(32, registers[register] ?? 0n));
