import { describe, expect, it } from "vitest";
import { createSimulation, enterWindow, leaveWindow, type Progress, store, syncCores } from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { AT, first, only, scenario, strategy } from "./toy/scenario.js";

/** Right, and large enough to be interrupted. */
const large = scenario(
  strategy((flip) => [
    enterWindow("enter", "window"),
    syncCores("sync-1"),
    store("write", AT, first(flip).next),
    syncCores("sync-2"),
    leaveWindow("leave", "window"),
  ]),
  { cpus: 8, interrupts: { irq: true, nmi: true }, ...only("exclusive") },
);
const torn = scenario(
  strategy((flip) => [store("write", AT, first(flip).next)]),
  only("old-or-new"),
);
const { check } = createSimulation({ architecture: toy() });

describe("a run that reaches a limit is inconclusive, never safe", () => {
  it.each([
    ["states", { states: 500 }],
    ["milliseconds", { milliseconds: 1 }],
    ["bytes", { bytes: 1000 }],
  ] as const)("%s", async (limit, bounds) => {
    const verdict = await check(large, { bounds });
    expect(verdict).toMatchObject({ verdict: "inconclusive", limit, bounds });
    expect(verdict.states).toBeGreaterThan(1);
  });

  it("memory is what the caller says it is", async () => {
    let asked = 0;
    const memory = (): number => (++asked < 3 ? 5 : 1001);
    const verdict = await check(large, { bounds: { bytes: 1000 }, memory });
    expect(verdict).toMatchObject({ verdict: "inconclusive", limit: "bytes" });
    expect(asked).toBe(3);
    expect((await check(torn, { bounds: { bytes: 1000 }, memory: () => 999 })).verdict).toBe("unsafe");
  });

  it("it holds for the questions to the graph, too", async () => {
    const whole = scenario(
      strategy(() => []),
      only("progress"),
    );
    expect((await check(whole)).verdict).not.toBe("inconclusive");
    let asked = 0;
    // The search is so short that it measures once; what comes behind it measures for itself.
    const memory = (): number => (asked++ === 0 ? 0 : 2000);
    expect(await check(whole, { bounds: { bytes: 1000 }, memory })).toMatchObject({
      verdict: "inconclusive",
      limit: "bytes",
    });
  });

  it("a limit of as many states as there are is not reached", async () => {
    const whole = await check(torn, { bounds: { states: 100_000 } });
    expect(whole.verdict).toBe("unsafe");
    const safe = scenario(
      strategy(() => []),
      only("fault"),
    );
    const { states } = await check(safe);
    expect(await check(safe, { bounds: { states } })).toMatchObject({ verdict: "safe", states });
    expect(await check(safe, { bounds: { states: states - 1 } })).toMatchObject({
      verdict: "inconclusive",
      limit: "states",
    });
  });

  it("what was found broken before a limit is broken none the less", async () => {
    const verdict = await check(torn, { bounds: { states: 12 } });
    expect(verdict).toMatchObject({ verdict: "unsafe", property: "old-or-new" });
  });

  it("nothing is said about what was not seen: no step is unused, no question empty for want of anybody", async () => {
    expect(await check(large, { bounds: { states: 2 } })).toMatchObject({
      verdict: "inconclusive",
      unused: [],
      notJudged: [],
      notExecuted: [],
    });
  });
});

describe("a run can be watched and ended", () => {
  it("an abort signal ends it", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 60);
    const verdict = await check(large, { signal: controller.signal, reduce: false });
    expect(verdict).toMatchObject({ verdict: "inconclusive", limit: "interrupted" });
  });

  it("so does one that was given already", async () => {
    expect(await check(large, { signal: AbortSignal.abort(), reduce: false })).toMatchObject({
      verdict: "inconclusive",
      limit: "interrupted",
    });
  });

  it("progress is told while it runs", async () => {
    const told: Progress[] = [];
    const controller = new AbortController();
    const onProgress = (progress: Progress): void => {
      told.push(progress);
      if (told.length === 2) controller.abort();
    };
    await check(large, { onProgress, signal: controller.signal, reduce: false });
    expect(told.length).toBeGreaterThanOrEqual(2);
    const states = told.map((progress) => progress.states);
    expect([...states].sort((a, b) => a - b)).toEqual(states);
    for (const { frontier, depth, rate } of told) {
      expect(frontier).toBeGreaterThan(0);
      expect(depth).toBeGreaterThan(0);
      expect(rate).toBeGreaterThan(0);
    }
  });
});
