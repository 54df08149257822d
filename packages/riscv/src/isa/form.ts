import type { Operation } from "./instruction.js";
import type { Register } from "./registers.js";

/** The values of an instruction's fields. */
export type Values = {
  readonly rd?: Register;
  readonly rs1?: Register;
  readonly rs2?: Register;
  readonly imm?: bigint;
  readonly pred?: string;
  readonly succ?: string;
  readonly aq?: boolean;
  readonly rl?: boolean;
};

/** The name of a field. */
export type FieldName = keyof Values;

/** A run of bits: `width` of them, the lowest at bit `at` of the encoding and at bit `low` of the field. */
export type Piece = { readonly at: number; readonly width: number; readonly low: number };

/** A field of an encoding. `compressed` is a three-bit register, which can be `s0`, `s1` and `a0` to `a5` alone. */
export type Field = {
  readonly name: FieldName;
  readonly pieces: readonly Piece[];
  readonly signed: boolean;
  readonly compressed: boolean;
};

/**
 * One operand in assembler text: a field; `sp`, which the encoding implies; `imm20`, the upper 20 of 32 bits; `target`, an
 * address; `imm(rs1)`, `imm(sp)` and `(rs1)`, a place in memory.
 */
export type OperandCode =
  | "rd"
  | "rs1"
  | "rs2"
  | "imm"
  | "pred"
  | "succ"
  | "sp"
  | "imm20"
  | "target"
  | "imm(rs1)"
  | "imm(sp)"
  | "(rs1)";

/**
 * What a mnemonic stands for: the operands of its text, what it does, and the fields that are fixed. Those are a register, a number
 * or a fence's set, or the name of a field whose value they share.
 */
export type Meaning = {
  readonly name: string;
  readonly operands: readonly OperandCode[];
  readonly op: Operation;
  readonly fixed: { readonly [field in FieldName]?: string };
};

/** One encoding: `bits` under `mask`, and fields. */
export type Form = Meaning & {
  readonly status: "modelled" | "opaque" | "reserved" | "outside";
  readonly length: 2 | 4;
  readonly bits: number;
  readonly mask: number;
  readonly fields: readonly Field[];
};
