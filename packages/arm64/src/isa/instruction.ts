import type { Condition } from "./conditions.js";
import type { Operation } from "./operations.js";
import type { GeneralRegister, Number31 } from "./registers.js";

/** The width of a register operand in bytes: `w0` or `x0`. */
export type Width = 4 | 8;

/** What a second source register or an index is shifted or extended by (Arm ARM, C1.3.3 and C6.1.3). */
export type ModifierKind =
  | "lsl"
  | "lsr"
  | "asr"
  | "ror"
  | "uxtb"
  | "uxth"
  | "uxtw"
  | "uxtx"
  | "sxtb"
  | "sxth"
  | "sxtw"
  | "sxtx";

/**
 * A shift, or an extension followed by a left shift. `amount` is in bits; an extension without one shifts by 0, but an index
 * that is encoded as scaled always has one.
 */
export type Modifier = { readonly by: ModifierKind; readonly amount?: number };

/** A general register, `sp` or the zero register. */
export type RegisterOperand = {
  readonly kind: "register";
  readonly register: GeneralRegister | Number31;
  readonly size: Width;
  readonly modifier?: Modifier;
};

/** A constant: `value` shifted left by `shift` bits, 0 where it is absent. */
export type ImmediateOperand = { readonly kind: "immediate"; readonly value: bigint; readonly shift?: number };

/** An address `displacement` bytes from the instruction. */
export type RelativeOperand = { readonly kind: "relative"; readonly displacement: bigint };

/** The start of a 4 KiB page, `displacement` bytes from the start of the instruction's own page. */
export type PageOperand = { readonly kind: "page"; readonly displacement: bigint };

/**
 * A place in memory at base + offset + index. With `pre` the sum is also written to the base; with `post` the base alone is the
 * address and the sum is written to it afterwards.
 */
export type MemoryOperand = {
  readonly kind: "memory";
  readonly base: RegisterOperand;
  readonly mode: "offset" | "pre" | "post";
  readonly offset: bigint;
  readonly index?: RegisterOperand;
};

/** A condition that the instruction evaluates. */
export type ConditionOperand = { readonly kind: "condition"; readonly condition: Condition };

/** A word of the instruction's own: a barrier's domain, a cache operation, a system register. */
export type NameOperand = { readonly kind: "name"; readonly name: string };

/** An operand of an instruction. */
export type Operand =
  | RegisterOperand
  | ImmediateOperand
  | RelativeOperand
  | PageOperand
  | MemoryOperand
  | ConditionOperand
  | NameOperand;

/**
 * A decoded AArch64 instruction: plain data.
 *
 * `op` is the preferred mnemonic (`mov`, `cmp`, `cset`: an alias counts as an operation of its own), with `b.cond` for all
 * conditional branches; operands are in the order of the assembler text, the condition of `b.cond` first.
 */
export type Arm64Instruction = {
  readonly length: 4;
  readonly op: Operation;
  readonly operands: readonly Operand[];
  readonly opaque?: true;
  /** All bits of an opaque instruction. */
  readonly word?: number;
};
