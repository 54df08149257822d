import {
  createSimulation,
  type FinalStatesOptions,
  finalStates,
  type Machine,
  type StateView,
  windowOfCpu,
} from "@cmodx/core";
import { aarch64 } from "./aarch64.js";
import { compileTest } from "./compile.js";
import { outcomeReader } from "./outcome.js";
import { parseLitmus } from "./parse.js";
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
const targets: readonly LitmusTarget[] = [aarch64];

/** What herd7 flags an execution with that ends in a state. */
const flagsOf = ({ cpus, memory }: StateView, { layout }: Machine): readonly string[] => {
  const modified = Object.entries(memory.cells).filter(
    ([key, { latest }]) => layout.cells.get(BigInt(`0x${key}`)) !== latest,
  );
  return [
    ...(cpus.some((cpu) => windowOfCpu(cpu).raced === true) ? ["violates-CMODX-requirements"] : []),
    ...(modified.length > 1 ? ["Assuming-no-two-modified-instructions-are-on-the-same-cache-line"] : []),
  ];
};

/** Explores every execution of a litmus test. Throws InputError for a file that is none or asks for what is not modelled. */
export const runLitmus = (text: string, file: string, options: FinalStatesOptions = {}): LitmusResult => {
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
  const compiled = compileTest(test, source, target);
  const machine = createSimulation({ architecture: compiled.architecture }).machine(compiled.scenario);
  const found = finalStates(machine, options);
  const read = outcomeReader(compiled, target);
  const states = new Map<string, boolean>();
  const flags = new Set(compiled.flags);
  for (const view of found.finals) {
    const state = read(view);
    if (state === undefined) continue;
    states.set(state.text, state.holds);
    for (const flag of flagsOf(view, machine)) flags.add(flag);
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
