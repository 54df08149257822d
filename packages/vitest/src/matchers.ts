import { type CheckOptions, createSimulation, type Scenario, type SimulationOptions, type Verdict } from "@cmodx/core";
import { verdictText } from "@cmodx/view";
import { brokenBy } from "./answers.js";

/** What a test asks: a scenario on an architecture; `how` it is looked for, as for `check` of a simulation. */
export type Question = SimulationOptions & { readonly scenario: Scenario; readonly how?: CheckOptions };

type Result = { readonly pass: boolean; readonly message: () => string };

const ask = ({ scenario, how, ...options }: Question): Promise<Verdict> =>
  createSimulation(options).check(scenario, how);

/** The verdict, why, and the run that shows it. */
const shown = (verdict: Verdict, { scenario, how: _, ...options }: Question): string =>
  `${scenario.name}: ${verdictText(createSimulation(options).machine(scenario), verdict).trimEnd()}`;

/** The matchers, for `expect.extend`; to import the package does that. */
export const matchers = {
  /** Everything was seen, and nothing broke. */
  async toBeSafe(question: Question): Promise<Result> {
    const verdict = await ask(question);
    return { pass: verdict.verdict === "safe", message: () => shown(verdict, question) };
  },
  /** Some run breaks this property, whatever others break beside it. */
  async toBreak(question: Question, property: string): Promise<Result> {
    const verdict = await ask(question);
    const pass = brokenBy(verdict).some((each) => each === property);
    return { pass, message: () => `Asked for: ${pass ? "not " : ""}unsafe: ${property}\n${shown(verdict, question)}` };
  },
};
