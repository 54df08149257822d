import { literal, staticCall } from "@cmodx/arm64";
import type { PatchStrategy } from "@cmodx/core";
import { storeData } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { answer, answers, check, environments, everywhere, profiles } from "../protocols/check.js";

describe.each([literal(), staticCall()].map((strategy) => [strategy.id, strategy] as const))("%s", (_, strategy) => {
  it("is safe with one store of data and nothing else", async () => {
    for (const [name, environment] of environments)
      expect(await answers(strategy, environment), name).toEqual(everywhere("safe"));
    for (const profile of profiles)
      expect(await check(profile, strategy)).toMatchObject({ verdict: "safe", notPromised: [] });
  });

  it("stores the literal whole: two halves would lead nowhere", async () => {
    const halves: PatchStrategy = {
      ...strategy,
      plan: (flip, context) => {
        const plan = strategy.plan(flip, context);
        const [site] = flip.sites;
        if ("impossible" in plan || site === undefined) return plan;
        const main = plan.main.map((line) =>
          line.id === "write-literal" ? storeData(line.id, site.address, site.next, { width: 1 }) : line,
        );
        return { ...plan, main };
      },
    };
    expect(answer(await check("none", halves, { site: ".quad target:.quad 0x1111111111111111" }))).toBe(
      "unsafe: old-or-new",
    );
  });

  it("needs eight bytes at a multiple of 8", async () => {
    await expect(check("none", strategy, { offset: 4 })).rejects.toThrow("a literal is eight bytes at a multiple of 8");
    await expect(check("none", strategy, { site: "nop:b" })).rejects.toThrow("a literal is eight bytes");
  });
});

describe("a literal's value", () => {
  it("is a number, or the site's own target or callee", async () => {
    await expect(check("none", literal(), { site: ".quad nowhere:.quad 1" })).rejects.toThrow(".quad takes a number");
    expect(answer(await check("none", literal(), { site: ".quad 0xffff800008020000:.quad target" }))).toBe("safe");
  });

  it("that nobody stores is old after the call has returned", async () => {
    expect(await answers(literal(), { patcher: { drop: ["write-literal"] } })).toEqual(everywhere("unsafe: done"));
  });
});
