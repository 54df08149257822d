import type { Outcomes, Repairs, Verdict } from "@cmodx/core";
import { breathe, type Io, type ProgressLine } from "./io.js";
import { progressText } from "./judge.js";
import { type Budget, memoryInUse } from "./limits.js";
import type { Subject } from "./subject.js";

/** What a check can tell beside its verdict. */
export type Extras = {
  readonly repairs: Repairs | null;
  readonly outcomes: Outcomes | null;
  /** The first stronger fetch model under which a site of a binary is safe; null where there is none, or it was not asked. */
  readonly stronger: string | null;
};

/** States that a repair is looked for in; what is undecided then is said to be. Work, not time: the answer is the same everywhere. */
const REPAIR_STATES = 400_000;

/** Looks for the one added synchronisation that repairs an unsafe scenario; null when it is not unsafe. */
export const repairsOf = async (
  { simulation, scenario }: Subject,
  verdict: Verdict,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
): Promise<Repairs | null> => {
  if (verdict.verdict !== "unsafe") return null;
  await breathe();
  return simulation.repairs(scenario, {
    bounds: budget.left(),
    memory: memoryInUse,
    states: REPAIR_STATES,
    signal: io.signal,
    counterexample: verdict.trace,
    onTry: (tried, candidates) => progress.show(`looks for a repair: ${tried} of ${candidates} additions tried`),
  });
};

/** Lists all that the CPUs can execute at the sites. */
export const outcomesOf = async (
  { simulation, scenario }: Subject,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
): Promise<Outcomes> => {
  await breathe();
  const outcomes = await simulation.outcomes(scenario, {
    bounds: budget.left(),
    memory: memoryInUse,
    signal: io.signal,
    onProgress: (how) => progress.show(`lists the outcomes: ${progressText(how)}`),
  });
  return { ...outcomes, bounds: budget.asked };
};
