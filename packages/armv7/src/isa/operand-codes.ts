import { targetCodes } from "./branch-targets.js";
import { encodeA32, encodeT32, expandA32, expandT32 } from "./constants.js";
import type { ImmediateOperand, Operand, RegisterOperand } from "./instruction.js";
import { memoryCodes } from "./memory-codes.js";
import type { Fields } from "./pattern.js";
import { type GeneralRegister, numberOf, registerOf } from "./registers.js";
import { decodeShift, encodeShift, shiftTypes } from "./shift-fields.js";

/** An operand as text gives it: a branch names the address that it goes to. */
export type OperandText = Operand | { readonly kind: "address"; readonly value: bigint };

/** How one operand is encoded. */
export type OperandCode = {
  /** The operand in these fields; nothing where the encoding is UNPREDICTABLE. */
  decode(fields: Fields): Operand | undefined;
  /** The fields of an operand of an instruction at `at`; nothing when it does not fit. */
  encode(operand: OperandText, at: bigint): Fields | undefined;
};

const isPlain = (operand: OperandText): operand is RegisterOperand =>
  operand.kind === "register" && operand.shift === undefined && operand.writeBack === undefined;

const isNumber = (operand: OperandText): operand is ImmediateOperand =>
  operand.kind === "immediate" && operand.rotation === undefined;

const register = (letter: string): OperandCode => ({
  decode: (fields) => ({ kind: "register", register: registerOf(fields[letter]!) }),
  encode: (operand) => (isPlain(operand) ? { [letter]: numberOf(operand.register) } : undefined),
});

const fixed = (name: GeneralRegister): OperandCode => ({
  decode: () => ({ kind: "register", register: name }),
  encode: (operand) => (isPlain(operand) && operand.register === name ? {} : undefined),
});

/** A register that is encoded twice. */
const doubled: OperandCode = {
  decode: ({ m }) => ({ kind: "register", register: registerOf(m!) }),
  encode: (operand) =>
    isPlain(operand) ? { m: numberOf(operand.register), n: numberOf(operand.register) } : undefined,
};

/** A number in field `letter`, in units of `scale`. */
const number = (letter: string, scale = 1): OperandCode => ({
  decode: (fields) => ({ kind: "immediate", value: fields[letter]! * scale }),
  encode: (operand) => (isNumber(operand) ? { [letter]: operand.value / scale } : undefined),
});

/** The second of two registers that follow each other. */
const nextRegister: OperandCode = {
  decode: ({ t }) => ({ kind: "register", register: registerOf(t! + 1) }),
  encode: (operand) => (isPlain(operand) ? { t: numberOf(operand.register) - 1 } : undefined),
};

/** The width of a field of bits, by the number of its lowest bit or of its width less one; nothing where it does not fit a word. */
const fieldWidth: OperandCode = {
  decode: ({ k, w }) => (k! + w! > 31 ? undefined : { kind: "immediate", value: w! + 1 }),
  encode: (operand) => (isNumber(operand) && operand.value >= 1 ? { w: operand.value - 1 } : undefined),
};

const shiftedRegister: OperandCode = {
  decode: ({ m, y, k }) => {
    const shift = decodeShift(y!, k!);
    return { kind: "register", register: registerOf(m!), ...(shift && { shift }) };
  },
  encode: (operand) => {
    if (operand.kind !== "register" || operand.writeBack) return undefined;
    const shift = encodeShift(operand.shift);
    return shift && { m: numberOf(operand.register), ...shift };
  },
};

const registerShiftedByRegister: OperandCode = {
  decode: ({ m, y, s }) => ({
    kind: "register",
    register: registerOf(m!),
    shift: { type: shiftTypes[y!]!, amount: registerOf(s!) },
  }),
  encode: (operand) => {
    if (operand.kind !== "register" || typeof operand.shift?.amount !== "string" || operand.writeBack) return undefined;
    const { type, amount } = operand.shift;
    return { m: numberOf(operand.register), y: shiftTypes.indexOf(type), s: numberOf(amount) };
  },
};

/** A register of which a byte or halfword is extended after a rotation by 0, 8, 16 or 24. */
const rotatedRegister: OperandCode = {
  decode: ({ m, k }) => ({
    kind: "register",
    register: registerOf(m!),
    ...(k! !== 0 && { shift: { type: "ror", amount: k! * 8 } }),
  }),
  encode: (operand) => {
    if (operand.kind !== "register" || operand.writeBack) return undefined;
    const { type = "ror", amount = 0 } = operand.shift ?? {};
    return type === "ror" && typeof amount === "number" ? { m: numberOf(operand.register), k: amount / 8 } : undefined;
  },
};

const constant = (
  expand: (field: number) => ImmediateOperand | undefined,
  pack: (operand: ImmediateOperand) => number | undefined,
): OperandCode => ({
  decode: ({ i }) => expand(i!),
  encode: (operand) => {
    const i = operand.kind === "immediate" ? pack(operand) : undefined;
    return i === undefined ? undefined : { i };
  },
});

/** The amount of a right shift: 1 to 32, the last as 0. */
const rightShift: OperandCode = {
  decode: ({ k }) => ({ kind: "immediate", value: k === 0 ? 32 : k! }),
  encode: (operand) =>
    isNumber(operand) && operand.value >= 1 && operand.value <= 32 ? { k: operand.value % 32 } : undefined,
};

/** Sixteen bits of which T32 keeps i, imm3 and imm8 (field i) apart from imm4 (field j), the highest four but one. */
const wideHalfword: OperandCode = {
  decode: ({ i, j }) => ({ kind: "immediate", value: (j! << 12) | i! }),
  encode: (operand) => (isNumber(operand) ? { i: operand.value % 0x1000, j: operand.value >>> 12 } : undefined),
};

/** Registers as bits of field r; `extra` is the register of field M, which T16 encodes apart. */
const list = (extra?: GeneralRegister): OperandCode => ({
  decode: ({ r, M }) => {
    const low = Array.from({ length: 16 }, (_, place) => place).filter((place) => (r! >>> place) & 1);
    return { kind: "list", registers: [...low.map(registerOf), ...(M && extra ? [extra] : [])] };
  },
  encode: (operand) => {
    if (operand.kind !== "list") return undefined;
    const apart = extra !== undefined && operand.registers.includes(extra);
    const low = operand.registers.filter((name) => name !== extra);
    const r = low.reduce((bits, name) => bits | (1 << numberOf(name)), 0);
    return { r, ...(extra && { M: apart ? 1 : 0 }) };
  },
});

/** A list of the one register in field t. */
const singleton: OperandCode = {
  decode: ({ t }) => ({ kind: "list", registers: [registerOf(t!)] }),
  encode: (operand) =>
    operand.kind === "list" && operand.registers.length === 1 ? { t: numberOf(operand.registers[0]!) } : undefined,
};

/** The base of a multiple load or store; `writes` tells from the fields whether it is written back. */
const base = (
  writes: (fields: Fields) => boolean,
  fieldsOf: (writeBack: boolean) => Fields | undefined,
): OperandCode => ({
  decode: (fields) => ({
    kind: "register",
    register: registerOf(fields.n!),
    ...(writes(fields) && { writeBack: true as const }),
  }),
  encode: (operand) => {
    if (operand.kind !== "register" || operand.shift) return undefined;
    const rest = fieldsOf(operand.writeBack === true);
    return rest && { n: numberOf(operand.register), ...rest };
  },
});

const option: OperandCode = {
  decode: ({ o }) => ({ kind: "option", value: o! }),
  encode: (operand) => (operand.kind === "option" ? { o: operand.value } : undefined),
};

const zero: OperandCode = {
  decode: () => ({ kind: "immediate", value: 0 }),
  encode: (operand) => (isNumber(operand) && operand.value === 0 ? {} : undefined),
};

/**
 * How operands are encoded, by the names that tables of encodings give them. A letter is the field it lies in. `#i*4` is a number in
 * units, `#const` and `#tconst` the modified constants of A32 and T32, `m/k` and `m/s` a register shifted by a constant or a
 * register, `t+1` the one behind t, `#width` that of a field of bits, `m/8` one rotated by bytes, `mn` one that is encoded twice, `#>>` the amount of a right shift, `>NAME` a branch target.
 */
export const operandCodes: ReadonlyMap<string, OperandCode> = new Map<string, OperandCode>([
  ...["d", "n", "m", "t", "s"].map((letter) => [letter, register(letter)] as const),
  ["sp", fixed("sp")],
  ["pc", fixed("pc")],
  ["mn", doubled],
  ["#i", number("i")],
  ["#i*4", number("i", 4)],
  ["#k", number("k")],
  ["#width", fieldWidth],
  ["t+1", nextRegister],
  ["#0", zero],
  ["#>>", rightShift],
  ["#i:j", wideHalfword],
  ["#const", constant(expandA32, encodeA32)],
  ["#tconst", constant(expandT32, encodeT32)],
  ["m/k", shiftedRegister],
  ["m/s", registerShiftedByRegister],
  ["m/8", rotatedRegister],
  ["{r}", list()],
  ["{r,lr}", list("lr")],
  ["{r,pc}", list("pc")],
  ["{t}", singleton],
  [
    "n!",
    base(
      ({ W }) => W === 1,
      (writeBack) => ({ W: writeBack ? 1 : 0 }),
    ),
  ],
  [
    "n!!",
    base(
      () => true,
      (writeBack) => (writeBack ? {} : undefined),
    ),
  ],
  [
    // LDM of 16 bits writes its base back unless it loads it.
    "n!r",
    base(
      ({ n, r }) => ((r! >>> n!) & 1) === 0,
      () => ({}),
    ),
  ],
  ["o", option],
  ...targetCodes,
  ...memoryCodes,
]);
