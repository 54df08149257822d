import { type CheckOptions, InputError, type Progress, type Run, type Scenario, type Verdict } from "@cmodx/core";
import type { Catalogue } from "./catalogue.js";
import { isInputError } from "./errors.js";
import { breathe, type Io, type ProgressLine } from "./io.js";
import type { ModelJson, OffsetJson } from "./json.js";
import { type Budget, memoryInUse } from "./limits.js";
import type { Request } from "./request.js";
import { type Subject, subjectOf } from "./subject.js";
import { count, thousands } from "./text.js";

/** A verdict with what it is about and what the strategy costs. */
export type Judged = {
  readonly subject: Subject;
  readonly verdict: Verdict;
  /** One interleaving without interference; null when it does not come to an end. */
  readonly run: Run | null;
  /** The verdict at each place in the line that the site can have. */
  readonly offsets: readonly OffsetJson[];
  /** The verdict under each fetch model, where several were asked for. */
  readonly models: readonly ModelJson[];
};

/** Whether it is about every number of CPUs. */
export type Numbers = Pick<CheckOptions, "cpus">;

/** Checks one model. The subject that comes back is the model that the verdict is about: the memory order may have been left open. */
const judge = async (
  subject: Subject,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
  numbers: Numbers,
): Promise<{ readonly subject: Subject; readonly verdict: Verdict }> => {
  await breathe();
  const verdict = await subject.simulation.check(subject.scenario, {
    ...numbers,
    bounds: budget.left(),
    memory: memoryInUse,
    signal: io.signal,
    onProgress: (how) => progress.show(progressText(how)),
  });
  return { subject: decidedIn(subject, verdict), verdict: { ...verdict, bounds: budget.asked } };
};

const decidedIn = (subject: Subject, { otherOrder, numbers }: Verdict): Subject => {
  const sequential = otherOrder?.memory === "sequential";
  if (!sequential && numbers === undefined) return subject;
  // What is known of any number is told of the last that was checked.
  const cpus = numbers === undefined ? {} : { cpus: Math.max(numbers.from, numbers.to) };
  const scenario: Scenario = { ...subject.scenario, ...cpus, ...(sequential ? { memory: "architectural" } : {}) };
  return {
    ...subject,
    request: { ...subject.request, ...cpus },
    scenario,
    machine: subject.simulation.machine(scenario),
  };
};

/** How far a run is, in one line. */
export const progressText = ({ states, frontier, depth, nodes, rate }: Progress): string =>
  nodes === null
    ? `${count(states, "state")}, frontier ${thousands(frontier)}, depth ${depth}, ${thousands(Math.round(rate))} states/s`
    : `${count(states, "state")} in sets over ${count(frontier, "shared part")}, ${count(nodes, "node")}`;

/**
 * Checks every request and gives the worst answer: they differ in the place that the site has in its line.
 * Throws the {@link InputError} of the first when none can be checked.
 */
export const judgeWorst = async (
  requests: readonly Request[],
  catalogue: Catalogue,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
  numbers: Numbers = {},
): Promise<Judged> => {
  const offsets: OffsetJson[] = [];
  let worst: { readonly subject: Subject; readonly verdict: Verdict } | undefined;
  let refusal: InputError | undefined;
  for (const request of requests) {
    try {
      const made = await subjectOf(request, catalogue, io.cwd);
      const { subject, verdict } = await judge(made, budget, io, progress, numbers);
      offsets.push({ offset: offsetOf(subject), ...summary(verdict) });
      if (worst === undefined || badness(verdict) > badness(worst.verdict)) worst = { subject, verdict };
    } catch (error) {
      if (!isInputError(error) || requests.length === 1) throw error;
      refusal ??= error;
      offsets.push({ offset: Number(BigInt("site" in request ? request.site.address : 0) % 64n), ...refused(error) });
    }
  }
  if (worst === undefined) throw refusal ?? new InputError("There is nothing to check.", { code: "usage" });
  return { ...worst, run: runOf(worst.subject), offsets, models: [] };
};

/** What is asked of one fetch model: its id, and a request for each place that the site can have. */
export type ModelRequests = { readonly fetch: string; readonly requests: readonly Request[] };

/**
 * Checks what is asked of each of several fetch models and gives the worst answer. A model under which nothing can be checked is listed as
 * `impossible`. Throws the {@link InputError} of the first when that are all.
 */
export const judgeModels = async (
  asked: readonly ModelRequests[],
  catalogue: Catalogue,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
  numbers: Numbers = {},
): Promise<Judged> => {
  const models: ModelJson[] = [];
  let worst: Judged | undefined;
  let refusal: InputError | undefined;
  for (const { fetch, requests } of asked) {
    try {
      const judged = await judgeWorst(requests, catalogue, budget, io, progress, numbers);
      models.push({ fetch, ...summary(judged.verdict) });
      if (worst === undefined || badness(judged.verdict) > badness(worst.verdict)) worst = judged;
    } catch (error) {
      if (!isInputError(error)) throw error;
      refusal ??= error;
      models.push({ fetch, ...refused(error) });
    }
  }
  if (worst === undefined) throw refusal ?? new InputError("There is nothing to check.", { code: "usage" });
  return { ...worst, models };
};

const offsetOf = ({ machine }: Subject): number => Number((machine.layout.sites[0]?.address ?? 0n) % 64n);

/** Of two unsafe ones the one with the shorter counterexample is worse to have. */
const badness = (verdict: Verdict): number => {
  if (verdict.verdict === "unsafe") return 4 + 1 / verdict.trace.length;
  if (verdict.verdict === "inconclusive") return 2;
  return verdict.verdict === "vacuous" ? 1 : 0;
};

const summary = (verdict: Verdict) => ({
  verdict: verdict.verdict,
  property: verdict.verdict === "unsafe" ? verdict.property : null,
  states: verdict.states,
  seconds: verdict.seconds,
  why: verdict.verdict === "unsafe" ? verdict.why : null,
});

const refused = (error: InputError) => ({
  verdict: "impossible" as const,
  property: null,
  states: 0,
  seconds: 0,
  why: error.message,
});

/** What one undisturbed run costs; a program with steps left out may never end. */
const runOf = ({ simulation, scenario }: Subject): Run | null => {
  const forever = scenario.patchers.some(({ flips }) => flips === "forever");
  try {
    const run = simulation.simulate(scenario, forever ? { flips: 2 } : {});
    return run.flips === 0 ? null : run;
  } catch (error) {
    if (isInputError(error)) return null;
    throw error;
  }
};
