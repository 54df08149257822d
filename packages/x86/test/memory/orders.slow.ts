import { createSimulation, type Scenario, type Verdict } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { fetchModels, strategies, x86 } from "../../src/index.js";

/*
 * Where no data race matters, the sequential and the architectural order give the same verdicts: every strategy of x86 ends with
 * what drains the store buffer, and publishes to its handlers in the order in which it stores.
 */

const scenario = (strategy: (typeof strategies)[number], more: Partial<Scenario>): Scenario => {
  const [old = "", next = ""] = (strategy.defaultSite as string).split(":").map((code) => code.replaceAll("+", "\n"));
  return {
    name: strategy.id,
    sites: [{ address: 0xffff_ffff_8100_003cn, old, new: next }],
    patchers: [{ strategy, sites: [0], flips: 1 }],
    cpus: 2,
    ...more,
  };
};

const answer = (verdict: Verdict): string =>
  verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;

describe("where an interrupt overtakes a store that nothing drained it does", () => {
  const nine = strategies.find(({ id }) => id === "int3-2010-nine") as (typeof strategies)[number];

  it("the nine steps without text_poke's own sync_core: who traps after the interrupt finds the fix-up cleared", async () => {
    const { check } = createSimulation({ architecture: x86({ fetch: "coherent" }) });
    const patchers = [{ strategy: nine, sites: [0], flips: 1, drop: ["sync-self"] }];
    expect(answer(await check(scenario(nine, { patchers })))).toBe("safe");
    const verdict = await check(scenario(nine, { patchers, memory: "architectural" }));
    expect(answer(verdict)).toBe("unsafe: trap-owned");
    const at = (of: (step: { readonly rule: string; readonly step: string | null }) => boolean): number =>
      verdict.verdict === "unsafe" ? verdict.trace.findIndex(of) : -1;
    expect(at(({ step }) => step === "wait-handlers")).toBeGreaterThan(at(({ step }) => step === "write-first"));
    const drained = verdict.verdict === "unsafe" ? verdict.trace.findLastIndex(({ rule }) => rule === "drain") : -1;
    expect(drained).toBeGreaterThan(at(({ step }) => step === "wait-handlers"));
  });
});

describe.each(fetchModels.map(({ id }) => id))("under %s the memory order changes no verdict", (fetch) => {
  const { check, machine } = createSimulation({ architecture: x86({ fetch }) });
  // aligned-store refuses sites over two lines.
  const checked = strategies.filter(({ id }) => id !== "aligned-store");

  it.each(checked.map((strategy) => [strategy.id, strategy] as const))("on %s", async (_id, strategy) => {
    for (const interrupts of [{}, { nmi: true }]) {
      const sequential = await check(scenario(strategy, { interrupts }), { beyond: 0 });
      const architectural = await check(scenario(strategy, { interrupts, memory: "architectural" }), { beyond: 0 });
      expect(answer(architectural)).toBe(answer(sequential));
      expect(machine(scenario(strategy, { memory: "architectural" })).order.id).toBe("tso");
    }
  });
});
