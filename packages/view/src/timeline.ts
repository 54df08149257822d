import { eventsOf, type Machine, type StateView, type TraceStep } from "@cmodx/core";
import { bytesAt, describeSite, fetchPlaces, type Sight, sightsAt } from "./sight.js";
import { placeOf, tell } from "./tell.js";
import { wrap } from "./wrap.js";

/** How text is coloured, such as by picocolors' functions of these names. */
export type Paint = { readonly [style in "bold" | "cyan" | "dim" | "red" | "yellow"]: (text: string) => string };

/** How a timeline is rendered. */
export type TimelineOptions = {
  /** Columns; default 100. */
  readonly width?: number;
  /** Default: without colours. */
  readonly paint?: Paint;
  /** The index of the step at which a cycle begins, where the steps from there on repeat for ever. */
  readonly loop?: number;
};

type Style = (text: string) => string;
/** Lines of one CPU beneath each other. */
type Cell = { readonly cpu: number; readonly text: string; readonly style: Style };
/** One row: a step, or several quiet ones of one CPU, and what changed with it. */
type Row = {
  readonly first: number;
  readonly last: number;
  readonly cells: readonly Cell[];
  readonly memory: readonly string[];
  /** Stands in a line of its own before the step. */
  readonly heading: string | null;
};

const plain: Style = (text) => text;
const colourless: Paint = { bold: plain, cyan: plain, dim: plain, red: plain, yellow: plain };
/** Columns, where nothing else is asked for. */
const WIDTH = 100;
const GAP = 2;
const NUMBER = 7;
/** Below this many columns for each CPU a line for each step is easier to read. */
const NARROW = 20;

/**
 * A trace as text with one column for each CPU that acts in it: numbered steps, what each CPU did, and what changed since the step
 * before. The last step is the one that breaks a property, or the last of those that repeat for ever.
 */
export const renderTimeline = (
  machine: Machine,
  trace: readonly TraceStep[],
  options: TimelineOptions = {},
): string => {
  const { width = WIDTH, paint = colourless, loop } = options;
  const cpus = [...new Set(trace.map((step) => step.cpu))].sort((a, b) => a - b);
  const rows = merge(rowsOf(machine, trace, loop, paint));
  const column = Math.floor((width - NUMBER - GAP * (cpus.length - 1)) / Math.max(1, cpus.length));
  const first = trace[0];
  if (first === undefined) return "";
  const head = legend(first.before, cpus);
  const body = column >= NARROW ? inColumns(rows, cpus, column, width, head, paint) : inLines(rows, width, head, paint);
  const stale = rows.some(({ cells }) => cells.some(({ text }) => text.includes("~")));
  const mark = wrap("~ marks what was overwritten in memory and can still be fetched.", width).map(paint.dim);
  const note = stale ? ["", ...mark] : [];
  return `${[...body, ...note].join("\n")}\n`;
};

/** What each CPU does at first. */
const legend = (view: StateView, cpus: readonly number[]): ReadonlyMap<number, string> =>
  new Map(
    cpus.map((cpu) => {
      const code = view.cpus[cpu]?.stack[0]?.code;
      return [cpu, code === undefined ? "idle" : code.run === "program" ? code.program : "runs the code"];
    }),
  );

const rowsOf = (
  machine: Machine,
  trace: readonly TraceStep[],
  loop: number | undefined,
  paint: Paint,
): readonly (Row & { readonly quiet: boolean })[] => {
  const executes = new Set(
    trace.flatMap((step) => (step.observed.some(({ what }) => what === "execute") ? [step.cpu] : [])),
  );
  return trace.map((step, i) => {
    const told = tell(step, machine);
    const cells: Cell[] = [{ cpu: step.cpu, text: told.text, style: i === trace.length - 1 ? paint.red : plain }];
    const torn = tornText(machine, trace, i);
    if (torn !== undefined) cells.push({ cpu: step.cpu, text: torn, style: paint.yellow });
    const seen = [...executes].flatMap((cpu) =>
      seenSince(machine, step, cpu).map((text): Cell => ({ cpu, text, style: paint.yellow })),
    );
    const memory = memorySince(machine, step);
    const quiet = told.quiet && seen.length === 0 && memory.length === 0 && torn === undefined;
    const heading = i === loop ? loopText(i + 1, trace.length) : null;
    return { first: i + 1, last: i + 1, cells: [...cells, ...seen], memory, heading, quiet };
  });
};

const loopText = (first: number, last: number): string =>
  first === last ? `Step ${first} repeats for ever:` : `Steps ${first} to ${last} repeat for ever:`;

/** The bytes of an executed instruction where they are not what memory holds. */
const tornText = (machine: Machine, trace: readonly TraceStep[], index: number): string | undefined => {
  const step = trace[index] as TraceStep;
  const [executed] = eventsOf(step.observed, "execute");
  if (executed === undefined || executed.site === null) return undefined;
  const { at, bytes, matched, owned, stale } = executed;
  const held = (view: StateView): boolean => bytesAt(machine, view, at, bytes.length / 2) === bytes;
  const existed = trace.slice(0, index + 1).some(({ before }) => held(before));
  if (!existed) return `[${bytes}] an instruction that never existed in memory`;
  if (stale) return `[${bytes}] fetched before it was overwritten`;
  return matched.length === 0 && !owned ? `[${bytes}] as memory held it between two stores` : undefined;
};

const memorySince = (machine: Machine, { before, after }: TraceStep): readonly string[] =>
  machine.layout.sites.flatMap((site, i) => {
    if (bytesAt(machine, before, site.address, site.length) === bytesAt(machine, after, site.address, site.length))
      return [];
    return [`memory at ${placeOf(site.address, machine)}: ${describeSite(machine, after, i)}`];
  });

/** What a CPU may fetch now, where that changed and is not simply what memory holds. */
const seenSince = (machine: Machine, { before, after }: TraceStep, cpu: number): readonly string[] =>
  fetchPlaces(machine, after, cpu).flatMap((address) => {
    const was = sightsAt(machine, before, cpu, address);
    const is = sightsAt(machine, after, cpu, address);
    if (is.length === 1 && was.length === 1) return [];
    if (is.map(sightKey).join() === was.map(sightKey).join()) return [];
    const where =
      machine.layout.sites.length === 1 && machine.siteAt(address)?.offset === 0
        ? ""
        : ` at ${placeOf(address, machine)}`;
    return [is.length === 1 ? `fetches${where} ${is[0]?.text} alone` : `may fetch${where}: ${sightsText(is)}`];
  });

const sightKey = ({ bytes, stale }: Sight): string => `${bytes}${stale ? "~" : ""}`;

const SHOWN = 3;

const sightsText = (sights: readonly Sight[]): string => {
  const texts = sights.slice(0, SHOWN).map(({ text, stale }) => `${stale ? "~" : ""}${text}`);
  return sights.length > SHOWN ? `${texts.join(", ")}, … ${sights.length} in all` : texts.join(", ");
};

/** Quiet steps of one CPU that follow each other share a row. */
const merge = (rows: readonly (Row & { readonly quiet: boolean })[]): readonly Row[] => {
  const merged: (Row & { readonly quiet: boolean })[] = [];
  rows.forEach((row, i) => {
    const before = merged.at(-1);
    const [cell] = row.cells;
    const [previous] = before?.cells ?? [];
    const lastRow = i === rows.length - 1;
    if (
      before?.quiet &&
      row.quiet &&
      row.heading === null &&
      !lastRow &&
      cell !== undefined &&
      previous?.cpu === cell.cpu
    ) {
      const joined = { ...previous, text: `${previous.text}; ${cell.text}` };
      merged[merged.length - 1] = { ...before, last: row.last, cells: [joined] };
    } else {
      merged.push(row);
    }
  });
  return merged;
};

const numberOf = ({ first, last }: Row): string => (first === last ? String(first) : `${first}-${last}`);

const inColumns = (
  rows: readonly Row[],
  cpus: readonly number[],
  column: number,
  width: number,
  head: ReadonlyMap<number, string>,
  paint: Paint,
): readonly string[] => {
  const margin = " ".repeat(NUMBER);
  const line = (number: string, parts: readonly (readonly [string, Style])[]): string =>
    `${paint.dim(number.padStart(NUMBER - 2))}  ${parts
      .map(([text, style], i) => style(i === parts.length - 1 ? text : text.padEnd(column)))
      .join(" ".repeat(GAP))}`.trimEnd();
  const header = (texts: readonly string[]): string =>
    line(
      "",
      texts.map((text) => [text.slice(0, column), paint.bold] as const),
    );
  const lines = [
    header(cpus.map((cpu) => `CPU ${cpu}`)),
    header(cpus.map((cpu) => head.get(cpu) ?? "")),
    header(cpus.map(() => "-".repeat(column))),
  ];
  for (const row of rows) {
    const stacks = cpus.map((cpu) =>
      row.cells
        .filter((cell) => cell.cpu === cpu)
        .flatMap(({ text, style }) => wrap(text, column, "  ").map((part) => [part, style] as const)),
    );
    if (row.heading !== null) lines.push(margin + paint.bold(row.heading));
    const height = Math.max(...stacks.map((stack) => stack.length));
    for (let i = 0; i < height; i++) {
      lines.push(
        line(
          i === 0 ? numberOf(row) : "",
          stacks.map((stack) => stack[i] ?? ["", plain]),
        ),
      );
    }
    for (const memory of row.memory)
      lines.push(...wrap(memory, width - NUMBER, "  ").map((part) => margin + paint.cyan(part)));
  }
  return lines;
};

const inLines = (
  rows: readonly Row[],
  width: number,
  head: ReadonlyMap<number, string>,
  paint: Paint,
): readonly string[] => {
  const label = (cpu: number): string => `CPU ${cpu}`.padEnd(8);
  const lines = [...head].map(([cpu, role]) => paint.bold(`${" ".repeat(NUMBER)}${label(cpu)}${role}`));
  for (const row of rows) {
    if (row.heading !== null) lines.push(" ".repeat(NUMBER) + paint.bold(row.heading));
    row.cells.forEach(({ cpu, text, style }, i) => {
      wrap(text, width - NUMBER - 8, "  ").forEach((part, j) => {
        const number = i === 0 && j === 0 ? numberOf(row) : "";
        lines.push(`${paint.dim(number.padStart(NUMBER - 2))}  ${j === 0 ? label(cpu) : " ".repeat(8)}${style(part)}`);
      });
    });
    for (const memory of row.memory) {
      lines.push(...wrap(memory, width - NUMBER, "  ").map((part) => " ".repeat(NUMBER) + paint.cyan(part)));
    }
  }
  return lines;
};
