import type { Cursor } from "./cursor.js";
import type { Proposition } from "./test.js";
import { readCell, readValue } from "./values.js";

/** Reads a proposition; `\/` binds weaker than `/\`, `~` strongest. */
export const readProposition = (cursor: Cursor): Proposition => {
  let left = readConjunction(cursor);
  while (cursor.take(/\\\/|\|\|/y) !== undefined) left = { is: "or", of: [left, readConjunction(cursor)] };
  return left;
};

const readConjunction = (cursor: Cursor): Proposition => {
  let left = readAtom(cursor);
  while (cursor.take(/\/\\|&&/y) !== undefined) left = { is: "and", of: [left, readAtom(cursor)] };
  return left;
};

const readAtom = (cursor: Cursor): Proposition => {
  if (cursor.take(/~|not\b/y) !== undefined) return { is: "not", of: readAtom(cursor) };
  if (cursor.take(/\(/y) !== undefined) {
    const inner = readProposition(cursor);
    cursor.expect(/\)/y, "A closing parenthesis");
    return inner;
  }
  const constant = cursor.take(/(true|false)\b/y);
  if (constant !== undefined) return { is: constant[1] as "true" | "false" };
  const { place } = cursor;
  if (cursor.take(/[Ff]ault\s*\(/y) !== undefined) {
    const [, thread, label] = cursor.expect(/P?(\d+)(?:\s*:\s*([\w.$]+))?/y, "A thread, as in P0:L0,");
    const kinds: string[] = [];
    while (cursor.take(/,/y) !== undefined) kinds.push(cursor.expect(/[\w.:]+/y, "A kind of fault")[0]);
    cursor.expect(/\)/y, "A closing parenthesis");
    const fault = { thread: Number(thread), label: label ?? null, kind: kinds.at(-1) ?? null };
    return { is: "fault", fault, place };
  }
  const cell = readCell(cursor);
  if (cell === undefined) throw cursor.error(`A register or a location was expected here, not ${cursor.here()}.`);
  const relation = cursor.expect(/==?|!=|<>/y, "An equals sign")[0];
  const equal: Proposition = { is: "equal", cell, value: readValue(cursor), place };
  return relation.startsWith("=") ? equal : { is: "not", of: equal };
};
