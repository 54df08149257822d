import type { Mode, Operation } from "./instruction.js";
import { type OperandCode, operandCodes } from "./operand-codes.js";
import { type Fields, type Pattern, parsePattern } from "./pattern.js";
import { a32Rows } from "./table-a32.js";
import { t16Rows } from "./table-t16.js";
import { t32Rows } from "./table-t32.js";
import { unpredictable } from "./unpredictable.js";

/** What a row of a table says of the words that fit it. */
export type Form = {
  readonly mode: Mode;
  readonly pattern: Pattern;
  /** `outside` is valid or UNPREDICTABLE but not modelled. */
  readonly op: Operation | "outside" | "undefined";
  /** Its name ends in `.w` in text, as there is a 16-bit instruction of that name. */
  readonly isWide: boolean;
  /** Whether the flags are set: never, always, or as field S says. */
  readonly flags: "never" | "always" | "field";
  readonly codes: readonly OperandCode[];
  readonly isUnpredictable: (fields: Fields) => boolean;
  /** Whether the row counts for a word with these fields; otherwise the rows behind it are tried. */
  readonly applies: (fields: Fields) => boolean;
};

const codeOf = (name: string): OperandCode => {
  const code = operandCodes.get(name);
  if (code === undefined) throw new Error(`No operand is encoded as "${name}".`);
  return code;
};

const parseForm = (row: string, mode: Mode): Form => {
  const [bits = "", text = "", rules = ""] = row.split(" : ");
  const [name = "", ...codes] = text.trim().split(/\s+/);
  const names = rules.split(/\s+/).filter((rule) => rule !== "");
  const flagged = /(\{s\}|\(s\))$/.exec(name)?.[0];
  const plain = flagged === undefined ? name : name.slice(0, -flagged.length);
  const unless = names.filter((rule) => rule.startsWith("if:")).map((rule) => unpredictable(rule.slice("if:".length)));
  const never = names.filter((rule) => !rule.startsWith("if:")).map(unpredictable);
  return {
    mode,
    pattern: parsePattern(bits),
    op: plain.replace(/\.w$/, "") as Form["op"],
    isWide: plain.endsWith(".w"),
    flags: flagged === undefined ? "never" : flagged === "(s)" ? "always" : "field",
    codes: codes.map(codeOf),
    isUnpredictable: (fields) => never.some((rule) => rule(fields)),
    applies: (fields) => !unless.some((rule) => rule(fields)),
  };
};

/**
 * The rows of a table, in the order in which they are tried: a pattern, an operation with the codes of its operands, and what is
 * UNPREDICTABLE, between colons. `{s}` behind an operation: field S sets flags; `(s)`: it always does; `if:` before a condition: where
 * it holds the rows behind count.
 */
const parseForms = (rows: string, mode: Mode): readonly Form[] =>
  rows
    .split("\n")
    .filter((row) => row.trim() !== "")
    .map((row) => parseForm(`${row.trim()} `, mode));

/** Every encoding of an instruction set in the order in which they are tried. */
export const forms: { readonly [mode in Mode]: readonly Form[] } = {
  a32: parseForms(a32Rows, "a32"),
  t32: [...parseForms(t16Rows, "t32"), ...parseForms(t32Rows, "t32")],
};

/** Rows by the bits of a word that tell most: which of them fit some word with those bits. */
const indexBy = (candidates: readonly Form[], bits: 16 | 32, shift: number, size: number) => {
  const sized = candidates.filter(({ pattern }) => pattern.bits === bits);
  const rows = Array.from({ length: 2 ** size }, (_, key) =>
    sized.filter(({ pattern }) => {
      const mask = (pattern.mask >>> shift) & (2 ** size - 1);
      return (key & mask) === ((pattern.value >>> shift) & mask);
    }),
  );
  return (word: number): readonly Form[] => rows[(word >>> shift) & (2 ** size - 1)]!;
};

const a32Index = indexBy(forms.a32, 32, 20, 8);
const t16Index = indexBy(forms.t32, 16, 8, 8);
const t32Index = indexBy(forms.t32, 32, 20, 9);

/** The rows that may fit a word of 16 or 32 bits, in the order in which they are tried. */
export const formsFor = (word: number, mode: Mode, length: 2 | 4): readonly Form[] =>
  mode === "a32" ? a32Index(word) : length === 2 ? t16Index(word) : t32Index(word);
