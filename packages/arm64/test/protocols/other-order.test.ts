import { arm64, nosync, nosyncIpi } from "@cmodx/arm64";
import { createSimulation, type Patcher, type Scenario, type Verdict, waitRcuTasks } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { AT, answer, answers, check, everywhere, scenario } from "./check.js";

const PLT = AT + 0x100n;
const TRACER = AT + 0x200n;

/** A module's PLT entry is filled, cleaned and invalidated before the first branch to it is stored. */
const filled = (more: Partial<Scenario> = {}, drop: readonly string[] = []): Scenario => ({
  name: "a module PLT",
  sites: [
    { address: PLT, old: "udf 0", new: `b 0x${TRACER.toString(16)}` },
    { address: AT, old: "nop", new: `bl 0x${PLT.toString(16)}` },
  ],
  blocks: [{ address: TRACER, code: "ret" }],
  patchers: [{ strategy: nosync(), sites: [0, 1], flips: 1, drop }],
  executors: [{ entries: [AT] }],
  cpus: 2,
  ...more,
});

const checked = (of: Scenario, fetch = "none"): Promise<Verdict> =>
  createSimulation({ architecture: arm64({ fetch }) }).check(of);

describe("where the sequential order is an over-approximation, the architectural one decides", () => {
  it.each(["none", "idc"])("%s: a PLT that is invalidated before it is branched to is safe", async (fetch) => {
    expect(answer(await checked(filled({ memory: "sequential" }), fetch))).toBe("unsafe: rule");
    const architectural = await checked(filled({ memory: "architectural" }), fetch);
    expect(architectural.verdict).toBe("safe");
    expect(architectural.otherOrder).toBeUndefined();
    const verdict = await checked(filled(), fetch);
    expect(verdict).toMatchObject({
      verdict: "safe",
      states: architectural.states,
      otherOrder: { memory: "sequential", verdict: "unsafe", property: "rule" },
    });
    expect(verdict.otherOrder?.why).toContain("was executed while it was changed");
  });

  it("what neither finds safe is unsafe, with the simpler counterexample", async () => {
    const verdict = await checked(filled({}, ["write.0-invalidate", "write.0-clean"]));
    expect(verdict).toMatchObject({ otherOrder: { memory: "architectural", verdict: "unsafe" } });
    const sequential = await checked(filled({ memory: "sequential" }, ["write.0-invalidate", "write.0-clean"]));
    expect(answer(verdict)).toBe(answer(sequential));
    expect(verdict.verdict === "unsafe" && verdict.trace.map(({ rule }) => rule)).toEqual(
      sequential.verdict === "unsafe" && sequential.trace.map(({ rule }) => rule),
    );
  });

  it("what it does not decide within a limit stays unsafe", async () => {
    const { check: limited } = createSimulation({ architecture: arm64({ fetch: "none" }) });
    const bounds = { states: 40 };
    expect(await limited(filled(), { bounds })).toMatchObject({
      verdict: "unsafe",
      bounds,
      otherOrder: { memory: "architectural", verdict: "inconclusive", property: null },
    });
  });

  it("also where tasks are waited for to switch, which does not synchronise", async () => {
    const add = [{ after: "unlock", line: waitRcuTasks("wait") }];
    const waiting = scenario(nosync(), { site: "nop:b", patcher: { flips: 1, add }, properties: ["done"] });
    expect(await checked(waiting)).toMatchObject({
      verdict: "unsafe",
      property: "done",
      otherOrder: { memory: "architectural", verdict: "unsafe" },
    });
    const between = [{ after: "write.0-isb", line: waitRcuTasks("wait") }];
    const [patcher] = filled().patchers;
    expect(await checked(filled({ patchers: [{ ...(patcher as Patcher), add: between }] }))).toMatchObject({
      verdict: "safe",
      otherOrder: { memory: "sequential", verdict: "unsafe" },
    });
  });

  it("what is safe, or asked of one order, is not asked again", async () => {
    expect((await check("none", nosyncIpi())).otherOrder).toBeUndefined();
    expect((await checked(filled({ memory: "sequential" }))).otherOrder).toBeUndefined();
  });
});

describe("what may not be changed while it is executed, in the architectural order", () => {
  it("breaks `rule` under every cache type, however the fetches lag", async () => {
    const site = "nop:ret";
    expect(await answers(nosync(), { site, memory: "architectural" })).toEqual(everywhere("unsafe: rule"));
    expect((await checked(scenario(nosync(), { site: "nop:b", memory: "architectural" }), "idc+dic")).verdict).toBe(
      "safe",
    );
  });
});
