import type { Codec, OperandText } from "./codec.js";
import type { ModifierKind, RegisterOperand, Width } from "./instruction.js";
import type { Fields } from "./layout.js";
import { type Number31, registerNumber, registerOperand } from "./registers.js";

/** The operand width that the field `sf` says. */
export const widthOf = ({ sf }: Fields): Width => (sf === 1 ? 8 : 4);

/** The number of a register that stands alone and may be encoded where 31 means `number31`. */
const plain = (text: OperandText, number31: Number31): RegisterOperand | undefined => {
  if (text.kind !== "register" || text.modifier) return undefined;
  return text.register === (number31 === "sp" ? "zr" : "sp") ? undefined : text;
};

/** `R` takes its width from `sf`; `W` and `X` are fixed. */
export type WidthLetter = "R" | "W" | "X";

/** A register in one field. */
export const register = (letter: WidthLetter, field: string, number31: Number31 = "zr"): Codec => ({
  read: (fields) =>
    registerOperand(fields[field]!, letter === "R" ? widthOf(fields) : letter === "X" ? 8 : 4, number31),
  write: (text) => {
    const operand = plain(text, number31);
    if (operand === undefined || (letter !== "R" && operand.size !== (letter === "X" ? 8 : 4))) return undefined;
    const number = { [field]: registerNumber(operand) };
    return letter === "R" ? { ...number, sf: operand.size === 8 ? 1 : 0 } : number;
  },
});

/** One register in two fields, which the preferred alias asks to be equal. */
export const twice = (first: string, second: string): Codec => {
  const codec = register("R", first);
  return {
    read: (fields) => (fields[first] === fields[second] ? codec.read(fields) : undefined),
    write: (text, encoding) => {
      const fields = codec.write(text, encoding);
      return fields && { ...fields, [second]: fields[first]! };
    },
  };
};

/** A register that must differ from another: where the two are one the architecture leaves the effect open. */
export const other = (codec: Codec, field: string, than: readonly string[]): Codec => ({
  read: (fields) => (than.some((name) => fields[name] === fields[field]) ? undefined : codec.read(fields)),
  write: codec.write,
});

/** The second source of a move between registers of which one is the stack pointer. */
export const moved: Codec = {
  read: (fields) =>
    fields.rd === 31 || fields.rn === 31 ? registerOperand(fields.rn!, widthOf(fields), "sp") : undefined,
  write: register("R", "rn", "sp").write,
};

/** The register of TBZ and TBNZ: bits 0 to 31 are shown of the W register, and may be asked of the X register. */
export const tested: Codec = {
  read: (fields) => registerOperand(fields.rt!, fields.b5 === 1 ? 8 : 4, "zr"),
  write: (text) => {
    const operand = plain(text, "zr");
    if (operand === undefined) return undefined;
    return { rt: registerNumber(operand), ...(operand.size === 4 && { b5: 0 }) };
  },
};

const shifts = ["lsl", "lsr", "asr", "ror"] as const satisfies readonly ModifierKind[];

/** A second source with a shift by a constant; ROR is reserved outside the logical instructions (Arm ARM, C6.1.3). */
export const shifted = (kinds: 3 | 4): Codec => ({
  read: (fields) => {
    const { rm, shift, imm6 } = fields as { rm: number; shift: number; imm6: number };
    const size = widthOf(fields);
    if (shift >= kinds || imm6 >= size * 8) return undefined;
    const operand = registerOperand(rm, size, "zr");
    return shift === 0 && imm6 === 0 ? operand : { ...operand, modifier: { by: shifts[shift]!, amount: imm6 } };
  },
  write: (text) => {
    if (text.kind !== "register" || text.register === "sp") return undefined;
    const { by, amount } = text.modifier ?? { by: "lsl", amount: 0 };
    const shift = shifts.indexOf(by as (typeof shifts)[number]);
    if (shift < 0 || shift >= kinds || amount === undefined || amount >= text.size * 8) return undefined;
    return { rm: registerNumber(text), shift, imm6: amount, sf: text.size === 8 ? 1 : 0 };
  },
});

const extensions = ["uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"] as const;

const isWide = (option: number): boolean => option % 4 === 3;

/** LSL is another name of the extension that leaves the register as it is. */
const extensionNumber = (by: ModifierKind, size: Width): number => {
  if (by === "lsl") return size === 8 ? 3 : 2;
  return extensions.indexOf(by as (typeof extensions)[number]);
};

/** A second source with an extension and a left shift by at most 4 (Arm ARM, C6.1.3). */
export const extended: Codec = {
  read: (fields) => {
    const { rm, option, imm3 } = fields as { rm: number; option: number; imm3: number };
    if (imm3 > 4) return undefined;
    const operand = registerOperand(rm, isWide(option) ? widthOf(fields) : 4, "zr");
    return { ...operand, modifier: { by: extensions[option]!, ...(imm3 > 0 && { amount: imm3 }) } };
  },
  write: (text, { fields }) => {
    if (text.kind !== "register" || text.register === "sp") return undefined;
    const { by, amount = 0 } = text.modifier ?? { by: "lsl" };
    const option = extensionNumber(by, text.size);
    const size = isWide(option) ? widthOf(fields) : 4;
    return option < 0 || amount > 4 || text.size !== size
      ? undefined
      : { rm: registerNumber(text), option, imm3: amount };
  },
};

/** An index register of an address: `option` and `S` of a load or store of `size` bytes (Arm ARM, C1.3.3). */
export const readIndex = ({ rm, option, S }: Fields, size: number): RegisterOperand | undefined => {
  if (option! % 4 < 2) return undefined;
  const by = option === 3 ? "lsl" : extensions[option!]!;
  const operand = registerOperand(rm!, isWide(option!) ? 8 : 4, "zr");
  if (S === 0) return option === 3 ? operand : { ...operand, modifier: { by } };
  return { ...operand, modifier: { by, amount: Math.log2(size) } };
};

/** The inverse of {@link readIndex}. */
export const writeIndex = (index: RegisterOperand, size: number): Fields | undefined => {
  if (index.register === "sp") return undefined;
  const { by, amount } = index.modifier ?? { by: "lsl" };
  const option = by === "lsl" && index.size === 4 ? -1 : extensionNumber(by, index.size);
  if (option % 4 < 2 || index.size !== (isWide(option) ? 8 : 4)) return undefined;
  const scaled = amount === Math.log2(size) && amount !== undefined;
  if (!scaled && amount !== undefined && amount !== 0) return undefined;
  return { rm: registerNumber(index), option, S: scaled ? 1 : 0 };
};
