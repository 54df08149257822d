const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const word = (value: bigint): bigint => BigInt.asIntN(32, value);
const unsignedWord = (value: bigint): bigint => BigInt.asUintN(32, value);
const bit = (holds: boolean): bigint => (holds ? 1n : 0n);

/** A division by zero gives all ones, and leaves the dividend as its remainder ("M", 12.2). */
const quotient = (left: bigint, right: bigint): bigint => (right === 0n ? -1n : left / right);
const remainder = (left: bigint, right: bigint): bigint => (right === 0n ? left : left % right);

type Binary = (left: bigint, right: bigint) => bigint;

/**
 * The operations on two registers. Operands are unsigned and of 64 bits, the result is to be truncated to 64. Those on words
 * (`addw`, …) sign-extend a result of 32 bits. Source: RISC-V unprivileged ISA, 2.4, 4.2 and "M".
 */
export const arithmetic = {
  add: (left, right) => left + right,
  sub: (left, right) => left - right,
  sll: (left, right) => left << (right & 63n),
  slt: (left, right) => bit(signed(left) < signed(right)),
  sltu: (left, right) => bit(left < right),
  xor: (left, right) => left ^ right,
  srl: (left, right) => left >> (right & 63n),
  sra: (left, right) => signed(left) >> (right & 63n),
  or: (left, right) => left | right,
  and: (left, right) => left & right,
  addw: (left, right) => word(left + right),
  subw: (left, right) => word(left - right),
  sllw: (left, right) => word(left << (right & 31n)),
  srlw: (left, right) => word(unsignedWord(left) >> (right & 31n)),
  sraw: (left, right) => word(left) >> (right & 31n),
  mul: (left, right) => left * right,
  mulh: (left, right) => (signed(left) * signed(right)) >> 64n,
  mulhsu: (left, right) => (signed(left) * right) >> 64n,
  mulhu: (left, right) => (left * right) >> 64n,
  div: (left, right) => quotient(signed(left), signed(right)),
  divu: (left, right) => quotient(left, right),
  rem: (left, right) => remainder(signed(left), signed(right)),
  remu: (left, right) => remainder(left, right),
  mulw: (left, right) => word(left * right),
  divw: (left, right) => word(quotient(word(left), word(right))),
  divuw: (left, right) => word(quotient(unsignedWord(left), unsignedWord(right))),
  remw: (left, right) => word(remainder(word(left), word(right))),
  remuw: (left, right) => word(remainder(unsignedWord(left), unsignedWord(right))),
} as const satisfies { readonly [op: string]: Binary };

/** An operation of {@link arithmetic}. */
export type ArithmeticOperation = keyof typeof arithmetic;

/** The operations on a register and a constant, and what they do with the two. */
export const immediates = {
  addi: "add",
  slti: "slt",
  sltiu: "sltu",
  xori: "xor",
  ori: "or",
  andi: "and",
  slli: "sll",
  srli: "srl",
  srai: "sra",
  addiw: "addw",
  slliw: "sllw",
  srliw: "srlw",
  sraiw: "sraw",
} as const satisfies { readonly [op: string]: ArithmeticOperation };

/** An operation of {@link immediates}. */
export type ImmediateOperation = keyof typeof immediates;

/** Whether a conditional branch is taken, by its two registers (RISC-V unprivileged ISA, 2.5.2). */
export const branches = {
  beq: (left, right) => left === right,
  bne: (left, right) => left !== right,
  blt: (left, right) => signed(left) < signed(right),
  bge: (left, right) => signed(left) >= signed(right),
  bltu: (left, right) => left < right,
  bgeu: (left, right) => left >= right,
} as const satisfies { readonly [op: string]: (left: bigint, right: bigint) => boolean };

/** A conditional branch. */
export type BranchOperation = keyof typeof branches;

const smaller =
  (wanted: boolean): Binary =>
  (left, right) =>
    left < right === wanted ? left : right;

const atomics = {
  amoswap: { signed: true, compute: (_, right) => right },
  amoadd: { signed: true, compute: (left, right) => left + right },
  amoxor: { signed: true, compute: (left, right) => left ^ right },
  amoand: { signed: true, compute: (left, right) => left & right },
  amoor: { signed: true, compute: (left, right) => left | right },
  amomin: { signed: true, compute: smaller(true) },
  amomax: { signed: true, compute: smaller(false) },
  amominu: { signed: false, compute: smaller(true) },
  amomaxu: { signed: false, compute: smaller(false) },
} as const satisfies { readonly [name: string]: { readonly signed: boolean; readonly compute: Binary } };

type AtomicName = keyof typeof atomics;

/** An atomic memory operation: `amoadd.w`, `amoadd.d`, … */
export type AmoOperation = `${AtomicName}.${"w" | "d"}`;

/** An atomic memory operation's width in bytes, and what it stores, of that width, by what it found and its register. */
export type Amo = { readonly size: 4 | 8; readonly store: Binary };

/** The atomic memory operations (RISC-V unprivileged ISA, "A" extension, 13.4). */
export const amos = Object.fromEntries(
  Object.entries(atomics).flatMap(([name, { signed: isSigned, compute }]) =>
    (["w", "d"] as const).map((suffix) => {
      const size = suffix === "w" ? 4 : 8;
      const operand = (value: bigint) => (isSigned ? BigInt.asIntN : BigInt.asUintN)(size * 8, value);
      const store: Binary = (found, value) => BigInt.asUintN(size * 8, compute(operand(found), operand(value)));
      return [`${name}.${suffix}`, { size, store } satisfies Amo];
    }),
  ),
) as { readonly [op in AmoOperation]: Amo };
