import {
  type Bounds,
  type Broken,
  countedProperties,
  type Machine,
  type Outcomes,
  type PropertyId,
  type Repairs,
  type TraceStep,
  tell,
  toHex,
  type Verdict,
} from "@cmodx/core";
import type { Extras } from "./extras.js";
import type {
  BoundsJson,
  BrokenJson,
  CheckJson,
  CounterexampleJson,
  CounterexampleStepJson,
  OutcomesJson,
  RepairJson,
  SiteJson,
} from "./json.js";
import type { Judged } from "./judge.js";
import { limitsOf, megabytesOf } from "./limits.js";
import type { Subject } from "./subject.js";
import { count, hex } from "./text.js";
import { sitesInMemory } from "./timeline/sight.js";
import { valuesOf } from "./timeline/values.js";

/** The sites of a machine as JSON. */
export const sitesOf = (machine: Machine): readonly SiteJson[] =>
  machine.layout.sites.map(({ address, versions, origin }) => {
    const [old, next] = versions;
    const text = ({ instructions }: typeof old): string => instructions.map((each) => each.text).join("+");
    return {
      address: hex(address),
      offset: Number(address % 64n),
      old: text(old),
      new: text(next),
      oldBytes: toHex(old.bytes),
      newBytes: toHex(next.bytes),
      origin: origin ?? null,
    };
  });

/** What a verdict about a subject is bounded by. */
export const boundsJson = (
  { request, scenario, simulation, machine, architecture, variations }: Subject,
  verdict: Verdict,
): BoundsJson => {
  const patchers = scenario.patchers.map(({ strategy, sites, flips, drop = [], add = [] }) => ({
    strategy: strategy.id,
    sites,
    flips,
    drop,
    add: add.map(({ line }) => line.id),
  }));
  const flips = patchers.map((patcher) => patcher.flips);
  return {
    architecture,
    fetch: { id: machine.fetch.id, source: machine.fetch.source },
    memory: scenario.memory ?? "sequential",
    decoder: verdict.decoder ?? null,
    cpus: scenario.cpus,
    flips: flips.includes("forever") ? "forever" : Math.max(0, ...flips.map(Number)),
    flipsWhy: ("flipsWhy" in request ? request.flipsWhy : undefined) ?? null,
    strategyWhy: ("strategyWhy" in request ? request.strategyWhy : undefined) ?? null,
    irq: machine.irq,
    nmi: machine.nmi,
    nestedIret: machine.guardsNmis ? "guarded" : "unguarded",
    preempt: scenario.preempt ?? false,
    user: machine.user,
    sites: sitesOf(machine),
    patchers,
    variations,
    plugins: verdict.plugins ?? [],
    properties: [...countedProperties(scenario, simulation.properties(scenario))],
    limits: limitsOf(verdict.bounds),
    reached: verdict.verdict === "inconclusive" ? verdict.limit : null,
  };
};

/** A counterexample as JSON. `loop`: the index of the step at which it begins to repeat. */
export const counterexampleJson = (
  machine: Machine,
  trace: readonly TraceStep[],
  loop: number | undefined,
): CounterexampleJson => ({ steps: stepsJson(machine, trace), loop: loop === undefined ? null : loop + 1 });

/** The steps of a counterexample as JSON. */
const stepsJson = (machine: Machine, trace: readonly TraceStep[]): readonly CounterexampleStepJson[] =>
  trace.map((step, i) => {
    const { observed, before: _, after, ...choice } = step;
    return {
      number: i + 1,
      does: tell(step, machine).text,
      ...choice,
      observed,
      memory: sitesInMemory(machine, after),
    };
  });

/** What the last step of a trace breaks, with the values that it is about. */
export const brokenJson = (
  machine: Machine,
  trace: readonly TraceStep[],
  broken: readonly Broken[],
): readonly BrokenJson[] =>
  broken.map(({ property, why }) => ({ property, why, values: valuesOf(property, machine, trace) }));

const repairJson = ({ tried, candidates, states, undecided, found }: Repairs): RepairJson => ({
  tried,
  candidates,
  states,
  complete: undecided.length === 0,
  undecided: undecided.map(({ addition }) => addition.line.id),
  found: found.map(({ patcher, synchronisation, addition }) => ({
    add: addition.line.id,
    kind: synchronisation.kind,
    after: addition.after,
    inside: addition.inside ?? null,
    patcher,
  })),
});

const outcomesJson = ({ outcomes, limit, states, seconds }: Outcomes): OutcomesJson => ({
  complete: limit === null,
  reached: limit,
  states,
  seconds,
  list: outcomes.map((outcome) => ({ ...outcome, address: hex(outcome.address) })),
});

/** Why a verdict is what it is, in one sentence; null when it is safe. */
export const whyOf = (verdict: Verdict): string | null => {
  switch (verdict.verdict) {
    case "safe":
      return null;
    case "vacuous":
      return verdict.reason;
    case "unsafe":
      return verdict.why;
    case "inconclusive":
      return verdict.limit === "cpus"
        ? `It is not known for more than ${count(verdict.numbers?.to ?? 0, "CPU")}. ${verdict.numbers?.why ?? ""}`.trim()
        : limitText(verdict.limit, verdict.bounds);
  }
};

/** What breaks in the sequential order alone; null where that did not break anything, or decided. */
export const sequentialOf = ({ otherOrder }: Verdict): PropertyId | null =>
  otherOrder?.memory === "sequential" ? otherOrder.property : null;

/** Which limit ended a run, in one sentence. */
export const limitText = (limit: keyof Bounds | "interrupted", bounds: Bounds): string => {
  const { states, seconds } = limitsOf(bounds);
  switch (limit) {
    case "states":
      return `The limit of ${states} states was reached.`;
    case "bytes":
      return `The limit of ${megabytesOf(bounds.bytes ?? 0)} megabytes was reached.`;
    case "milliseconds":
      return `The limit of ${seconds} seconds was reached.`;
    case "interrupted":
      return "The run was interrupted.";
  }
};

/** The document of `cmodx check --json`. */
export const checkJson = (
  { subject, verdict, run, offsets, models }: Judged,
  { repairs, outcomes, stronger }: Extras,
  saved: string | null,
): CheckJson => ({
  schema: "cmodx/check/1",
  verdict: verdict.verdict,
  property: verdict.verdict === "unsafe" ? verdict.property : null,
  why: whyOf(verdict),
  broken: verdict.verdict === "unsafe" ? brokenJson(subject.machine, verdict.trace, verdict.broken) : [],
  alsoBroken: verdict.verdict === "unsafe" ? verdict.alsoBroken : [],
  states: verdict.states,
  transitions: verdict.transitions,
  seconds: verdict.seconds,
  bounds: boundsJson(subject, verdict),
  numbers: verdict.numbers ?? null,
  otherwise: (verdict.verdict === "unsafe" ? verdict.otherwise : undefined) ?? null,
  notJudged: verdict.notJudged,
  notExecuted: verdict.notExecuted,
  emptyWaits: verdict.emptyWaits,
  otherOrder: verdict.otherOrder ?? null,
  unused: verdict.unused,
  notPromised: verdict.notPromised,
  faults: verdict.faults,
  opaque: (verdict.opaque ?? []).map(({ at, text }) => ({ at: hex(at), text })),
  interruptsPerFlip: run === null ? null : run.interrupts / run.flips,
  ipiRoundsPerFlip: run === null ? null : run.ipiRounds / run.flips,
  counterexample:
    verdict.verdict === "unsafe"
      ? { ...counterexampleJson(subject.machine, verdict.trace, verdict.loop), shortest: verdict.shortest }
      : null,
  stronger,
  repair: repairs === null ? null : repairJson(repairs),
  outcomes: outcomes === null ? null : outcomesJson(outcomes),
  offsets,
  models,
  saved,
});
