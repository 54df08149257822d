import { createSimulation, eventsOf, type PatchStrategy, type Verdict } from "@cmodx/core";
import { fetchModels, x86 } from "@cmodx/x86";
import { describe, expect, test } from "vitest";
import { behindBreakpoint, firstByteLast } from "../index.js";

/** In development mode, which freezes every state and checks that no rule does more than it declares. */
const check = (strategy: PatchStrategy, fetch: string): Promise<Verdict> =>
  createSimulation({ architecture: x86({ fetch }), development: true }).check({
    name: strategy.id,
    sites: [{ address: 0xffffffff8100003en, old: "nop5", new: "call" }],
    patchers: [{ strategy, sites: [0], flips: 2 }],
    cpus: 2,
  });

describe.each(fetchModels.map(({ id }) => id))("a strategy from another package is judged under %s", (fetch) => {
  test("first-byte-last: a CPU runs the old first byte with a new tail", async () => {
    const verdict = await check(firstByteLast(), fetch);
    expect(verdict.verdict).toBe("unsafe");
    if (verdict.verdict !== "unsafe") return;
    const [last] = eventsOf(verdict.trace.at(-1)?.observed ?? [], "execute");
    expect(last).toMatchObject({ matched: [] });
    expect(last?.bytes).toMatch(/^0f/);
  });

  test("behind-breakpoint: safe, and every step was taken", async () => {
    const verdict = await check(behindBreakpoint(), fetch);
    expect(verdict).toMatchObject({ verdict: "safe", unused: [], notPromised: [] });
  });
});
