import { InputError } from "@cmodx/core";
import { readProposition } from "./condition.js";
import { Cursor } from "./cursor.js";
import { Source } from "./source.js";
import type { LitmusTarget } from "./target.js";
import type {
  InfoLine,
  Initialisation,
  LitmusCell,
  LitmusTest,
  LitmusValue,
  Proposition,
  Quantifier,
  Row,
  Thread,
} from "./test.js";
import { readCell, readType, readValue } from "./values.js";

/**
 * Reads a litmus file. Throws InputError with the line and column of the first fault; `target` looks at the architecture before the rest,
 * and throws where it has none of that name.
 */
export const parseLitmus = (
  text: string,
  file: string,
  target?: (architecture: string) => Pick<LitmusTarget, "fetchKey">,
): { readonly test: LitmusTest; readonly source: Source } => {
  const source = new Source(text, file);
  const brace = source.text.indexOf("{");
  const open = brace < 0 ? source.text.length : brace;
  const { architecture, name, info } = readHeader(source, open, target);
  if (brace < 0) throw source.error("A litmus test has an initial state in braces; there is none.", text.length);
  const close = closing(source.text, open);
  if (close < 0) throw source.error("The initial state is opened here and never closed.", open);
  const initial = readInitial(new Cursor(source, open + 1, close));
  const cursor = new Cursor(source, close + 1);
  const threads = readThreads(cursor);
  return { test: { architecture, name, info, initial, threads, ...readEnd(cursor) }, source };
};

/** Where the brace that is opened at an offset is closed; -1 where it is not. */
const closing = (text: string, open: number): number => {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    if (text[i] === "}" && --depth === 0) return i;
  }
  return -1;
};

/** Lines that say where a test comes from, and how hardware is to be made to run it. */
const REMARKS: readonly string[] = [
  ...["Com", "Cycle", "Generator", "Hash", "Orig", "Prefetch", "Relax", "Safe", "Stable", "Align", "Mapping"],
  ...["Author", "Doc"],
];

/** What `Variant` may ask for: what is so anyway. */
const VARIANTS: readonly string[] = ["ifetch", "self", "mixed", "fatal"];

const checkLine = (key: string, value: string, keys: readonly string[], source: Source, at: number): void => {
  if (key === "Variant") {
    const other = value.split(/[\s,]+/).find((each) => each !== "" && !VARIANTS.includes(each));
    if (other !== undefined)
      throw source.error(`The variant ${other} is not modelled; there are ${VARIANTS.join(", ")}.`, at);
  } else if (!keys.includes(key)) {
    throw source.error(`There is no line ${key}=; what a test says of itself is ${keys.join(", ")}.`, at);
  }
};

const readHeader = (source: Source, end: number, target: Parameters<typeof parseLitmus>[2]) => {
  const info = new Map<string, InfoLine>();
  let first: { readonly architecture: string; readonly name: string } | undefined;
  let keys: readonly string[] = [];
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
      keys = [
        ...(target === undefined ? [] : [known(architecture, target, source, start).fetchKey]),
        "Variant",
        ...REMARKS,
      ];
      first = { architecture, name };
      continue;
    }
    const [, key, value] = /^(\w+)\s*=\s*(.*)$/.exec(text) ?? [];
    if (key === undefined || value === undefined) continue;
    if (target !== undefined) checkLine(key, value, keys, source, start);
    const before = info.get(key)?.value;
    if (before !== undefined && before !== value.trim() && !REMARKS.includes(key))
      throw source.error(`The test says ${key}= twice, ${before} and ${value.trim()}.`, start);
    info.set(key, { value: value.trim(), place: source.place(start) });
  }
  if (first === undefined) throw source.error("A litmus test begins with its architecture and its name.", 0);
  return { ...first, info };
};

const known = (
  architecture: string,
  target: NonNullable<Parameters<typeof parseLitmus>[2]>,
  source: Source,
  at: number,
): Pick<LitmusTarget, "fetchKey"> => {
  try {
    return target(architecture);
  } catch (error) {
    throw error instanceof InputError ? source.error(error.message, at) : error;
  }
};

/** The most entries of an initial state, and elements of an array. */
const MOST_CELLS = 1000;

/** Entries between semicolons: `[type] cell = value`, an array and its values, or a declaration without a value. */
const readInitial = (cursor: Cursor): readonly Initialisation[] => {
  const { source } = cursor;
  const entries: Initialisation[] = [];
  while (!cursor.done) {
    if (cursor.take(/;/y) !== undefined) continue;
    if (cursor.take(/pte_\w+\s*=\s*\([^)]*\)/y) !== undefined) continue;
    if (/^(TTD|PTE)\s*\(/.test(cursor.source.text.slice(cursor.at)))
      throw cursor.error("Page tables are not modelled; an initial state sets registers and locations.");
    const { place } = cursor;
    const type = readType(cursor);
    const cell = readCell(cursor);
    if (cell === undefined) throw cursor.error(`A register or a location was expected here, not ${cursor.here()}.`);
    const typed = { ...(type === undefined ? {} : { type }), place };
    if (entries.length >= MOST_CELLS || (cell.is === "location" && Number(cell.index ?? 0) > MOST_CELLS))
      throw source.errorAt(`An initial state has at most ${MOST_CELLS} entries, and elements of an array.`, place);
    const isArray = cell.is === "location" && cell.index !== undefined && type !== undefined;
    const plain: LitmusCell = cell.is === "location" ? { is: "location", name: cell.name } : cell;
    if (cursor.take(/=/y) !== undefined) {
      const values = cursor.take(/\{/y) === undefined ? undefined : readValues(cursor);
      const length = isArray ? Number(cell.index) : values?.length;
      if (values === undefined) entries.push({ ...typed, cell, values: [readValue(cursor)] });
      else entries.push({ ...typed, cell: plain, length: length as number, values });
      if (values !== undefined && values.length > (length as number))
        throw source.errorAt(`The array has ${length} elements and ${values.length} values.`, place);
    } else if (type !== undefined)
      entries.push({ ...typed, cell: plain, values: [], ...(isArray ? { length: Number(cell.index) } : {}) });
    else throw cursor.error(`An equals sign was expected here, not ${cursor.here()}.`);
    if (!cursor.done) cursor.expect(/;/y, "A semicolon");
  }
  return entries;
};

/** The values of an array, behind its opening brace. */
const readValues = (cursor: Cursor): readonly LitmusValue[] => {
  const values: LitmusValue[] = [];
  while (cursor.take(/\}/y) === undefined) {
    values.push(readValue(cursor));
    cursor.take(/,/y);
  }
  return values;
};

/** Threads of a test; all of its states are looked at. */
const MOST_THREADS = 64;

const CONDITION = /~?\s*exists\b|forall\b|locations\b|filter\b|final\b|observed\b|with\b/y;

const readThreads = (cursor: Cursor): readonly Thread[] => {
  const names: { readonly thread: number; readonly handler: boolean }[] = [];
  for (const { text, at } of cellsOf(cursor)) {
    const [, number, handler] = /^P(\d+)\s*(\.F\s*)?(?::.*)?$/.exec(text) ?? [];
    if (number === undefined) throw cursor.source.error(`A column is headed P0, P1 or P0.F, not "${text}".`, at);
    if (Number(number) >= MOST_THREADS)
      throw cursor.source.error(`Threads are numbered P0 to P${MOST_THREADS - 1}; there is no P${number} here.`, at);
    names.push({ thread: Number(number), handler: handler !== undefined });
    if (names.length > 2 * MOST_THREADS)
      throw cursor.source.error(`A test has at most ${2 * MOST_THREADS} columns, a thread and a handler each.`, at);
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
