import { createSimulation, type FinalStatesOptions, finalStates } from "@cmodx/core";
import { aarch64 } from "./aarch64.js";
import { compileTest } from "./compile.js";
import { outcomeReader } from "./outcome.js";
import { parseLitmus } from "./parse.js";
import { riscv } from "./riscv.js";
import { type LitmusTarget, unknownTarget } from "./target.js";
import type { Quantifier } from "./test.js";

/** The answer to a litmus test. */
export type LitmusResult = {
  readonly name: string;
  readonly file: string;
  /** Whether the proposition can be true. */
  readonly verdict: "Allowed" | "Forbidden";
  readonly observation: "Never" | "Sometimes" | "Always";
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
  /** States of the machine that were explored. */
  readonly explored: number;
  readonly seconds: number;
};

/** Architectures whose tests can be run. */
const targets: readonly LitmusTarget[] = [aarch64, riscv];

/** How a litmus test is run. */
export type LitmusOptions = FinalStatesOptions & {
  /** How instructions are fetched, as a line of the file says it: in its place. */
  readonly fetch?: string;
};

/** Explores every execution of a litmus test. Throws InputError for a file that is none or asks for what is not modelled. */
export const runLitmus = (text: string, file: string, options: LitmusOptions = {}): LitmusResult => {
  const began = performance.now();
  const { test, source } = parseLitmus(text, file);
  const target = targets.find(({ name }) => name === test.architecture);
  if (target === undefined) {
    const { message } = unknownTarget(
      test.architecture,
      targets.map(({ name }) => name),
    );
    throw source.error(message, 0);
  }
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
  const positive = [...states.values()].filter((holds) => holds).length;
  const negative = states.size - positive;
  const observation = positive === 0 ? "Never" : negative === 0 ? "Always" : "Sometimes";
  const { quantifier } = test;
  return {
    name: test.name,
    file,
    verdict: positive === 0 ? "Forbidden" : "Allowed",
    observation,
    positive,
    negative,
    quantifier,
    condition: test.condition,
    ok: quantifier === "exists" ? positive > 0 : quantifier === "~exists" ? positive === 0 : negative === 0,
    states: [...states.keys()].sort(),
    flags: [...flags].sort(),
    explored: found.states,
    seconds: (performance.now() - began) / 1000,
  };
};
