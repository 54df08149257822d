import { type PatchStrategy, publishEvent, store, syncCores } from "@cmodx/core";
import { int3, int3Batch } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answer, answers, CROSSING, check, environments, type Options, profiles } from "./check.js";

const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));
const traced: Options = { properties: ["trace"] };

/** One aligned store with events around it, and all CPUs synchronised before the second. */
const aroundStore: PatchStrategy = {
  ...int3(),
  id: "store-between-events",
  summary: "an event, the store, all CPUs synchronised, another event",
  promises: ["trace"],
  plan: ({ sites: [site] }) => {
    if (site === undefined) return { impossible: "there is no site." };
    return {
      main: [
        publishEvent("event-pre", site, { begins: true }),
        store("write", site.address, site.next, { width: 8 }),
        syncCores("sync"),
        publishEvent("event-post", site),
      ],
    };
  },
};

describe("a trace decoder, on x86", () => {
  it.each(environments)("can always tell what int3 made a CPU run, with %s", async (_, environment) => {
    // trace.slow.ts has both strategies at both offsets.
    expect(await answers(int3({ events: true }), { ...environment, offset: CROSSING })).toEqual(everywhere("safe"));
  });

  it("can tell it of int3-batch", async () => {
    expect(await answers(int3Batch({ events: true }))).toEqual(everywhere("safe"));
  });

  it("needs the event to come while all CPUs fetch the INT3", async () => {
    const events = int3({ events: true });
    const early: PatchStrategy = {
      ...events,
      plan: (flip, context) => {
        const plan = events.plan(flip, context);
        if ("impossible" in plan) return plan;
        const event = plan.main.filter(({ id }) => id === "event");
        const rest = plan.main.filter(({ id }) => id !== "event");
        return { ...plan, main: rest.flatMap((line) => (line.id === "sync-1" ? [...event, line] : [line])) };
      },
    };
    expect(await answers(early, traced)).toEqual({ ...everywhere("unsafe: trace"), coherent: "safe" });
    for (const drop of ["sync-1", "event"])
      expect(answer(await check("amd", events, { ...traced, patcher: { drop: [drop] } })), drop).toBe("unsafe: trace");
  });

  it("cannot tell what ran between two events around a store", async () => {
    expect(await answers(aroundStore, traced)).toEqual(everywhere("unsafe: trace"));
    const verdict = await check("amd", aroundStore, traced);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    expect(verdict.why).toMatch(/no event and no branch tells whether the old or the new one/);
    expect(verdict.trace.at(-1)?.step).toBe("event-post");
  });

  it("tells two versions by the branches that they leave", async () => {
    // A return is an indirect branch, which a no-operation is not.
    const distinct = { ...traced, site: "nop:ret" };
    expect(await answers(aroundStore, distinct)).toEqual(everywhere("safe"));
    expect(await answers(aroundStore, { ...traced, site: "nop2:jmp8" })).toEqual(everywhere("unsafe: trace"));
  });

  it("is not there where nobody publishes events", async () => {
    expect(await answers(int3(), traced)).toEqual(everywhere("vacuous"));
  });
});
