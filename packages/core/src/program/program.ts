import type { Bytes, Data } from "../data.js";

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

/**
 * What a strategy plans for one flip: plain, immutable data. It can be printed, compared, costed, and ablated without touching
 * the strategy.
 */
export type PatchProgram = {
  readonly main: readonly Line[];
  /**
   * Handlers by trap vector. A handler that reaches `claim` owns the trap; one that ends without leaves it to the next.
   * Those of `irq` and `nmi` are what an interrupt from outside does before it calls the patched code.
   */
  readonly traps?: { readonly [vector: string]: readonly Line[] };
  /** Instructions, not breakpoints, by which the patcher holds up whoever comes; to execute one is no execution of the site. */
  readonly guards?: readonly { readonly address: bigint; readonly bytes: Bytes }[];
  /** Shared words that the program declares, with their initial values. */
  readonly words?: { readonly [name: string]: Data };
  /** Words of which every CPU has its own, with their initial values. */
  readonly cpuWords?: { readonly [name: string]: Data };
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
  lines
    .filter((line) => !ids.has(line.id))
    .map((line): Line => {
      if ("when" in line) {
        const kept = { ...line, lines: dropLines(line.lines, ids) };
        return line.otherwise === undefined ? kept : { ...kept, otherwise: dropLines(line.otherwise, ids) };
      }
      if ("while" in line) return { ...line, repeat: dropLines(line.repeat, ids) };
      const args: { [name: string]: Data } = { ...line.args };
      for (const name of lineArguments) {
        const lines = args[name] as unknown as readonly Line[] | undefined;
        if (lines !== undefined) args[name] = dropLines(lines, ids) as unknown as Data;
      }
      return { ...line, args };
    });
