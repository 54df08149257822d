import { describe, expect, it } from "vitest";
import {
  type CheckOptions,
  claim,
  createSimulation,
  lock,
  type Scenario,
  step,
  store,
  syncCores,
  unlock,
  waitRcuTasks,
} from "../src/index.js";
import { toy, untilSync } from "./toy/architecture.js";
import { randomProtocol } from "./toy/random.js";
import { AT, first, only, scenario, strategy } from "./toy/scenario.js";

const simulation = createSimulation({ architecture: toy({ fetch: untilSync, cpu: { trapsMask: true } }) });

const torn = scenario(
  strategy((flip) => [store("write", AT, first(flip).next)]),
  only("old-or-new"),
);
const trap = store("trap", AT, [0x02]);
const endless = scenario(
  strategy(() => [trap], { program: () => ({ traps: { brk: [step("again", "restart"), claim()] } }) }),
  only("progress"),
);
const ends = scenario(
  strategy(() => [syncCores("sync")]),
  only("progress"),
);
const waits = scenario(
  strategy(() => [lock("lock", "text"), waitRcuTasks("grace"), unlock("unlock", "text")]),
  { cpus: 2, preempt: true, ...only("progress") },
);

/** A signal that is aborted as soon as somebody asks it from inside a function or a class of this name. */
const abortedIn = (name: string): { readonly signal: AbortSignal; readonly asked: () => boolean } => {
  let asked = false;
  const signal = {
    get aborted() {
      asked ||= new Error().stack?.includes(name) === true;
      return asked;
    },
  } as AbortSignal;
  return { signal, asked: () => asked };
};

describe("an abort signal is looked at wherever a check may be long", () => {
  const full = { bounds: { bytes: 1 }, memory: () => 0 };
  it.each<[where: string, name: string, of: Scenario, how: CheckOptions]>([
    ["while states are visited", "Search.run", torn, {}],
    ["while the way with the fewest switches is looked for", "FewestSwitches", torn, {}],
    ["while any way is", "someWay", torn, full],
    ["while it is asked from where everything can finish", "reaching", ends, { reduce: false }],
    ["while fair cycles are looked for", "FairCycles", endless, {}],
    ["while sets of states are explored", "reachableFrom", torn, { singly: 0 }],
    ["while sets are asked from where everything can finish", "neverReaching", ends, { singly: 0 }],
    ["while fair runs are looked for in sets", "FairRuns", waits, { singly: 0 }],
  ])("%s", async (_, name, of, how) => {
    const { signal, asked } = abortedIn(name);
    expect(await simulation.check(of, { ...how, signal })).toMatchObject({
      verdict: "inconclusive",
      limit: "interrupted",
    });
    expect(asked()).toBe(true);
  });

  it.each(["shortestWays", "backFrom"])("while the nearest set that breaks is looked for: %s", async (name) => {
    const { signal, asked } = abortedIn(name);
    const verdict = await simulation.check(torn, { singly: 0, signal });
    expect([asked(), verdict]).toMatchObject([true, { verdict: "unsafe", shortest: false }]);
  });

  it("while repairs and outcomes are looked for", async () => {
    const { found, undecided, candidates } = await simulation.repairs(torn, { signal: abortedIn("Search.run").signal });
    expect({ found, undecided: undecided.length }).toEqual({ found: [], undecided: candidates });
    expect((await simulation.outcomes(torn, { signal: abortedIn("Listing").signal })).limit).toBe("interrupted");
  });
});

describe("a counterexample needs no more memory than there is", () => {
  it("without that for the fewest switches between CPUs it is as short", async () => {
    const protocols = Array.from({ length: 8 }, (_, seed) => randomProtocol(seed)).map((each) => each.scenario);
    let compared = 0;
    for (const of of [torn, ...protocols]) {
      const asked = { ...of, ignore: ["progress"] as const };
      const how: CheckOptions = { bounds: { states: 1_000 } };
      const verdict = await simulation.check(asked, how);
      const scarce = await simulation.check(asked, { ...how, bounds: { ...how.bounds, bytes: 1 }, memory: () => 0 });
      expect(scarce.verdict).toBe(verdict.verdict);
      if (verdict.verdict !== "unsafe" || scarce.verdict !== "unsafe") continue;
      expect([scarce.property, scarce.trace.length]).toEqual([verdict.property, verdict.trace.length]);
      compared++;
    }
    expect(compared).toBeGreaterThan(2);
  });
});
