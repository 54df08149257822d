import type { Cursor } from "./cursor.js";
import type { LitmusCell, LitmusType, LitmusValue } from "./test.js";

/** Instructions that litmus files name without quotes. */
const instructions: ReadonlySet<string> = new Set(["NOP", "ISB"]);

/** What fits into 64 bits, signed or not. */
const LEAST = -(1n << 63n);
const GREATEST = (1n << 64n) - 1n;

/** Reads a value: a number, an instruction, a label, or the name of a location. */
export const readValue = (cursor: Cursor): LitmusValue => {
  const quoted = cursor.take(/(instr|label)\s*:\s*"([^"\n]*)"/y);
  if (quoted?.[1] === "instr") return { is: "instruction", text: (quoted[2] as string).trim() };
  if (quoted !== undefined) {
    const [, thread, label] = /^\s*P?(\d+)\s*:\s*([\w.$]+)\s*$/.exec(quoted[2] as string) ?? [];
    if (thread === undefined || label === undefined)
      throw cursor.error(`A label is written label:"P1:NAME", not "${quoted[2]}".`);
    return { is: "label", thread: Number(thread), label };
  }
  const label = cursor.take(/P?(\d+)\s*:\s*([A-Za-z_.$][\w.$]*)/y);
  if (label !== undefined) return { is: "label", thread: Number(label[1]), label: label[2] as string };
  const { at } = cursor;
  const number = cursor.take(/(-?)(0x[0-9a-fA-F]+|\d+)(?![\w])/y);
  if (number !== undefined) {
    const value = BigInt(number[2] as string);
    const signed = number[1] === "-" ? -value : value;
    if (signed < LEAST || signed > GREATEST)
      throw cursor.source.error(
        `A value has 64 bits, from -0x8000000000000000 to 0xffffffffffffffff, not ${number[0].trim()}.`,
        at,
      );
    return { is: "number", value: signed };
  }
  const [, name = "", index] = cursor.expect(/&?([A-Za-z_][\w.]*)(?:\[\s*(\d+)\s*\])?/y, "A value");
  return instructions.has(name) ? { is: "instruction", text: name } : { is: "location", name, ...indexOf(index) };
};

/** Reads what a value belongs to: `1:X2`, `x`, `[x]` or `*x`; undefined where none stands. */
export const readCell = (cursor: Cursor): LitmusCell | undefined => {
  const { place } = cursor;
  const register = cursor.take(/P?(\d+)\s*:\s*([A-Za-z_]\w*)/y);
  if (register !== undefined)
    return { is: "register", thread: Number(register[1]), register: register[2] as string, place };
  const inBrackets = cursor.take(/\[\s*([A-Za-z_][\w.]*)\s*(?:\[\s*(\d+)\s*\]\s*)?\]/y);
  const found = inBrackets ?? cursor.take(/\*?([A-Za-z_][\w.]*)(?:\[\s*(\d+)\s*\])?/y);
  return found === undefined ? undefined : { is: "location", name: found[1] as string, ...indexOf(found[2]) };
};

const indexOf = (text: string | undefined): { readonly index?: number } =>
  text === undefined ? {} : { index: Number(text) };

const types: ReadonlyMap<string, LitmusType> = new Map(
  ([8, 16, 32, 64] as const).flatMap((bits): readonly (readonly [string, LitmusType])[] => {
    const other = { 8: "char", 16: "short", 32: "int", 64: "long" }[bits];
    return [
      ...[`int${bits}_t`, other].map((name) => [name, { bits, signed: true }] as const),
      ...[`uint${bits}_t`, `unsigned ${other}`].map((name) => [name, { bits, signed: false }] as const),
    ];
  }),
);

/** What a cell is that no line declares. */
export const INT: LitmusType = { bits: 32, signed: true };

const WORD: LitmusType = { bits: 64, signed: true };
const INSTRUCTION: LitmusType = { bits: 32, signed: false };

/** Reads the type before a cell; undefined where none stands. */
export const readType = (cursor: Cursor): LitmusType | undefined => {
  const start = cursor.at;
  const found = cursor.take(/(?:(?:const|volatile)\s+)*((?:unsigned\s+)?[A-Za-z_]\w*)(\s*\*[\s*]*|\s+)(?=[\w[*])/y);
  if (found === undefined) return undefined;
  const [, text = "", star = ""] = found;
  const name = text.replace(/\s+/g, " ");
  const type = star.includes("*") ? WORD : name === "ins_t" ? INSTRUCTION : types.get(name);
  if (type === undefined)
    throw cursor.source.error(`There is no type ${name}; types are int, uint64_t and the like.`, start);
  return type;
};
