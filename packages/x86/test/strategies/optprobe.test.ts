import { createSimulation } from "@cmodx/core";
import { optprobe, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { allBroken, answers, CROSSING, check, environments, profiles, scenario } from "../protocols/check.js";

const site = optprobe().defaultSite as string;
const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("optprobe over two instructions", () => {
  it.each(environments)("is safe under all profiles, with %s", async (_, environment) => {
    expect(await answers(optprobe(), { site, offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
  });

  it("is not empty, and every step was taken", async () => {
    for (const profile of profiles)
      expect(await check(profile, optprobe(), { site })).toMatchObject({ verdict: "safe", unused: [] });
  });

  it.each(environments)("without the RCU-tasks wait is unsafe under all profiles, with %s", async (_, environment) => {
    const verdicts = await answers(optprobe({ waitForTasks: false }), { site, offset: CROSSING, ...environment });
    expect(verdicts).toEqual(everywhere("unsafe: mid-sequence"));
  });

  it("waits between the synchronisation after the breakpoint and the tail", () => {
    const { layout } = createSimulation({ architecture: x86() }).machine(scenario(optprobe(), { site }));
    const steps = layout.steps[0] ?? [];
    const order = ["write-int3", "sync-1", "wait-tasks", "write-tail", "sync-2", "write-first"];
    expect(steps.filter((id) => order.includes(id))).toEqual(order);
  });

  it("the wait itself is what counts: dropped, it is as if it had not been planned", async () => {
    expect(await answers(optprobe(), { site, patcher: { drop: ["wait-tasks"] } })).toEqual(
      everywhere("unsafe: mid-sequence"),
    );
  });

  it("is safe over five instructions as over two, and without the wait none of them is safe to stand at", async () => {
    const five = { site: "nop+nop+nop+nop+nop:jmp", preempt: true };
    expect(await answers(optprobe(), five)).toEqual(everywhere("safe"));
    expect(await answers(optprobe({ waitForTasks: false }), five)).toEqual(everywhere("unsafe: mid-sequence"));
  });

  it("armed without an IPI before the wait is torn: the old first byte with the jump's tail", async () => {
    const verdicts = await answers(optprobe(), { site, offset: CROSSING, patcher: { drop: ["sync-1"] } });
    expect(verdicts).toEqual({
      intel: "unsafe: old-or-new",
      "intel-otc": "unsafe: old-or-new",
      amd: "unsafe: old-or-new",
      "amd-ordered": "unsafe: old-or-new",
      coherent: expect.stringMatching(/^unsafe/),
    });
  });

  it("counted as not optimised before its instructions are back, a trap resumes in the jump's operand", async () => {
    expect(await answers(optprobe({ clearEarly: true }), { site })).toEqual(everywhere("unsafe: mid-sequence"));
    expect(allBroken(await check("intel", optprobe({ clearEarly: true }), { site }))).toContain("mid-sequence");
  });

  it("needs a jump that takes the place of all on one side", async () => {
    await expect(check("intel", optprobe(), { site: "nop5:call" })).rejects.toThrow("has to be a jump");
    await expect(check("intel", optprobe(), { site: "jmp:jmp .+0x80" })).rejects.toThrow("has to be a jump");
  });
});
