import { addWithCarry, type Computed, logic, shift, subtract } from "./arithmetic.js";
import type { Width } from "./instruction.js";
import { flag } from "./registers.js";

/** What a computation looks at besides the values of its operands. */
type Surroundings = {
  /** The width of its first operand. */
  readonly size: Width;
  /** The condition flags before. */
  readonly nzcv: bigint;
  /** The left shift of a constant, in bits. */
  readonly shift: number;
};

/**
 * A computation on unsigned operands. `value` goes to the first operand, which is a destination, unless it is absent; `nzcv` is
 * absent where the flags stay as they are.
 */
export type Computation = (
  operands: readonly bigint[],
  surroundings: Surroundings,
) => { readonly value?: bigint; readonly nzcv?: bigint };

const value = (result: bigint): { readonly value: bigint } => ({ value: result });
const valueOnly = (computed: Computed) => value(computed.value);
const flagsOnly = ({ nzcv }: Computed) => ({ nzcv });

type Binary = (left: bigint, right: bigint, size: Width) => Computed;
const of =
  (operation: Binary, result: (computed: Computed) => ReturnType<Computation>): Computation =>
  ([left = 0n, right = 0n], { size }) =>
    result(operation(left, right, size));
const both = (computed: Computed) => computed;

const add: Binary = (left, right, size) => addWithCarry(left, right, 0n, size);
const and: Binary = (left, right, size) => logic(left & right, size);
const clear: Binary = (left, right, size) => logic(left & ~right, size);

const withCarry =
  (operation: typeof subtract, result: (computed: Computed) => ReturnType<Computation>): Computation =>
  ([left = 0n, right = 0n], { size, nzcv }) =>
    result(operation(left, right, size, (nzcv & flag.carry) === 0n ? 0n : 1n));
const addCarry: typeof subtract = (left, right, size, carry = 0n) => addWithCarry(left, right, carry, size);

const negate: Computation = ([operand = 0n], { size }) => subtract(0n, operand, size);

/** A comparison where the condition holds, otherwise the flags that the instruction names (Arm ARM, CCMP). */
const conditionally =
  (compare: Binary): Computation =>
  ([left = 0n, right = 0n, flags = 0n, holds], { size }) =>
    holds ? flagsOnly(compare(left, right, size)) : { nzcv: flags << 28n };

const choose =
  (otherwise: (operand: bigint) => bigint): Computation =>
  ([chosen = 0n, other = 0n, holds]) =>
    value(holds ? chosen : otherwise(other));

/** Of one register: changed where the condition holds. */
const changeIf =
  (change: (operand: bigint) => bigint): Computation =>
  ([operand = 0n, holds]) =>
    value(holds ? change(operand) : operand);

const increment = (operand: bigint) => operand + 1n;
const invert = (operand: bigint) => ~operand;
const minus = (operand: bigint) => -operand;

const ones = (width: bigint) => (1n << width) - 1n;

const shiftBy =
  (by: "lsl" | "lsr" | "asr" | "ror"): Computation =>
  ([operand = 0n, amount = 0n], { size }) =>
    value(shift(operand, by, Number(amount % BigInt(size * 8)), size));

const extend =
  (bits: number, as: (bits: number, operand: bigint) => bigint): Computation =>
  ([operand = 0n]) =>
    value(as(bits, operand));

const signedWord = (operand: bigint) => BigInt.asIntN(32, operand);

/** A 32-bit product that is widened, then added to or taken from 64 bits. */
const widening =
  (word: (operand: bigint) => bigint, sign: 1n | -1n): Computation =>
  ([left = 0n, right = 0n, addend = 0n]) =>
    value(addend + sign * word(left) * word(right));

/** Pieces of `piece` bits of the lowest `bits` bits, the last one first. */
const inReverse = (operand: bigint, piece: number, bits: number): bigint => {
  let result = 0n;
  for (let at = 0; at < bits; at += piece)
    result = (result << BigInt(piece)) | BigInt.asUintN(piece, operand >> BigInt(at));
  return result;
};

/** The bytes of every part of `part` bits, the last one first. */
const inParts = (operand: bigint, part: number, bits: number): bigint => {
  let result = 0n;
  for (let at = 0; at < bits; at += part)
    result |= inReverse(BigInt.asUintN(part, operand >> BigInt(at)), 8, part) << BigInt(at);
  return result;
};

/**
 * The computations by mnemonic. Operands are the values of the sources, shifted and extended as they say; a condition is 1 or 0,
 * a place its address. Source: the instructions' pages in the Arm ARM, C6.2.
 */
export const computations = {
  adc: withCarry(addCarry, valueOnly),
  adcs: withCarry(addCarry, both),
  add: of(add, valueOnly),
  adds: of(add, both),
  adr: ([place = 0n]) => value(place),
  adrp: ([place = 0n]) => value(place),
  and: of(and, valueOnly),
  ands: of(and, both),
  asr: shiftBy("asr"),
  bfc: ([old = 0n, lsb = 0n, width = 0n]) => value(old & ~(ones(width) << lsb)),
  bfi: ([old = 0n, source = 0n, lsb = 0n, width = 0n]) =>
    value((old & ~(ones(width) << lsb)) | ((source & ones(width)) << lsb)),
  bfxil: ([old = 0n, source = 0n, lsb = 0n, width = 0n]) =>
    value((old & ~ones(width)) | ((source >> lsb) & ones(width))),
  bic: of(clear, valueOnly),
  bics: of(clear, both),
  ccmn: conditionally(add),
  ccmp: conditionally(subtract),
  cinc: changeIf(increment),
  cinv: changeIf(invert),
  clz: ([operand = 0n], { size }) => value(BigInt(size * 8 - (operand === 0n ? 0 : operand.toString(2).length))),
  cmn: of(add, flagsOnly),
  cmp: of(subtract, flagsOnly),
  cneg: changeIf(minus),
  csel: choose((operand) => operand),
  cset: ([holds]) => value(holds ? 1n : 0n),
  csetm: ([holds]) => value(holds ? -1n : 0n),
  csinc: choose(increment),
  csinv: choose(invert),
  csneg: choose(minus),
  eon: ([left = 0n, right = 0n]) => value(left ^ ~right),
  eor: ([left = 0n, right = 0n]) => value(left ^ right),
  extr: ([high = 0n, low = 0n, lsb = 0n], { size }) => value(((high << BigInt(size * 8)) | low) >> lsb),
  lsl: shiftBy("lsl"),
  lsr: shiftBy("lsr"),
  madd: ([left = 0n, right = 0n, addend = 0n]) => value(addend + left * right),
  mneg: ([left = 0n, right = 0n]) => value(-left * right),
  mov: ([operand = 0n]) => value(operand),
  movk: ([old = 0n, part = 0n], { shift: by }) => value((old & ~(0xffffn << BigInt(by))) | part),
  movn: ([operand = 0n]) => value(~operand),
  movz: ([operand = 0n]) => value(operand),
  msub: ([left = 0n, right = 0n, minuend = 0n]) => value(minuend - left * right),
  mul: ([left = 0n, right = 0n]) => value(left * right),
  mvn: ([operand = 0n]) => value(~operand),
  neg: (operands, surroundings) => value(negate(operands, surroundings).value!),
  negs: negate,
  orn: ([left = 0n, right = 0n]) => value(left | ~right),
  orr: ([left = 0n, right = 0n]) => value(left | right),
  rbit: ([operand = 0n], { size }) => value(inReverse(operand, 1, size * 8)),
  rev: ([operand = 0n], { size }) => value(inReverse(operand, 8, size * 8)),
  rev16: ([operand = 0n], { size }) => value(inParts(operand, 16, size * 8)),
  rev32: ([operand = 0n], { size }) => value(inParts(operand, 32, size * 8)),
  ror: shiftBy("ror"),
  sbc: withCarry(subtract, valueOnly),
  sbcs: withCarry(subtract, both),
  sbfiz: ([source = 0n, lsb = 0n, width = 0n]) => value(BigInt.asIntN(Number(width), source) << lsb),
  sbfx: ([source = 0n, lsb = 0n, width = 0n]) => value(BigInt.asIntN(Number(width), source >> lsb)),
  sdiv: ([left = 0n, right = 0n], { size }) => {
    const divisor = BigInt.asIntN(size * 8, right);
    return value(divisor === 0n ? 0n : BigInt.asIntN(size * 8, left) / divisor);
  },
  smaddl: widening(signedWord, 1n),
  smsubl: widening(signedWord, -1n),
  smulh: ([left = 0n, right = 0n]) => value((BigInt.asIntN(64, left) * BigInt.asIntN(64, right)) >> 64n),
  smull: widening(signedWord, 1n),
  sub: of(subtract, valueOnly),
  subs: of(subtract, both),
  sxtb: extend(8, BigInt.asIntN),
  sxth: extend(16, BigInt.asIntN),
  sxtw: extend(32, BigInt.asIntN),
  tst: of(and, flagsOnly),
  ubfiz: ([source = 0n, lsb = 0n, width = 0n]) => value((source & ones(width)) << lsb),
  ubfx: ([source = 0n, lsb = 0n, width = 0n]) => value((source >> lsb) & ones(width)),
  udiv: ([left = 0n, right = 0n]) => value(right === 0n ? 0n : left / right),
  umaddl: widening((operand) => operand, 1n),
  umsubl: widening((operand) => operand, -1n),
  umulh: ([left = 0n, right = 0n]) => value((left * right) >> 64n),
  umull: widening((operand) => operand, 1n),
  uxtb: extend(8, BigInt.asUintN),
  uxth: extend(16, BigInt.asUintN),
} as const satisfies { readonly [op: string]: Computation };

/** An operation of {@link computations}. */
export type ComputingOperation = keyof typeof computations;

/** Those that have no destination. */
export const comparing: ReadonlySet<string> = new Set<ComputingOperation>(["ccmn", "ccmp", "cmn", "cmp", "tst"]);

/** Those that set the condition flags. */
export const settingFlags: ReadonlySet<string> = new Set<ComputingOperation>([
  ...(["adcs", "adds", "ands", "bics", "negs", "sbcs", "subs"] as const),
  ...(["ccmn", "ccmp", "cmn", "cmp", "tst"] as const),
]);

/** Those that use the carry flag as an operand. */
export const usingCarry: ReadonlySet<string> = new Set<ComputingOperation>(["adc", "adcs", "sbc", "sbcs"]);

/** Those that keep a part of their destination. */
export const keepingPart: ReadonlySet<string> = new Set<ComputingOperation>(["bfc", "bfi", "bfxil", "movk"]);

/** Those that read the one or the other register by a condition. */
export const choosing: ReadonlySet<string> = new Set<ComputingOperation>(["csel", "csinc", "csinv", "csneg"]);
