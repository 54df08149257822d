/** The integer registers x0 to x31 under the names of the calling convention (RISC-V ELF psABI, "Integer Register Convention"). */
export const integerRegisters = [
  "zero",
  "ra",
  "sp",
  "gp",
  "tp",
  "t0",
  "t1",
  "t2",
  "s0",
  "s1",
  "a0",
  "a1",
  "a2",
  "a3",
  "a4",
  "a5",
  "a6",
  "a7",
  "s2",
  "s3",
  "s4",
  "s5",
  "s6",
  "s7",
  "s8",
  "s9",
  "s10",
  "s11",
  "t3",
  "t4",
  "t5",
  "t6",
] as const;

/** An integer register by its name in the calling convention; `zero` always reads as 0. */
export type Register = (typeof integerRegisters)[number];

/** Registers by every name that assembler text may use: `t0`, `x5`, and `fp` for `s0`. */
export const registersByName: ReadonlyMap<string, Register> = new Map<string, Register>([
  ...integerRegisters.map((register) => [register, register] as const),
  ...integerRegisters.map((register, number) => [`x${number}`, register] as const),
  ["fp", "s0"],
]);

/**
 * Whether a jump that writes its return address to this register is a call: `ra`, or `t0`, the alternate link register
 * (RISC-V unprivileged ISA, 2.5.1, return-address stack hints).
 */
export const isLink = (register: Register): boolean => register === "ra" || register === "t0";
