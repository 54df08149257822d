import { countedProperties, createSimulation, eventProperties, InputError, type Verdict } from "@cmodx/core";
import { StateGraph, TooManyStates } from "./graph.js";
import { progressOf } from "./progress.js";
import type { RandomScenario } from "./scenarios.js";

/** What the explorer and the naive search say of a scenario, in the same words. */
export type Comparison = {
  /** The verdict, and which property the explorer puts first. */
  readonly answer: string;
  readonly states: number;
  /** Where they differ; empty where they agree. */
  readonly differences: readonly string[];
};

const brokenOf = (verdict: Verdict): readonly string[] =>
  verdict.verdict === "unsafe" ? [...verdict.broken.map(({ property }) => property), ...verdict.alsoBroken].sort() : [];

/**
 * Compares the explorer with the naive search; undefined where the scenario has more states than `most`. The explorer is asked three times:
 * as everybody asks it, for everything that breaks with no violation before it, and with its states as sets from the first one on.
 */
export const compareWithNaive = async (
  { architecture, scenario }: RandomScenario,
  most: number,
): Promise<Comparison | undefined> => {
  const simulation = createSimulation({ architecture });
  const counted = countedProperties(scenario);
  const bounds = { states: most };
  let asked: Verdict;
  let graph: StateGraph;
  try {
    asked = await simulation.check(scenario, { bounds });
    if (asked.verdict === "inconclusive") return undefined;
    const judges = eventProperties.filter(({ id }) => counted.has(id));
    graph = new StateGraph(simulation.machine(scenario), judges, most);
  } catch (error) {
    // What a run finds out does not fit together is refused by both.
    if (error instanceof TooManyStates || error instanceof InputError) return undefined;
    throw error;
  }
  const broken = new Set(graph.broken);
  if (broken.size === 0 && counted.has("progress") && progressOf(graph) !== "kept") broken.add("progress");
  const verdict = broken.size === 0 ? "safe" : "unsafe";
  const whole = await simulation.check(scenario, { beyond: Number.MAX_SAFE_INTEGER, shortest: false });
  const sets = await simulation.check(scenario, { singly: 0 });
  const differences: string[] = [];
  const expect = (what: string, found: unknown, wanted: unknown): void => {
    if (String(found) !== String(wanted)) differences.push(`${what}: ${String(found)}, naive ${String(wanted)}`);
  };
  const said = asked.verdict === "unsafe" ? "unsafe" : "safe";
  expect("verdict", said, verdict);
  expect(
    "broken",
    brokenOf(whole).filter((id) => counted.has(id as never)),
    [...broken].sort(),
  );
  expect("broken in sets", brokenOf(sets), [...broken].sort());
  if (sets.verdict === "unsafe" && graph.broken.size > 0)
    expect("steps of the counterexample in sets", sets.trace.length, graph.shortest);
  if (asked.verdict === "unsafe" && graph.broken.size > 0) {
    expect("steps of the counterexample", asked.trace.length, graph.shortest);
    for (const { property } of asked.broken) if (!broken.has(property)) expect("property", property, [...broken]);
  }
  return { answer: asked.verdict === "unsafe" ? `unsafe: ${asked.property}` : said, states: graph.size, differences };
};
