import { partsAtCommas } from "@cmodx/core";
import { rotateRight } from "./constants.js";
import type { MemoryOperand, Shift, ShiftType } from "./instruction.js";
import type { OperandText } from "./operand-codes.js";
import { registersByName } from "./registers.js";

/** The options of barriers that have a name (DDI 0406C, A8.8.43); a number is any other. */
export const optionNames: ReadonlyMap<number, string> = new Map([
  [15, "sy"],
  [14, "st"],
  [11, "ish"],
  [10, "ishst"],
  [7, "nsh"],
  [6, "nshst"],
  [3, "osh"],
  [2, "oshst"],
]);

/** A number, or a place relative to the instruction at `at`: `.`, `.+n`, `.-n`. */
export const parseNumber = (text: string): bigint | undefined => {
  const [, sign, digits] = /^([+-]?)\s*(0x[0-9a-f]+|\d+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
};

const parseAddress = (text: string, at: bigint): bigint | undefined => {
  if (text === ".") return at;
  const value = parseNumber(text.startsWith(".") ? text.slice(1).trim() : text);
  if (value === undefined) return undefined;
  return text.startsWith(".") ? at + value : value;
};

const parseConstant = (text: string): bigint | undefined =>
  text.startsWith("#") ? parseNumber(text.slice(1).trim()) : undefined;

const parseShift = (text: string): Shift | undefined => {
  if (text === "rrx") return { type: "rrx", amount: 1 };
  const [, type, amount = ""] = /^(lsl|lsr|asr|ror)\s+(.+)$/.exec(text) ?? [];
  const register = registersByName.get(amount);
  const number = parseConstant(amount);
  if (type === undefined || (register === undefined && number === undefined)) return undefined;
  return { type: type as ShiftType, amount: register ?? Number(number) };
};

/** What stands between commas that are not within brackets or braces. */
const split = (text: string): string[] => (text.trim() === "" ? [] : partsAtCommas(text).map((part) => part.trim()));

const parseOffset = (parts: readonly string[]): Pick<MemoryOperand, "offset" | "subtract"> | undefined => {
  const [first = "#0", ...rest] = parts;
  const number = parseConstant(first);
  if (number !== undefined && rest.length === 0) {
    const subtract = /^#\s*-/.test(first);
    return { offset: Number(number < 0n ? -number : number), ...(subtract && { subtract }) };
  }
  const register = registersByName.get(first.replace(/^[+-]\s*/, ""));
  const shift = rest.length === 1 ? parseShift(rest[0]!) : undefined;
  if (register === undefined || rest.length > 1 || (rest.length === 1 && shift === undefined)) return undefined;
  return { offset: { register, ...(shift && { shift }) }, ...(first.startsWith("-") && { subtract: true as const }) };
};

/** A place in memory: `[base, offset]`, `[base, offset]!`, or `[base]` and the offset behind it. */
const parseMemory = (text: string): MemoryOperand | undefined => {
  const [, inner = "", mark = "", behind] = /^\[([^\]]*)\]\s*(!?)\s*(?:,\s*(.*))?$/.exec(text) ?? [];
  const [name = "", ...within] = split(inner);
  const base = registersByName.get(name);
  const isPost = behind !== undefined;
  if (base === undefined || (isPost && (within.length > 0 || mark !== ""))) return undefined;
  const offset = parseOffset(isPost ? split(behind) : within);
  return offset && { kind: "memory", base, ...offset, indexing: isPost ? "post" : mark === "!" ? "pre" : "offset" };
};

const parseList = (text: string): OperandText | undefined => {
  const numbers: number[] = [];
  const names = [...new Set(registersByName.values())];
  for (const part of split(text.slice(1, -1))) {
    const [first, last] = part.split("-").map((name) => names.indexOf(registersByName.get(name.trim())!));
    if (first === undefined || first < 0 || (last !== undefined && last < first)) return undefined;
    for (let number = first; number <= (last ?? first); number += 1) numbers.push(number);
  }
  const registers = [...new Set(numbers)].sort((left, right) => left - right).map((number) => names[number]!);
  return { kind: "list", registers };
};

const parseOperand = (text: string, at: bigint): OperandText | undefined => {
  if (text.startsWith("{") && text.endsWith("}")) return parseList(text);
  const constant = parseConstant(text);
  if (constant !== undefined) {
    const isWord = constant >= -0x8000_0000n && constant <= 0xffff_ffffn;
    return isWord ? { kind: "immediate", value: Number(BigInt.asUintN(32, constant)) } : undefined;
  }
  const option = [...optionNames].find(([, name]) => name === text);
  if (option) return { kind: "option", value: option[0] };
  const isBase = text.endsWith("!");
  const register = registersByName.get(isBase ? text.slice(0, -1).trim() : text);
  if (register) return { kind: "register", register, ...(isBase && { writeBack: true as const }) };
  const value = parseAddress(text, at);
  return value === undefined ? undefined : { kind: "address", value };
};

/** The operands of assembler text behind the mnemonic; nothing when one of them is none. `rotates`: a second constant rotates the first. */
export const parseOperands = (text: string, at: bigint, rotates = true): readonly OperandText[] | undefined => {
  const place = text.indexOf("[");
  const parts = split(place < 0 ? text : text.slice(0, place).replace(/,\s*$/, ""));
  const operands: OperandText[] = [];
  for (const part of parts) {
    const last = operands.at(-1);
    const shift = parseShift(part);
    if (shift && last?.kind === "register" && last.shift === undefined && operands.length > 1) {
      operands[operands.length - 1] = { ...last, shift };
      continue;
    }
    const operand = parseOperand(part, at);
    if (operand === undefined) return undefined;
    if (rotates && operand.kind === "immediate" && last?.kind === "immediate" && last.rotation === undefined) {
      // A byte and by how much it is rotated, as A32 may encode a constant in several ways.
      operands[operands.length - 1] = {
        ...last,
        value: rotateRight(last.value, operand.value),
        rotation: operand.value,
      };
      continue;
    }
    operands.push(operand);
  }
  if (place < 0) return operands;
  const memory = parseMemory(text.slice(place));
  return memory && [...operands, memory];
};
