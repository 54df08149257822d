import type { Bounds, Broken, Machine, TraceStep, Verdict } from "@cmodx/core";
import type { BrokenJson, CounterexampleJson, CounterexampleStepJson, Json, VerdictJson } from "./json.js";
import { sitesInMemory } from "./sight.js";
import { tell } from "./tell.js";
import { renderTimeline, type TimelineOptions } from "./timeline.js";
import { valuesOf } from "./values.js";
import { wrap } from "./wrap.js";

/** A value as plain data: 64-bit numbers become strings such as `"0xffffffff81000000"`, and what is undefined is left out. */
export const toPlain = (value: unknown): Json => {
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== "object" || value === null) return (value ?? null) as Json;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, toPlain(field)]));
};

/** A counterexample as plain data. `loop`: the index of the step at which it begins to repeat. */
export const counterexampleToJson = (
  machine: Machine,
  trace: readonly TraceStep[],
  loop: number | undefined,
): CounterexampleJson => ({ steps: stepsToJson(machine, trace), loop: loop === undefined ? null : loop + 1 });

const stepsToJson = (machine: Machine, trace: readonly TraceStep[]): readonly CounterexampleStepJson[] =>
  trace.map((step, i) => {
    const { observed, before: _, after, ...choice } = step;
    return {
      number: i + 1,
      does: tell(step, machine).text,
      ...choice,
      observed: observed.map(({ what, detail }) => ({ what, detail: toPlain(detail) })),
      memory: sitesInMemory(machine, after),
    };
  });

/** What the last step of a trace breaks, with the values that it is about. */
export const brokenToJson = (
  machine: Machine,
  trace: readonly TraceStep[],
  broken: readonly Broken[],
): readonly BrokenJson[] =>
  broken.map(({ property, why }) => ({ property, why, values: valuesOf(property, machine, trace) }));

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
        ? `It is not known for more than ${cpusText(verdict.numbers?.to ?? 0)}. ${verdict.numbers?.why ?? ""}`.trim()
        : limitText(verdict.limit, verdict.bounds);
  }
};

const cpusText = (cpus: number): string => `${cpus} CPU${cpus === 1 ? "" : "s"}`;

/** Which limit ended a run, in one sentence. */
export const limitText = (limit: keyof Bounds | "interrupted", bounds: Bounds): string => {
  switch (limit) {
    case "states":
      return `The limit of ${bounds.states} states was reached.`;
    case "bytes":
      return `The limit of ${(bounds.bytes ?? 0) / 1e6} megabytes was reached.`;
    case "milliseconds":
      return `The limit of ${(bounds.milliseconds ?? 0) / 1000} seconds was reached.`;
    case "interrupted":
      return "The run was interrupted.";
  }
};

/**
 * A verdict as plain data that `JSON.stringify` takes, with the counterexample in words. `machine`: that of the scenario
 * (`createSimulation(options).machine(scenario)`). The fields are those of `cmodx check --json`.
 */
export const verdictToJson = (machine: Machine, verdict: Verdict): VerdictJson => ({
  verdict: verdict.verdict,
  property: verdict.verdict === "unsafe" ? verdict.property : null,
  why: whyOf(verdict),
  broken: verdict.verdict === "unsafe" ? brokenToJson(machine, verdict.trace, verdict.broken) : [],
  alsoBroken: verdict.verdict === "unsafe" ? verdict.alsoBroken : [],
  states: verdict.states,
  transitions: verdict.transitions,
  seconds: verdict.seconds,
  numbers: verdict.numbers ?? null,
  otherwise: (verdict.verdict === "unsafe" ? verdict.otherwise : undefined) ?? null,
  notJudged: verdict.notJudged,
  notExecuted: verdict.notExecuted,
  emptyWaits: verdict.emptyWaits,
  otherOrder: verdict.otherOrder ?? null,
  unused: verdict.unused,
  notPromised: verdict.notPromised,
  faults: verdict.faults,
  opaque: (verdict.opaque ?? []).map(({ at, text }) => ({ at: `0x${at.toString(16)}`, text })),
  counterexample:
    verdict.verdict === "unsafe"
      ? { ...counterexampleToJson(machine, verdict.trace, verdict.loop), shortest: verdict.shortest }
      : null,
});

/**
 * A verdict for people: the answer and its reason; where it is unsafe, the run that breaks it as a timeline, and the values that the broken
 * properties are about. `machine`: that of the scenario. Ends with a line feed.
 */
export const verdictText = (
  machine: Machine,
  verdict: Verdict,
  options: Omit<TimelineOptions, "loop"> = {},
): string => {
  const { width = 100 } = options;
  const why = whyOf(verdict);
  const beyond = verdict.numbers?.beyond === true ? `, with any number of CPUs from ${verdict.numbers.from} on` : "";
  if (verdict.verdict !== "unsafe")
    return `${wrap(`${verdict.verdict}${beyond}${why === null ? "" : `. ${why}`}`, width).join("\n")}\n`;
  const { trace, loop, broken, alsoBroken } = verdict;
  const timeline = renderTimeline(machine, trace, { ...options, ...(loop === undefined ? {} : { loop }) });
  const about = brokenToJson(machine, trace, broken).flatMap(({ property, why: each, values }) => [
    ...wrap(`${property}: ${each}`, width, "  "),
    ...values.flatMap((told) => wrap(`${told.name}: ${told.value}`, width - 2, "  ").map((line) => `  ${line}`)),
  ]);
  const others =
    alsoBroken.length === 0 ? [] : wrap(`also broken, by other steps: ${alsoBroken.join(", ")}`, width, "  ");
  const title = wrap(`unsafe: ${broken.map(({ property }) => property).join(", ")}`, width);
  return `${[...title, "", timeline.trimEnd(), "", ...about, ...others].join("\n")}\n`;
};
