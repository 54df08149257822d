import type { GeneralRegister } from "./registers.js";

/** An instruction set state of ARMv7-A: A32 (called ARM in DDI 0406C) or T32 (Thumb). */
export type Mode = "a32" | "t32";

/** The conditions in the order of their encoding (DDI 0406C, A8.3); 15 encodes none. `al` is always. */
export const conditions = [
  "eq",
  "ne",
  "hs",
  "lo",
  "mi",
  "pl",
  "vs",
  "vc",
  "hi",
  "ls",
  "ge",
  "lt",
  "gt",
  "le",
  "al",
] as const;

/** A condition under which an instruction executes. */
export type Condition = (typeof conditions)[number];

/** Operations with a result of two operands, of which the first is also the destination where the text names it once. */
export const binaryOperations = [
  "adc",
  "add",
  "addw",
  "and",
  "asr",
  "bic",
  "eor",
  "lsl",
  "lsr",
  "mul",
  "orn",
  "orr",
  "ror",
  "rsb",
  "rsc",
  "sbc",
  "sub",
  "subw",
] as const;

/** Operations with a result of one operand. */
export const unaryOperations = [
  "clz",
  "mov",
  "movw",
  "mvn",
  "rbit",
  "rev",
  "rev16",
  "revsh",
  "rrx",
  "sxtb",
  "sxth",
  "uxtb",
  "uxth",
] as const;

/** Operations that set flags alone. */
export const comparisons = ["cmn", "cmp", "teq", "tst"] as const;

/** A field of bits of a register, extended to a word. */
export const extractions = ["sbfx", "ubfx"] as const;

/** Loads and stores of two registers. */
export const doubles = ["ldrd", "strd"] as const;

/** A load that reserves its place, and a store to one that is reserved. */
export const exclusives = ["ldrex", "strex"] as const;

/** Loads of one register. */
export const loads = ["ldr", "ldrb", "ldrh", "ldrsb", "ldrsh"] as const;

/** Stores of one register. */
export const stores = ["str", "strb", "strh"] as const;

/** Loads and stores of several registers: increment or decrement, after or before. */
export const multiples = ["ldm", "ldmda", "ldmdb", "ldmib", "pop", "push", "stm", "stmda", "stmdb", "stmib"] as const;

/** Branches. */
export const branches = ["b", "bl", "blx", "bx", "cbnz", "cbz"] as const;

/** Instructions that raise an exception whatever the registers hold. */
export const exceptions = ["bkpt", "hvc", "smc", "svc", "udf"] as const;

/** Hints, which do nothing here. */
export const hints = ["dbg", "hint", "nop", "sev", "wfe", "wfi", "yield"] as const;

/** Barriers (DDI 0406C, A3.8.3) with their options, and those of coprocessor 15 (B4.2.5). */
export const barriers = ["dmb", "dsb", "isb", "cp15dmb", "cp15dsb", "cp15isb"] as const;

/** Maintenance of caches and branch predictors (DDI 0406C, B4.2.1) that takes an address in its register. */
export const maintenanceByAddress = ["bpimva", "dccimvac", "dccmvac", "dccmvau", "icimvau"] as const;

/** Maintenance of whole caches and branch predictors; what the register holds is ignored. */
export const maintenanceOfAll = ["bpiall", "bpiallis", "iciallu", "icialluis"] as const;

/** An operation of the modelled subset. */
export type Operation =
  | "movt"
  | "opaque"
  | (typeof barriers)[number]
  | (typeof binaryOperations)[number]
  | (typeof branches)[number]
  | (typeof comparisons)[number]
  | (typeof doubles)[number]
  | (typeof exceptions)[number]
  | (typeof exclusives)[number]
  | (typeof extractions)[number]
  | (typeof hints)[number]
  | (typeof loads)[number]
  | (typeof maintenanceByAddress)[number]
  | (typeof maintenanceOfAll)[number]
  | (typeof multiples)[number]
  | (typeof stores)[number]
  | (typeof unaryOperations)[number];

/** How a register operand is shifted; `rrx` rotates by one bit through the carry and has amount 1. */
export type ShiftType = "lsl" | "lsr" | "asr" | "ror" | "rrx";

/** A shift by a constant, 0 to 32, or by the low byte of a register. */
export type Shift = { readonly type: ShiftType; readonly amount: number | GeneralRegister };

/** A register, shifted or not. `writeBack` marks the base register of a multiple load or store that is written, `r0!`. */
export type RegisterOperand = {
  readonly kind: "register";
  readonly register: GeneralRegister;
  readonly shift?: Shift;
  readonly writeBack?: true;
};

/**
 * A constant, 0 to 2^32 - 1. `rotation` is by how many bits to the right the encoded byte was rotated; it is there when that is
 * not 0, and the carry of a logical operation then is bit 31 of the value.
 */
export type ImmediateOperand = { readonly kind: "immediate"; readonly value: number; readonly rotation?: number };

/**
 * A place in memory: the base, plus or minus (`subtract`) an index register or a displacement of 0 to 4095 bytes. `pre` and `post`
 * write that sum back to the base; `post` accesses memory at the base alone.
 */
export type MemoryOperand = {
  readonly kind: "memory";
  readonly base: GeneralRegister;
  readonly offset: number | { readonly register: GeneralRegister; readonly shift?: Shift };
  readonly subtract?: true;
  readonly indexing: "offset" | "pre" | "post";
};

/** The registers of a multiple load or store, in ascending order. */
export type ListOperand = { readonly kind: "list"; readonly registers: readonly GeneralRegister[] };

/** A branch target, `displacement` bytes after what the branch reads as pc; `blx` reads it aligned to 4 bytes. */
export type RelativeOperand = { readonly kind: "relative"; readonly displacement: number };

/** The option of a barrier, 0 to 15. */
export type OptionOperand = { readonly kind: "option"; readonly value: number };

/** An operand of an instruction. */
export type Operand =
  | RegisterOperand
  | ImmediateOperand
  | MemoryOperand
  | ListOperand
  | RelativeOperand
  | OptionOperand;

/**
 * A decoded A32 or T32 instruction: plain data. Operands are in the order of the assembler's text, the destination first.
 * An absent condition is `al`; comparisons set flags without `setsFlags`.
 */
export type Armv7Instruction = {
  readonly length: 2 | 4;
  readonly mode: Mode;
  readonly op: Operation;
  readonly condition?: Condition;
  readonly setsFlags?: true;
  readonly operands: readonly Operand[];
  readonly opaque?: true;
  /** All bits of an opaque instruction, of two halfwords the first one in the high bits. */
  readonly word?: number;
};
