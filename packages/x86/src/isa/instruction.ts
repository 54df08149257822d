import type { Bytes } from "@cmodx/core";
import type { GeneralRegister } from "./registers.js";

/** A width of an operand in bytes. */
export type Width = 1 | 2 | 4 | 8;

/**
 * The sixteen conditions in the order of their encoding, the low four bits of Jcc, SETcc and CMOVcc
 * (Intel SDM vol. 1, appendix B).
 */
export const conditions = [
  "o",
  "no",
  "b",
  "ae",
  "e",
  "ne",
  "be",
  "a",
  "s",
  "ns",
  "p",
  "np",
  "l",
  "ge",
  "le",
  "g",
] as const;

/** A condition code, under the name that Intel lists first. */
export type Condition = (typeof conditions)[number];

/**
 * An operation of the modelled subset. Those of a condition are one operation each: `jcc`, `setcc`, `cmovcc`. `opaque` are all whose
 * effect is not modelled.
 */
export type Operation =
  | "adc"
  | "add"
  | "and"
  | "bsf"
  | "bsr"
  | "bswap"
  | "bt"
  | "btc"
  | "btr"
  | "bts"
  | "call"
  | "cbw"
  | "cdq"
  | "cdqe"
  | "clc"
  | "cmc"
  | "cmovcc"
  | "cmp"
  | "cmpxchg"
  | "cpuid"
  | "cqo"
  | "cwd"
  | "cwde"
  | "dec"
  | "div"
  | "endbr64"
  | "hlt"
  | "idiv"
  | "imul"
  | "inc"
  | "int3"
  | "iretq"
  | "jcc"
  | "jmp"
  | "lea"
  | "leave"
  | "lfence"
  | "lldt"
  | "mfence"
  | "mov"
  | "movsb"
  | "movsd"
  | "movsq"
  | "movsw"
  | "movsx"
  | "movsxd"
  | "movzx"
  | "mul"
  | "neg"
  | "nop"
  | "not"
  | "opaque"
  | "or"
  | "pause"
  | "pop"
  | "push"
  | "rcl"
  | "rcr"
  | "ret"
  | "rol"
  | "ror"
  | "sar"
  | "sbb"
  | "serialize"
  | "setcc"
  | "sfence"
  | "shl"
  | "shr"
  | "stc"
  | "stosb"
  | "stosd"
  | "stosq"
  | "stosw"
  | "sub"
  | "test"
  | "ud1"
  | "ud2"
  | "xadd"
  | "xchg"
  | "xor";

/** A general register or a part of one. `high` marks bits 8 to 15 of the register: `ah`, `ch`, `dh`, `bh`. */
export type RegisterOperand = {
  readonly kind: "register";
  readonly register: GeneralRegister;
  readonly size: Width;
  readonly high?: true;
};

/**
 * A place in memory: base + index * scale + displacement, plus the base of `segment`.
 * `addressSize` is the width in bytes to which the offset is truncated. `rip` is the address of the next instruction.
 */
export type MemoryOperand = {
  readonly kind: "memory";
  readonly size: Width;
  readonly addressSize: 4 | 8;
  readonly segment?: "fs" | "gs";
  readonly base?: GeneralRegister | "rip";
  readonly index?: GeneralRegister;
  readonly scale?: 1 | 2 | 4 | 8;
  readonly displacement: bigint;
};

/** A constant, sign-extended unless it is a count. `size` is its width in bytes in the encoding, 1 for an implied 1. */
export type ImmediateOperand = { readonly kind: "immediate"; readonly size: Width; readonly value: bigint };

/** A branch target, `displacement` bytes after the end of the instruction. `size` is the displacement's width in bytes. */
export type RelativeOperand = { readonly kind: "relative"; readonly size: 1 | 4; readonly displacement: bigint };

/** An operand of an instruction. */
export type Operand = RegisterOperand | MemoryOperand | ImmediateOperand | RelativeOperand;

/**
 * A decoded x86-64 instruction: plain data, the same for every encoding of one length that does the same.
 *
 * Operands are in Intel's order, the destination first. A no-operation of any encoding has none.
 */
export type X86Instruction = {
  readonly length: number;
  readonly op: Operation;
  readonly condition?: Condition;
  readonly operands: readonly Operand[];
  readonly locked?: true;
  /** MOVS and STOS: RCX times. */
  readonly repeated?: true;
  readonly opaque?: true;
  /** Of an opaque instruction: its mnemonic, or else all its bytes. */
  readonly name?: string;
  readonly bytes?: Bytes;
};
