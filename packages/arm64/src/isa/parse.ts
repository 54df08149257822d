import { partsAtCommas } from "@cmodx/core";
import type { NumberText, OperandText } from "./codec.js";
import type { Modifier, ModifierKind, RegisterOperand } from "./instruction.js";
import { registersByName } from "./registers.js";

/** A number in assembler text, nothing when the text is none. */
export const parseNumber = (text: string): bigint | undefined => {
  const [, sign, digits] = /^([+-]?)\s*(0x[0-9a-f]+|0b[01]+|\d+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
};

const parseConstant = (text: string): NumberText | undefined => {
  const hash = text.startsWith("#");
  const value = parseNumber(hash ? text.slice(1).trim() : text);
  return value === undefined ? undefined : { kind: "number", value, hash };
};

/** A place relative to the start of the instruction: `.`, `.+n`, `.-n`. */
const parseRelative = (text: string): OperandText | undefined => {
  const displacement = text === "." ? 0n : text.startsWith(".") ? parseNumber(text.slice(1).trim()) : undefined;
  return displacement === undefined ? undefined : { kind: "relative", displacement };
};

const parseModifier = (text: string): Modifier | undefined => {
  const [, by, amount] = /^(lsl|lsr|asr|ror|[us]xt[bhwx])(?:\s*#?\s*(0x[0-9a-f]+|\d+))?$/.exec(text) ?? [];
  if (by === undefined) return undefined;
  return { by: by as ModifierKind, ...(amount !== undefined && { amount: Number(amount) }) };
};

/** Parts at commas outside brackets. */
const split = (text: string): readonly string[] =>
  text.trim() === "" ? [] : partsAtCommas(text).map((part) => part.trim());

const parseMemory = (text: string): OperandText | undefined => {
  const [, inner, before] = /^\[([^\]]*)\]\s*(!)?$/.exec(text) ?? [];
  if (inner === undefined) return undefined;
  const [baseText = "", ...rest] = inner.split(",").map((part) => part.trim());
  const base = registersByName.get(baseText);
  if (base === undefined || base.size !== 8 || base.register === "zr") return undefined;
  const mode = before ? "pre" : "offset";
  if (rest.length === 0) return before ? undefined : { kind: "memory", base, mode, offset: 0n };
  const offset = rest.length === 1 ? parseConstant(rest[0]!) : undefined;
  if (offset) return { kind: "memory", base, mode, offset: offset.value };
  const [index] = parseOperands(rest) ?? [];
  return index?.kind === "register" && rest.length <= 2 ? { kind: "memory", base, mode, offset: 0n, index } : undefined;
};

const parseOperand = (text: string): OperandText | undefined =>
  registersByName.get(text) ??
  parseConstant(text) ??
  parseRelative(text) ??
  parseMemory(text) ??
  (/^[a-z][a-z0-9_]*$/.test(text) ? { kind: "name", name: text } : undefined);

/** An operand with what stands behind the comma after it, nothing when the two do not belong together. */
const joined = (operand: OperandText | undefined, text: string): OperandText | undefined => {
  const modifier = parseModifier(text);
  if (modifier && (operand?.kind === "register" || operand?.kind === "number") && operand.modifier === undefined)
    return { ...(operand as RegisterOperand | NumberText), modifier };
  const offset = parseConstant(text);
  const bare = operand?.kind === "memory" && operand.mode === "offset" && operand.offset === 0n && !operand.index;
  return bare && offset ? { ...operand, mode: "post", offset: offset.value } : undefined;
};

const parseOperands = (parts: readonly string[]): readonly OperandText[] | undefined => {
  const operands: OperandText[] = [];
  for (const part of parts) {
    const together = joined(operands.at(-1), part);
    const operand = together ?? parseOperand(part);
    if (operand === undefined) return undefined;
    if (together) operands.pop();
    operands.push(operand);
  }
  return operands;
};

/** The operands of an instruction in lower-case assembler text, nothing when one of them is none. */
export const parseOperandText = (text: string): readonly OperandText[] | undefined => parseOperands(split(text));
