import { MOST_CPUS } from "@cmodx/core";
import { readProposition } from "./condition.js";
import { Cursor } from "./cursor.js";
import { Source } from "./source.js";
import type { InfoLine, Initialisation, LitmusCell, LitmusTest, Proposition, Quantifier, Row, Thread } from "./test.js";
import { readCell, readValue } from "./values.js";

/** Reads a litmus file. Throws InputError with the line and column of the first fault. */
export const parseLitmus = (text: string, file: string): { readonly test: LitmusTest; readonly source: Source } => {
  const source = new Source(text, file);
  const open = source.text.indexOf("{");
  if (open < 0) throw source.error("A litmus test has an initial state in braces; there is none.", text.length);
  const { architecture, name, info } = readHeader(source, open);
  const close = source.text.indexOf("}", open);
  if (close < 0) throw source.error("The initial state is opened here and never closed.", open);
  const initial = readInitial(new Cursor(source, open + 1, close));
  const cursor = new Cursor(source, close + 1);
  const threads = readThreads(cursor);
  return { test: { architecture, name, info, initial, threads, ...readEnd(cursor) }, source };
};

const readHeader = (source: Source, end: number) => {
  const info = new Map<string, InfoLine>();
  let first: { readonly architecture: string; readonly name: string } | undefined;
  let at = 0;
  for (const line of source.text.slice(0, end).split("\n")) {
    const begun = at;
    at += line.length + 1;
    const text = line.trim();
    const start = begun + line.length - line.trimStart().length;
    if (text === "" || text.startsWith('"')) continue;
    if (first === undefined) {
      const [, architecture, name] = /^([A-Za-z][\w+]*)\s+(\S.*)$/.exec(text) ?? [];
      if (architecture === undefined || name === undefined)
        throw source.error("A litmus test begins with its architecture and its name.", start);
      first = { architecture, name };
      continue;
    }
    const [, key, value] = /^(\w+)\s*=\s*(.*)$/.exec(text) ?? [];
    if (key !== undefined && value !== undefined) info.set(key, { value: value.trim(), place: source.place(start) });
  }
  if (first === undefined) throw source.error("A litmus test begins with its architecture and its name.", 0);
  return { ...first, info };
};

/** Entries between semicolons: `[type] cell = value`, or a declaration without a value. */
const readInitial = (cursor: Cursor): readonly Initialisation[] => {
  const entries: Initialisation[] = [];
  while (!cursor.done) {
    if (cursor.take(/;/y) !== undefined) continue;
    if (cursor.take(/pte_\w+\s*=\s*\([^)]*\)/y) !== undefined) continue;
    if (/^(TTD|PTE)\s*\(/.test(cursor.source.text.slice(cursor.at)))
      throw cursor.error("Page tables are not modelled; an initial state sets registers and locations.");
    const { place } = cursor;
    const declared = cursor.take(/(?:const\s+|volatile\s+)*[A-Za-z_]\w*(?:\s*\*+\s*|\s+)(?=[\w[*])/y);
    const cell = readCell(cursor);
    if (cell === undefined) throw cursor.error(`A register or a location was expected here, not ${cursor.here()}.`);
    if (cursor.take(/=/y) !== undefined) entries.push({ cell, value: readValue(cursor), place });
    else if (declared === undefined) throw cursor.error(`An equals sign was expected here, not ${cursor.here()}.`);
    if (!cursor.done) cursor.expect(/;/y, "A semicolon");
  }
  return entries;
};

const CONDITION = /~?\s*exists\b|forall\b|locations\b|filter\b|final\b|observed\b|with\b/y;

const readThreads = (cursor: Cursor): readonly Thread[] => {
  const names: { readonly thread: number; readonly handler: boolean }[] = [];
  for (const { text, at } of cellsOf(cursor)) {
    const [, number, handler] = /^P(\d+)\s*(\.F\s*)?(?::.*)?$/.exec(text) ?? [];
    if (number === undefined) throw cursor.source.error(`A column is headed P0, P1 or P0.F, not "${text}".`, at);
    if (Number(number) >= MOST_CPUS)
      throw cursor.source.error(`Threads are numbered P0 to P${MOST_CPUS - 1}; there is no P${number} here.`, at);
    names.push({ thread: Number(number), handler: handler !== undefined });
    if (names.length > 2 * MOST_CPUS)
      throw cursor.source.error(`A test has at most ${2 * MOST_CPUS} columns, a thread and a handler each.`, at);
  }
  const count = Math.max(...names.map(({ thread }) => thread)) + 1;
  const threads = Array.from({ length: count }, () => ({ rows: [] as Row[], handler: [] as Row[] }));
  for (;;) {
    CONDITION.lastIndex = cursor.at;
    if (cursor.done || CONDITION.test(cursor.source.text)) return threads;
    const begun = cursor.at;
    const cells = cellsOf(cursor);
    if (cells.length > names.length)
      throw cursor.source.error(`This row has ${cells.length} columns, the test has ${names.length}.`, begun);
    cells.forEach(({ text, at }, i) => {
      if (text === "") return;
      const { thread, handler } = names[i] as (typeof names)[number];
      const row = readRow(text, cursor.source, at);
      const into = threads[thread] as (typeof threads)[number];
      (handler ? into.handler : into.rows).push(row);
    });
  }
};

/** The cells of the row that starts here, up to its semicolon. */
const cellsOf = (cursor: Cursor): readonly { readonly text: string; readonly at: number }[] => {
  const { source } = cursor;
  const begun = cursor.at;
  const end = source.text.indexOf(";", begun);
  if (end < 0) throw source.error("This row of the code is not ended by a semicolon.", begun);
  let at = begun;
  const cells = source.text
    .slice(begun, end)
    .split("|")
    .map((cell) => {
      const lead = cell.length - cell.trimStart().length;
      const found = { text: cell.trim(), at: at + lead };
      at += cell.length + 1;
      return found;
    });
  cursor.at = end + 1;
  cursor.skip();
  return cells;
};

const readRow = (text: string, source: Source, at: number): Row => {
  const labels: string[] = [];
  let rest = text;
  for (;;) {
    const found = /^([A-Za-z_.$][\w.$]*)\s*:\s*/.exec(rest);
    if (found === null) break;
    labels.push(found[1] as string);
    rest = rest.slice(found[0].length);
  }
  return { labels, text: rest.replace(/\s+/g, " "), place: source.place(at + text.length - rest.length) };
};

const readEnd = (
  cursor: Cursor,
): Pick<LitmusTest, "locations" | "filter" | "quantifier" | "proposition" | "condition"> => {
  let locations: readonly LitmusCell[] = [];
  let filter: Proposition | null = null;
  if (cursor.take(/locations\b/y) !== undefined) locations = readLocations(cursor);
  if (cursor.take(/filter\b/y) !== undefined) filter = readProposition(cursor);
  if (cursor.done)
    return { locations, filter, quantifier: "exists", proposition: { is: "true" }, condition: "exists (true)" };
  const begun = cursor.at;
  const found = cursor.expect(/~\s*exists\b|exists\b|forall\b/y, "exists, ~exists or forall")[0].replace(/\s/g, "");
  const proposition = readProposition(cursor);
  const condition = cursor.source.text.slice(begun, cursor.at).trim().replace(/\s+/g, " ");
  cursor.take(/;/y);
  if (cursor.take(/locations\b/y) !== undefined) locations = [...locations, ...readLocations(cursor)];
  if (!cursor.done) throw cursor.error(`The condition ends before ${cursor.here()}.`);
  return { locations, filter, quantifier: found as Quantifier, proposition, condition };
};

const readLocations = (cursor: Cursor): readonly LitmusCell[] => {
  const cells: LitmusCell[] = [];
  cursor.expect(/\[/y, "An opening bracket");
  while (cursor.take(/\]/y) === undefined) {
    const cell = readCell(cursor);
    if (cell === undefined) throw cursor.error(`A register or a location was expected here, not ${cursor.here()}.`);
    cells.push(cell);
    cursor.take(/;/y);
  }
  cursor.take(/;/y);
  return cells;
};
