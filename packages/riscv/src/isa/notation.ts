import type { Field, FieldName, Form, Meaning, OperandCode, Piece } from "./form.js";
import type { Operation } from "./instruction.js";

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

type Row = { readonly meaning: Meaning; readonly encoding: readonly string[] };

const parseRow = (row: string): Row => {
  const [left = "", right = ""] = row.split(/\s=\s/);
  const [head = "", operands = ""] = left.split(/\s:\s/);
  const [name = "", ...encoding] = wordsOf(head);
  const [op = name, ...fixed] = wordsOf(right);
  const meaning = {
    name,
    operands: wordsOf(operands) as OperandCode[],
    op: op as Operation,
    fixed: Object.fromEntries(fixed.map((assignment) => assignment.split("="))),
  };
  return { meaning, encoding };
};

const widths: { readonly [field: string]: number } = { pred: 4, succ: 4, aq: 1, rl: 1 };

/** One mention of a field, its pieces from the highest bit of the encoding down. */
const parseField = (token: string, top: number): Field => {
  const [, unsigned, name = "", prime, layout] = /^(u?)([a-z]+[12]?)('?)(?:\[(.*)\])?$/.exec(token) ?? [];
  const runs = layout?.split("|").map((text) => {
    const [high = 0, low = high] = text.split(":").map(Number);
    return { width: high - low + 1, low };
  });
  let at = top;
  const pieces = (runs ?? [{ width: prime ? 3 : (widths[name] ?? 5), low: 0 }]).map((run): Piece => {
    at -= run.width;
    return { at, ...run };
  });
  return {
    name: name as FieldName,
    pieces,
    signed: layout !== undefined && unsigned === "",
    compressed: prime === "'",
  };
};

const joined = (fields: readonly Field[], field: Field): readonly Field[] => {
  const earlier = fields.find(({ name }) => name === field.name);
  if (earlier === undefined) return [...fields, field];
  const whole = { ...earlier, pieces: [...earlier.pieces, ...field.pieces] };
  return fields.map((other) => (other === earlier ? whole : other));
};

/** Reads one row of the table of encodings. */
export const parseForm = (row: string): Form => {
  const { meaning, encoding } = parseRow(row);
  const { name } = meaning;
  const length = encoding.at(-1)!.endsWith("11") ? 4 : 2;
  let at = length * 8;
  let bits = 0;
  let mask = 0;
  let fields: readonly Field[] = [];
  for (const token of encoding) {
    if (!/^[01-]+$/.test(token)) {
      const field = parseField(token, at);
      fields = joined(fields, field);
      at = field.pieces.at(-1)!.at;
      continue;
    }
    for (const digit of token) {
      at -= 1;
      if (digit !== "-") mask |= 1 << at;
      if (digit === "1") bits |= 1 << at;
    }
  }
  if (at !== 0) throw new Error(`The encoding of ${name} has ${length * 8 - at} bits: ${row.trim()}`);
  const status = name === "reserved" || name === "outside" || name === "opaque" ? name : "modelled";
  return { ...meaning, status, length, bits, mask, fields };
};

/** Reads one row of the table of pseudo-instructions, which has no encoding. */
export const parseMeaning = (row: string): Meaning => parseRow(row).meaning;
