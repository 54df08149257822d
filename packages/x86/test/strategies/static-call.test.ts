import { createSimulation, type PatchProgram, type Scenario } from "@cmodx/core";
import { staticCall, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answers, CROSSING, check, environments, LINE, profiles } from "../protocols/check.js";

const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("static-call", () => {
  it.each([staticCall().defaultSite as string, "call:nop5", "jmp:ret+int3+int3+int3+int3", "jmp:jmp .+0x80"])(
    "%s is safe under all profiles",
    async (site) => {
      for (const offset of [0, CROSSING])
        expect(await answers(staticCall(), { site, offset })).toEqual(everywhere("safe"));
      for (const profile of profiles)
        expect(await check(profile, staticCall(), { site })).toMatchObject({ verdict: "safe" });
    },
  );

  it.each(environments)("is safe on its default site, with %s", async (_, environment) => {
    const site = staticCall().defaultSite as string;
    expect(await answers(staticCall(), { site, offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
  });

  it.each(["call:jmp", "call:ret+nop4", "nop5:mov eax, 1"])("%s is no static call", async (site) => {
    await expect(check("intel", staticCall(), { site })).rejects.toThrow("is no change of a static call");
  });

  it("sets the key's function before it touches a site, and patches one site at a time", async () => {
    const scenario: Scenario = {
      name: "two sites of a key",
      sites: [0n, 16n].map((offset) => ({ address: LINE + offset, old: "call", new: "nop5" })),
      patchers: [{ strategy: staticCall(), sites: [0, 1], flips: 1 }],
      cpus: 2,
    };
    for (const profile of profiles)
      expect(await createSimulation({ architecture: x86({ fetch: profile }) }).check(scenario)).toMatchObject({
        verdict: "safe",
      });
    const { layout } = createSimulation({ architecture: x86() }).machine(scenario);
    const steps = layout.steps[0] ?? [];
    expect(steps.indexOf("set-func")).toBeLessThan(steps.indexOf("write-int3.0"));
    expect(steps.indexOf("write-first.0")).toBeLessThan(steps.indexOf("write-int3.1"));
    expect(createSimulation({ architecture: x86() }).simulate(scenario).ipiRounds).toBe(6);
  });

  it("the key holds the function that the site goes to, or none", () => {
    const plan = (old: readonly number[], next: readonly number[]): PatchProgram => {
      const planned = staticCall().plan(
        { sites: [{ address: 0x1000n, old, next }] },
        { instructionSet: x86().instructionSet, mode: "", cpus: 2, reports: {} },
      );
      if ("impossible" in planned) throw new Error(planned.impossible);
      return planned;
    };
    const [call, nop5] = [
      [0xe8, 0xfb, 0x0f, 0, 0],
      [0x0f, 0x1f, 0x44, 0, 0],
    ];
    const func = (program: PatchProgram) => program.main.find(({ id }) => id === "set-func");
    expect(func(plan(nop5, call))).toMatchObject({ args: { value: 0x2000n } });
    expect(func(plan(call, nop5))).toMatchObject({ args: { value: null } });
  });
});
