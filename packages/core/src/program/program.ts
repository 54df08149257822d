import type { Bytes, Data } from "../base/data.js";
import type { CodeBlock, DataBlock } from "../contract/scenario.js";

/** A value in a program: a constant, or a local of the running program. */
export type Value = Data | { readonly local: string };

/** A comparison of two values; `eq` and `ne` compare by structure, `lt` compares numbers. */
export type Condition = { readonly test: "eq" | "ne" | "lt"; readonly a: Value; readonly b: Value };

/** One step: an operation with its arguments. Its `id` is what `--drop` takes and what timelines and `show` print. */
export type Step = {
  readonly id: string;
  readonly op: string;
  readonly args: { readonly [name: string]: Data };
  /** What the step is for, and where the real code does it. */
  readonly note?: string;
  /** The step is there for synchronisation: ablation drops these. */
  readonly synchronises?: true;
};

/** Lines that are run when a condition on locals holds, or otherwise. */
export type When = {
  readonly id: string;
  readonly when: Condition;
  readonly lines: readonly Line[];
  readonly otherwise?: readonly Line[];
};
/** Lines that are repeated while a condition on locals holds. */
export type While = { readonly id: string; readonly while: Condition; readonly repeat: readonly Line[] };
/** A line of a program. */
export type Line = Step | When | While;

/** Code and data around the sites that a program counts on; what a scenario says itself comes first. */
export type Surroundings = {
  /** Trampolines, tracers, the functions that they call. */
  readonly blocks?: readonly CodeBlock[];
  /** Literals and descriptors, as they are before the first flip. */
  readonly data?: readonly DataBlock[];
  /** Where executors start whose scenario does not say; by default at the sites of code. */
  readonly entries?: readonly bigint[];
  /**
   * Text that its steps store to beside the sites of the flip and these blocks and data, such as a trampoline of the scenario's. What a step
   * maps need not be named.
   */
  readonly writes?: readonly { readonly address: bigint; readonly size: number }[];
};

/** What code and the data bound to it have to be to each other: whoever executes the code at `at` has one of these in its registers. */
export type Pair = {
  readonly at: bigint;
  readonly registers: readonly string[];
  /** The combinations of values of these registers that are published together with this code. */
  readonly published: readonly (readonly bigint[])[];
};

/**
 * What a strategy plans for one flip: plain, immutable data. It can be printed, compared, costed, and ablated without touching
 * the strategy.
 */
export type PatchProgram = {
  readonly main: readonly Line[];
  /**
   * Handlers by trap vector. A handler that reaches `claim` owns the trap; one that ends without leaves it to the next.
   * Those of `irq` and `nmi` are what an interrupt from outside does before it calls the patched code; those of `switch` what the
   * kernel does, interrupts off, before a task that was preempted goes on, on whatever CPU.
   */
  readonly traps?: { readonly [vector: string]: readonly Line[] };
  /**
   * Instructions, not breakpoints, by which the patcher holds up whoever comes; to execute one is no execution of the site. In a site of
   * data: what it holds in between on purpose.
   */
  readonly guards?: readonly { readonly address: bigint; readonly bytes: Bytes }[];
  /** Shared words that the program declares, with their initial values. */
  readonly words?: { readonly [name: string]: Data };
  /** Words of which every CPU has its own, with their initial values. */
  readonly cpuWords?: { readonly [name: string]: Data };
  readonly around?: Surroundings;
  /** Code and data that belong together; `pair` watches them. */
  readonly pairs?: readonly Pair[];
};

/** Whether a line is a single step. */
export const isStep = (line: Line): line is Step => "op" in line;

/** The lines nested in a line. */
export const nested = (line: Line): readonly Line[] => {
  if ("when" in line) return [...line.lines, ...(line.otherwise ?? [])];
  if ("while" in line) return line.repeat;
  return nestedOfStep(line);
};

/** Steps such as `stopMachine` and `sendIpi` hold lines in their arguments. */
const nestedOfStep = (step: Step): readonly Line[] =>
  lineArguments.flatMap((name) => (step.args[name] as unknown as readonly Line[] | undefined) ?? []);

const lineArguments = ["handler", "run", "secondaries"] as const;

/** The arguments of steps that hold lines of their own: of an interrupt, and of stop_machine. */
export type LinesArgument = (typeof lineArguments)[number];

/** The lines that a step holds, by argument. */
export const linesHeld = (step: Step): readonly (readonly [LinesArgument, readonly Line[]])[] =>
  lineArguments.flatMap((name) => {
    const lines = step.args[name] as unknown as readonly Line[] | undefined;
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
  const args: { [name: string]: Data } = { ...line.args };
  for (const name of lineArguments) {
    const lines = args[name] as unknown as readonly Line[] | undefined;
    if (lines !== undefined) args[name] = change(lines, name) as unknown as Data;
  }
  return { ...line, args };
};

/** A line that is put into a program beside what its strategy plans: the counterpart of leaving one out. */
export type Addition = {
  /** Id of the line that it comes after, in the program or in a handler; null: before all others. */
  readonly after: string | null;
  /** It comes before the lines that the step `after` holds in this argument, not after the step. */
  readonly inside?: LinesArgument;
  readonly line: Line;
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
