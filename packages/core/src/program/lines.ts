import type { Addition, Line, LinesArgument, PatchProgram, Step } from "../contract/program.js";

/** Whether a line is a single step. */
export const isStep = (line: Line): line is Step => "op" in line;

/** The lines nested in a line. */
export const nested = (line: Line): readonly Line[] => {
  if ("when" in line) return [...line.lines, ...(line.otherwise ?? [])];
  if ("while" in line) return line.repeat;
  return nestedOfStep(line);
};

/** Steps such as `stopMachine` and `sendIpi` hold lines in their arguments. */
const nestedOfStep = (step: Step): readonly Line[] => lineArguments.flatMap((name) => linesIn(step, name) ?? []);

/** The lines that a step holds in one of its arguments. */
const linesIn = ({ args }: Step, name: LinesArgument): readonly Line[] | undefined =>
  (args as { readonly [name in LinesArgument]?: readonly Line[] })[name];

const lineArguments: readonly LinesArgument[] = ["handler", "run", "secondaries"];

/** The lines that a step holds, by argument. */
export const linesHeld = (step: Step): readonly (readonly [LinesArgument, readonly Line[]])[] =>
  lineArguments.flatMap((name) => {
    const lines = linesIn(step, name);
    return lines === undefined ? [] : [[name, lines] as const];
  });

/** All ids of steps and control lines in the order in which they are written, without repetition. */
export const lineIds = (lines: readonly Line[]): readonly string[] => [
  ...new Set(lines.flatMap((line): readonly string[] => [line.id, ...lineIds(nested(line))])),
];

/** The steps that are there for synchronisation, nested ones included, in the order in which they are written. */
export const synchronisationsIn = (lines: readonly Line[]): readonly Step[] =>
  lines.flatMap((line) => [
    ...(isStep(line) && line.synchronises === true ? [line] : []),
    ...synchronisationsIn(nested(line)),
  ]);

/** The program without the lines of these ids. */
export const dropLines = (lines: readonly Line[], ids: ReadonlySet<string>): readonly Line[] =>
  lines.filter((line) => !ids.has(line.id)).map((line) => mapNested(line, (nested) => dropLines(nested, ids)));

/** The line with the lines nested in it changed. */
const mapNested = (
  line: Line,
  change: (lines: readonly Line[], held: LinesArgument | null) => readonly Line[],
): Line => {
  if ("when" in line) {
    const changed = { ...line, lines: change(line.lines, null) };
    return line.otherwise === undefined ? changed : { ...changed, otherwise: change(line.otherwise, null) };
  }
  if ("while" in line) return { ...line, repeat: change(line.repeat, null) };
  const changed = linesHeld(line).map(([name, lines]) => [name, change(lines, name)]);
  return changed.length === 0 ? line : ({ ...line, args: { ...line.args, ...Object.fromEntries(changed) } } as Step);
};

/** The lines with additions put after, and into, those that these name; additions before all others are the caller's to put. */
export const addLines = (lines: readonly Line[], additions: readonly Addition[]): readonly Line[] =>
  lines.flatMap((line) => {
    const here = additions.filter(({ after }) => after === line.id);
    const within = (held: LinesArgument | null): readonly Line[] =>
      held === null ? [] : here.filter(({ inside }) => inside === held).map((addition) => addition.line);
    return [
      mapNested(line, (nested, held) => [...within(held), ...addLines(nested, additions)]),
      ...here.filter(({ inside }) => inside === undefined).map((addition) => addition.line),
    ];
  });

/** A place in a program where a line can be added. */
export type Gap = Omit<Addition, "line"> & {
  /** A task runs here that may sleep and wait for other CPUs: not a handler, and not the inside of stop_machine. */
  readonly sleeps: boolean;
};

/** All places of a program where a line can be added, in the order in which they are written. */
export const gapsOf = ({ main, traps = {} }: PatchProgram): readonly Gap[] => [
  { after: null, sleeps: true },
  ...gapsIn(main, true),
  ...Object.values(traps).flatMap((lines) => gapsIn(lines, false)),
];

const gapsIn = (lines: readonly Line[], sleeps: boolean): readonly Gap[] =>
  lines.flatMap((line): readonly Gap[] => {
    const held = isStep(line) ? lineArguments.filter((name) => Object.hasOwn(line.args, name)) : [];
    return [
      ...held.map((inside): Gap => ({ after: line.id, inside, sleeps: false })),
      ...gapsIn(nested(line), sleeps && held.length === 0),
      { after: line.id, sleeps },
    ];
  });
