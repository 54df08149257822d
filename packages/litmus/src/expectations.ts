import { InputError } from "@cmodx/core";
import {
  assertFits,
  either,
  list,
  object,
  oneOf,
  optional,
  record,
  type Schema,
  text,
  whole,
} from "@cmodx/core/schema";
import type { LitmusResult } from "./run.js";

/** What a test is expected to answer: its verdict, and its final states or how many they are. */
export type Expectation = {
  readonly verdict: Exclude<LitmusResult["verdict"], "Inconclusive">;
  readonly states: readonly string[] | number;
  readonly flags?: readonly string[];
};

/** Expectations by the path of a test, without its extension. */
export type Expectations = ReadonlyMap<string, Expectation>;

/**
 * Reads a file of expectations: a JSON object `{"path": {"verdict": …, "states": […]}}`, or a table with the columns test,
 * verdict and states (their number), divided by tabs. Throws InputError.
 */
export const readExpectations = (text: string, file: string): Expectations =>
  text.trimStart().startsWith("{") ? fromJson(text, file) : fromTable(text, file);

const expectationSchema: Schema<Expectation> = object("an expectation", {
  verdict: oneOf<Expectation["verdict"]>({ Allowed: true, Forbidden: true }),
  states: either("a list of final states, or their number", list("final states", text), whole(0)),
  flags: optional(list("flags", text)),
});

const expectationsSchema = record("expectations", expectationSchema);

const fromJson = (text: string, file: string): Expectations => {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new InputError(`Expectations are not JSON: ${(error as Error).message}.`, { file, code: "unreadable" });
  }
  assertFits(expectationsSchema, found, "expectations", { file });
  return new Map(Object.entries(found).map(([test, expectation]) => [stem(test), expectation]));
};

const fromTable = (text: string, file: string): Expectations => {
  const [head = "", ...lines] = text.split(/\r?\n/);
  const columns = head.split("\t").map((each) => each.trim());
  const [test, verdict, states] = ["test", "verdict", "states"].map((name) => columns.indexOf(name));
  if (test === undefined || verdict === undefined || states === undefined || Math.min(test, verdict, states) < 0)
    throw new InputError("A table of expectations has the columns test, verdict and states.", {
      file,
      place: "line 1",
      code: "unreadable",
    });
  const rows = new Map<string, Expectation>();
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const cells = line.split("\t");
    const is = cells[verdict];
    const number = Number(cells[states]);
    if (!isVerdict(is) || !Number.isInteger(number) || cells[states] === "")
      throw new InputError("A row has a test, a verdict, Allowed or Forbidden, and a number of states.", {
        file,
        place: `line ${i + 2}`,
        code: "unreadable",
      });
    rows.set(stem(cells[test] ?? ""), { verdict: is, states: number });
  }
  return rows;
};

const isVerdict = (found: unknown): found is Expectation["verdict"] => found === "Allowed" || found === "Forbidden";

const stem = (path: string): string => path.replace(/\.litmus$/, "");

/** What is expected of the test of a file: the longest end of its path that is named. */
export const expectationOf = (expectations: Expectations, file: string): Expectation | undefined => {
  const parts = stem(file).split(/[\\/]/);
  for (let i = 0; i < parts.length; i++) {
    const found = expectations.get(parts.slice(i).join("/"));
    if (found !== undefined) return found;
  }
  return undefined;
};

/** How a result differs from what was expected, in one sentence; undefined where it does not, or that is not decided. */
export const differenceFrom = (
  { verdict, complete, states, flags }: LitmusResult,
  expected: Expectation,
): string | undefined => {
  // Of a part of the executions no more is known than what it shows.
  if (!complete)
    return verdict === "Allowed" && expected.verdict === "Forbidden" ? "Allowed, not Forbidden as expected" : undefined;
  if (verdict !== expected.verdict) return `${verdict}, not ${expected.verdict} as expected`;
  if (typeof expected.states === "number")
    return states.length === expected.states
      ? undefined
      : `${states.length} final states, not ${expected.states} as expected`;
  const found = new Set(states.map(plain));
  const wanted = new Set(expected.states.map(plain));
  const missing = expected.states.filter((state) => !found.has(plain(state)));
  const extra = states.filter((state) => !wanted.has(plain(state)));
  if (missing.length + extra.length === 0) return differentFlags(flags, expected.flags ?? flags);
  return [
    ...(missing.length > 0 ? [`without the final ${stateWord(missing)} ${missing.join(" and ")}`] : []),
    ...(extra.length > 0
      ? [
          `with the final ${stateWord(extra)} ${extra.join(" and ")} that ${extra.length === 1 ? "was" : "were"} not expected`,
        ]
      : []),
  ].join(", ");
};

const differentFlags = (flags: readonly string[], expected: readonly string[]): string | undefined => {
  const listed = (all: readonly string[]): string => (all.length === 0 ? "no flag" : [...all].sort().join(" and "));
  return listed(flags) === listed(expected) ? undefined : `${listed(flags)}, not ${listed(expected)} as expected`;
};

const stateWord = (states: readonly string[]): string => (states.length === 1 ? "state" : "states");

/** A state whatever the order and the spaces of its parts. */
const plain = (state: string): string =>
  state
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .sort()
    .join(";");
