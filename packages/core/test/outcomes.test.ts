import { describe, expect, it } from "vitest";
import {
  createSimulation,
  eventsOf,
  type Outcomes,
  type OutcomesOptions,
  outcomesBeyond,
  type Scenario,
  store,
  syncCores,
} from "../src/index.js";
import { outcomesAgree } from "./random-searches.js";
import { granules, strict, type ToyOptions, toy, untilSync } from "./toy/architecture.js";
import { AT, first, scenario, strategy } from "./toy/scenario.js";

const list = (of: Scenario, architecture: ToyOptions = {}, options: OutcomesOptions = {}): Promise<Outcomes> =>
  createSimulation({ architecture: toy(architecture), development: true }).outcomes(of, options);

outcomesAgree([0, 15, 30]);

describe("a listing", () => {
  const inTwo = strategy((flip) => [
    store("tail", AT + 1n, first(flip).next.slice(1)),
    store("first", AT, first(flip).next.slice(0, 1)),
  ]);

  it("goes on behind the first violation", async () => {
    const simulation = createSimulation({ architecture: toy() });
    const of = scenario(inTwo, { patcher: { flips: 2 } });
    const verdict = await simulation.check(of, { beyond: 0 });
    if (verdict.verdict !== "unsafe") throw new Error("Two stores without synchronisation tear.");
    const { outcomes, limit } = await list(of);
    expect(limit).toBeNull();
    const shown = new Set(
      verdict.trace.flatMap(({ observed }) => eventsOf(observed, "execute").map(({ bytes }) => bytes)),
    );
    const torn = outcomes.filter(({ kind }) => kind === "torn");
    expect(torn.length).toBeGreaterThan(1);
    expect(torn.some(({ bytes }) => !shown.has(bytes))).toBe(true);
    // What only the second call leads to comes behind any violation of the first.
    expect(outcomes.find(({ kind }) => kind === "old")?.outside).toBe(true);
    expect(outcomes.find(({ kind }) => kind === "new")?.late).toBe(true);
  });

  it("tells stale from fresh, and between two stores from never in memory", async () => {
    const { outcomes } = await list(scenario(inTwo), { fetch: untilSync });
    const torn = outcomes.filter(({ kind }) => kind === "torn");
    expect(torn.some(({ fresh }) => fresh)).toBe(true);
    expect(torn.some(({ fresh, stale }) => stale && !fresh)).toBe(true);
    const whole = strategy((flip) => [store("whole", AT, first(flip).next, { width: 4 })]);
    const coherent = await list(scenario(whole), { fetch: granules });
    expect(coherent.outcomes.map(({ kind, fresh, stale }) => ({ kind, fresh, stale }))).toEqual([
      { kind: "old", fresh: true, stale: false },
      { kind: "new", fresh: true, stale: false },
    ]);
  });

  it("names the CPUs: the patcher's own executes the site in its interrupts alone", async () => {
    const { outcomes } = await list(scenario(inTwo, { cpus: 3, interrupts: { nmi: true } }));
    const [boot, others] = [0, 2].map((cpu) => outcomes.filter(({ cpus }) => cpus.includes(cpu)));
    expect(new Set(boot?.flatMap(({ levels }) => levels))).toEqual(new Set(["nmi"]));
    expect(new Set(others?.flatMap(({ levels }) => levels))).toEqual(new Set(["task", "nmi"]));
    for (const { cpus } of outcomes) expect(cpus.includes(1)).toBe(cpus.includes(2));
    const quiet = await list(scenario(inTwo, { cpus: 3 }));
    expect(new Set(quiet.outcomes.flatMap(({ cpus }) => cpus))).toEqual(new Set([1, 2]));
  });

  it("says what the fetch model refuses", async () => {
    const { outcomes } = await list(scenario(inTwo), { fetch: strict });
    const torn = outcomes.filter(({ kind }) => kind === "torn");
    expect(torn.every(({ refused }) => refused.length > 0)).toBe(true);
  });

  it("is compared with another by place and bytes", async () => {
    const whole = strategy((flip) => [store("whole", AT, first(flip).next, { width: 4 }), syncCores("sync")]);
    const [coherent, bytewise] = await Promise.all([
      list(scenario(whole), { fetch: granules }),
      list(scenario(inTwo), { fetch: untilSync }),
    ]);
    expect(outcomesBeyond(coherent.outcomes, bytewise.outcomes)).toEqual([]);
    const more = outcomesBeyond(bytewise.outcomes, coherent.outcomes);
    expect(more.length).toBeGreaterThan(0);
    expect(more.every(({ kind }) => kind === "torn")).toBe(true);
  });

  it("that a bound or the user cut short says so", async () => {
    expect((await list(scenario(inTwo), {}, { bounds: { states: 3 } })).limit).toBe("states");
    const aborted = await list(
      scenario(inTwo, { cpus: 4, interrupts: { nmi: true, irq: true } }),
      {},
      { signal: AbortSignal.abort() },
    );
    expect(aborted.limit).toBe("interrupted");
  });
});
