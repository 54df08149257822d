import {
  countedProperties,
  type Machine,
  type Outcomes,
  type PropertyId,
  type Repairs,
  toHex,
  type Verdict,
} from "@cmodx/core";
import { verdictToJson } from "@cmodx/view";
import type { Extras } from "./extras.js";
import type { BoundsJson, CheckJson, OutcomesJson, RepairJson, SiteJson } from "./json.js";
import type { Judged } from "./judge.js";
import { limitsOf } from "./limits.js";
import type { Subject } from "./subject.js";
import { hex } from "./text.js";

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

/** What breaks in the sequential order alone; null where that did not break anything, or decided. */
export const sequentialOf = ({ otherOrder }: Verdict): PropertyId | null =>
  otherOrder?.memory === "sequential" ? otherOrder.property : null;

/** The document of `cmodx check --json`. */
export const checkJson = (
  { subject, verdict, run, offsets, models }: Judged,
  { repairs, outcomes, stronger }: Extras,
  saved: string | null,
): CheckJson => ({
  schema: "cmodx/check/1",
  ...verdictToJson(subject.machine, verdict),
  bounds: boundsJson(subject, verdict),
  interruptsPerFlip: run === null ? null : run.interrupts / run.flips,
  ipiRoundsPerFlip: run === null ? null : run.ipiRounds / run.flips,
  stronger,
  repair: repairs === null ? null : repairJson(repairs),
  outcomes: outcomes === null ? null : outcomesJson(outcomes),
  offsets,
  models,
  saved,
});
