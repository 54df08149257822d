import { MOST_NESTED } from "@cmodx/core";
import type { Cursor } from "./cursor.js";
import type { Proposition } from "./test.js";
import { readCell, readValue } from "./values.js";

/** Reads a proposition; `\/` binds weaker than `/\`, `~` strongest. */
export const readProposition = (cursor: Cursor): Proposition => readNested(cursor, MOST_NESTED);

const readNested = (cursor: Cursor, levels: number): Proposition => {
  if (levels === 0) throw cursor.error(`A condition is nested at most ${MOST_NESTED} levels deep.`);
  const of = [readConjunction(cursor, levels)];
  while (cursor.take(/\\\/|\|\|/y) !== undefined) of.push(readConjunction(cursor, levels));
  return of.length === 1 ? (of[0] as Proposition) : { is: "or", of };
};

const readConjunction = (cursor: Cursor, levels: number): Proposition => {
  const of = [readAtom(cursor, levels)];
  while (cursor.take(/\/\\|&&/y) !== undefined) of.push(readAtom(cursor, levels));
  return of.length === 1 ? (of[0] as Proposition) : { is: "and", of };
};

const readAtom = (cursor: Cursor, levels: number): Proposition => {
  let negated = false;
  while (cursor.take(/~|not\b/y) !== undefined) negated = !negated;
  const atom = readPlain(cursor, levels);
  return negated ? { is: "not", of: atom } : atom;
};

const readPlain = (cursor: Cursor, levels: number): Proposition => {
  if (cursor.take(/\(/y) !== undefined) {
    const inner = readNested(cursor, levels - 1);
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
