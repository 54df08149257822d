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

  it("a limit of as many states as there are is not reached", async () => {
    const whole = await check(torn, { bounds: { states: 100_000 } });
    expect(whole.verdict).toBe("unsafe");
    const safe = scenario(
      strategy(() => []),
      only("old-or-new"),
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
    await check(large, { onProgress: (progress) => told.push(progress), bounds: { states: 150_000 }, reduce: false });
    expect(told.length).toBeGreaterThan(0);
    const states = told.map((progress) => progress.states);
    expect([...states].sort((a, b) => a - b)).toEqual(states);
    for (const { frontier, depth, rate } of told) {
      expect(frontier).toBeGreaterThan(0);
      expect(depth).toBeGreaterThan(0);
      expect(rate).toBeGreaterThan(0);
    }
  });
});
