import { createSimulation, type FinalStatesOptions, finalStates } from "@cmodx/core";
import { aarch64 } from "./aarch64.js";
import { compileTest } from "./compile.js";
import { outcomeReader } from "./outcome.js";
import { parseLitmus } from "./parse.js";
import { riscv } from "./riscv.js";
import { fetchModelOf, type LitmusTarget, unknownTarget } from "./target.js";
import type { Quantifier } from "./test.js";

/** The answer to a litmus test. */
export type LitmusResult = {
  readonly name: string;
  readonly file: string;
  /** The id of the fetch model under which it was run. */
  readonly fetch: string;
  /** Whether the proposition can be true; inconclusive where the search ended before it was. */
  readonly verdict: "Allowed" | "Forbidden" | "Inconclusive";
  /** How often it is; unknown where the search ended before that was clear. */
  readonly observation: "Never" | "Sometimes" | "Always" | "Unknown";
  /** Final states of which the proposition is true and false. */
  readonly positive: number;
  readonly negative: number;
  readonly quantifier: Quantifier;
  /** The condition as it is written. */
  readonly condition: string;
  /** The condition, quantifier included, holds. */
  readonly ok: boolean;
  readonly states: readonly string[];
  readonly flags: readonly string[];
  /** All executions were explored, and not only as many states as were to be. */
  readonly complete: boolean;
  /** What was explored decides whether the condition holds. */
  readonly decided: boolean;
  /** States of the machine that were explored. */
  readonly explored: number;
  readonly seconds: number;
};

/** Architectures whose tests can be run. */
const targets: readonly LitmusTarget[] = [aarch64, riscv];

/** How a litmus test is run. */
export type LitmusOptions = FinalStatesOptions & {
  /** The id of the fetch model, whatever the file says: `none`, `idc` or `idc+dic` of AArch64; `zifencei`, `ziccif` or `ziccid` of RISCV. */
  readonly fetch?: string;
};

const targetOf = (architecture: string): LitmusTarget => {
  const target = targets.find(({ name }) => name === architecture);
  if (target !== undefined) return target;
  throw unknownTarget(
    architecture,
    targets.map(({ name }) => name),
  );
};

/**
 * The ids of the fetch models that names stand for in a litmus test, each once; `all` stands for every one of its architecture.
 * Throws InputError for a file that is no test and a name that it does not have.
 */
export const litmusFetchModels = (text: string, file: string, names: readonly string[]): readonly string[] => {
  const target = targetOf(parseLitmus(text, file, targetOf).test.architecture);
  return [...new Set(names.flatMap((name) => (name === "all" ? target.fetchModels : [fetchModelOf(target, name)])))];
};

/** Explores every execution of a litmus test. Throws InputError for a file that is none or asks for what is not modelled. */
export const runLitmus = (text: string, file: string, options: LitmusOptions = {}): LitmusResult => {
  const began = performance.now();
  const { test, source } = parseLitmus(text, file, targetOf);
  const target = targetOf(test.architecture);
  const compiled = compileTest(test, source, target, options.fetch);
  const machine = createSimulation({ architecture: compiled.architecture }).machine(compiled.scenario);
  const read = outcomeReader(compiled, target);
  const found = finalStates(machine, options);
  const states = new Map<string, boolean>();
  const flags = new Set(compiled.flags);
  for (const view of found.finals) {
    const state = read(view);
    if (state === undefined) continue;
    states.set(state.text, state.holds);
    for (const flag of target.flagsOf(view, machine)) flags.add(flag);
  }
  if (states.size === 0 && found.complete)
    throw source.error(
      `There is nothing to answer: no execution comes to its end${test.filter === null ? "" : " with what the filter lets through"}.`,
      0,
    );
  const positive = [...states.values()].filter((holds) => holds).length;
  const negative = states.size - positive;
  const isMixed = positive > 0 && negative > 0;
  const observation = isMixed ? "Sometimes" : !found.complete ? "Unknown" : positive === 0 ? "Never" : "Always";
  const { quantifier } = test;
  const decided = found.complete || (quantifier === "forall" ? negative > 0 : positive > 0);
  return {
    name: test.name,
    file,
    fetch: compiled.architecture.fetch.id,
    verdict: positive > 0 ? "Allowed" : found.complete ? "Forbidden" : "Inconclusive",
    complete: found.complete,
    decided,
    observation,
    positive,
    negative,
    quantifier,
    condition: test.condition,
    ok:
      decided && (quantifier === "exists" ? positive > 0 : quantifier === "~exists" ? positive === 0 : negative === 0),
    states: [...states.keys()].sort(),
    flags: [...flags].sort(),
    explored: found.states,
    seconds: (performance.now() - began) / 1000,
  };
};
