import type { MemoryOperand, Shift } from "./instruction.js";
import type { OperandCode } from "./operand-codes.js";
import type { Fields } from "./pattern.js";
import { type GeneralRegister, numberOf, registerOf } from "./registers.js";
import { decodeShift, encodeShift } from "./shift-fields.js";

/** Where the base of an address comes from: a field, or a register that the encoding implies. */
type Base = "n" | Extract<GeneralRegister, "sp" | "pc">;

const decodeBase = (base: Base, fields: Fields): GeneralRegister => (base === "n" ? registerOf(fields.n!) : base);

const encodeBase = (base: Base, register: GeneralRegister): Fields | undefined => {
  if (base === "n") return { n: numberOf(register) };
  return register === base ? {} : undefined;
};

/** An address of base and displacement, which lies in field i in units of `scale`. */
const displaced = (base: Base, scale = 1): OperandCode => ({
  decode: (fields) => ({
    kind: "memory",
    base: decodeBase(base, fields),
    offset: fields.i! * scale,
    indexing: "offset",
  }),
  encode: (operand) => {
    if (operand.kind !== "memory" || operand.indexing !== "offset" || operand.subtract) return undefined;
    const fields = encodeBase(base, operand.base);
    return fields && typeof operand.offset === "number" ? { ...fields, i: operand.offset / scale } : undefined;
  },
});

/** An address of base and index register; `k` holds the amount of an LSL where there is one. */
const indexed = (isShifted: boolean): OperandCode => ({
  decode: ({ n, m, k = 0 }) => ({
    kind: "memory",
    base: registerOf(n!),
    offset: { register: registerOf(m!), ...(k !== 0 && { shift: { type: "lsl", amount: k } as Shift }) },
    indexing: "offset",
  }),
  encode: (operand) => {
    if (operand.kind !== "memory" || operand.indexing !== "offset" || operand.subtract) return undefined;
    if (typeof operand.offset === "number") return undefined;
    const { register, shift } = operand.offset;
    if (shift !== undefined && (!isShifted || shift.type !== "lsl" || typeof shift.amount !== "number"))
      return undefined;
    return { n: numberOf(operand.base), m: numberOf(register), ...(isShifted && { k: Number(shift?.amount ?? 0) }) };
  },
});

/** Bits P, U and W of single loads and stores (DDI 0406C, A8.5); `postW` is what W is where P is 0. */
const decodeIndexing = ({ P, U, W }: Fields): Pick<MemoryOperand, "indexing" | "subtract"> => ({
  ...(U === 0 && { subtract: true as const }),
  indexing: P === 0 ? "post" : W === 1 ? "pre" : "offset",
});

const encodeIndexing = ({ indexing, subtract }: MemoryOperand, postW: 0 | 1): Fields => ({
  P: indexing === "post" ? 0 : 1,
  U: subtract ? 0 : 1,
  W: indexing === "pre" ? 1 : indexing === "post" ? postW : 0,
});

const fullyDisplaced = (postW: 0 | 1, scale = 1): OperandCode => ({
  decode: (fields) => ({
    kind: "memory",
    base: registerOf(fields.n!),
    offset: fields.i! * scale,
    ...decodeIndexing(fields),
  }),
  encode: (operand) =>
    operand.kind === "memory" && typeof operand.offset === "number"
      ? { n: numberOf(operand.base), i: operand.offset / scale, ...encodeIndexing(operand, postW) }
      : undefined,
});

const fullyIndexed = (isShifted: boolean): OperandCode => ({
  decode: (fields) => {
    const shift = isShifted ? decodeShift(fields.y!, fields.k!) : undefined;
    const offset = { register: registerOf(fields.m!), ...(shift && { shift }) };
    return { kind: "memory", base: registerOf(fields.n!), offset, ...decodeIndexing(fields) };
  },
  encode: (operand) => {
    if (operand.kind !== "memory" || typeof operand.offset === "number") return undefined;
    const { register, shift } = operand.offset;
    const shiftFields = encodeShift(shift);
    if (shiftFields === undefined || (shift && !isShifted)) return undefined;
    const fields = { n: numberOf(operand.base), m: numberOf(register), ...encodeIndexing(operand, 0) };
    return isShifted ? { ...fields, ...shiftFields } : fields;
  },
});

const literal: OperandCode = {
  decode: ({ i, U }) => ({
    kind: "memory",
    base: "pc",
    offset: i!,
    ...(U === 0 && { subtract: true as const }),
    indexing: "offset",
  }),
  encode: (operand) =>
    operand.kind === "memory" &&
    operand.base === "pc" &&
    operand.indexing === "offset" &&
    typeof operand.offset === "number"
      ? { i: operand.offset, U: operand.subtract ? 0 : 1 }
      : undefined,
};

const plain: OperandCode = {
  decode: ({ n }) => ({ kind: "memory", base: registerOf(n!), offset: 0, indexing: "offset" }),
  encode: (operand) =>
    operand.kind === "memory" && operand.indexing === "offset" && operand.offset === 0 && !operand.subtract
      ? { n: numberOf(operand.base) }
      : undefined,
};

/** How places in memory are encoded, by the names that tables give them; `PUW` marks those with all kinds of indexing. */
export const memoryCodes: ReadonlyMap<string, OperandCode> = new Map([
  ["[n,#i]", displaced("n")],
  ["[n,#i*2]", displaced("n", 2)],
  ["[n,#i*4]", displaced("n", 4)],
  ["[sp,#i*4]", displaced("sp", 4)],
  ["[pc,#i*4]", displaced("pc", 4)],
  ["[pc,#i]U", literal],
  ["[n,m]", indexed(false)],
  ["[n,m/k]", indexed(true)],
  // A32 has other instructions where P is 0 and W is 1, T32 where W is 0.
  ["[n,#i]PUW", fullyDisplaced(0)],
  ["[n,#i]PUW1", fullyDisplaced(1)],
  ["[n,#i*4]PUW1", fullyDisplaced(1, 4)],
  ["[n]", plain],
  ["[n,m]PUW", fullyIndexed(false)],
  ["[n,m/k]PUW", fullyIndexed(true)],
]);
