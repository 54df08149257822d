import { createSimulation } from "@cmodx/core";
import { alignedStore, plainStore, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { allBroken, answer, answers, CROSSING, check, environments, profiles, scenario } from "./check.js";

const everywhere = (verdict: string): { readonly [profile: string]: string } =>
  Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("plain-store", () => {
  it("byte by byte is unsafe under all profiles, wherever the site lies", async () => {
    expect(await answers(plainStore())).toEqual(everywhere("unsafe: old-or-new"));
    expect(await answers(plainStore(), { offset: CROSSING })).toEqual(everywhere("unsafe: old-or-new"));
  });

  it("the torn instruction is decoded", async () => {
    for (const profile of profiles) {
      const verdict = await check(profile, plainStore());
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      // The first byte of the call over the operands of the nop.
      expect(verdict.why).toBe(
        "The CPU executed call 0xffffffff81004424 (bytes e81f440000) at 0xffffffff81000000, which is neither the old nor the new instruction there.",
      );
      expect(verdict.trace.map(({ cpu, rule }) => `${cpu} ${rule}`)).toEqual([
        "0 beginCall",
        "0 lock",
        "0 store",
        "1 execute",
      ]);
    }
  });

  it("a saved counterexample replays to the same violation, and a trace of another model is refused", async () => {
    for (const profile of profiles) {
      const simulation = createSimulation({ architecture: x86({ fetch: profile }) });
      const of = scenario(plainStore());
      const verdict = await simulation.check(of);
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      const saved = JSON.parse(JSON.stringify(await simulation.save(of, verdict)));
      const replayed = await simulation.replay(of, saved);
      expect(replayed.broken).toEqual(verdict.broken);
      expect(replayed.trace).toEqual(verdict.trace);
      const other = createSimulation({ architecture: x86({ fetch: profiles.find((id) => id !== profile) as string }) });
      await expect(other.replay(of, saved)).rejects.toThrow("another model");
    }
  });

  it("eight at a time is whole where an aligned quadword is, and a line is not crossed", async () => {
    expect(await answers(plainStore({ width: 8 }))).toEqual({
      ...everywhere("unsafe: old-or-new"),
      amd: "safe",
      "amd-ordered": "safe",
      coherent: "safe",
    });
    expect(await answers(plainStore({ width: 8 }), { offset: CROSSING })).toEqual(everywhere("unsafe: old-or-new"));
    // Across a quadword, inside a 32-byte block.
    expect(await answers(plainStore({ width: 8 }), { offset: 7 })).toMatchObject({
      amd: "unsafe: old-or-new",
      coherent: "safe",
    });
  });

  it("eight at a time, the second of two instructions is of the first one's version where both are in one block", async () => {
    const both = { site: "jmp8+mov eax, 1+nop:mov ecx, 1+mov bl, 2+nop", patcher: { flips: 1 } };
    const whole = { amd: "unsafe: mid-sequence", "amd-ordered": "safe", coherent: "safe" };
    for (const memory of ["sequential", "architectural"] as const) {
      expect(await answers(plainStore({ width: 8 }), { ...both, memory }), memory).toMatchObject(whole);
      const unaligned = await answers(plainStore({ width: 8 }), { ...both, memory, offset: 60 });
      expect(unaligned, memory).toMatchObject({ amd: "unsafe: mid-sequence", coherent: "unsafe: mid-sequence" });
    }
  });

  it("of a one-byte instruction breaks Intel's rule, unless INT3 is one of the two", async () => {
    expect(await answers(plainStore(), { site: "nop:ret" })).toEqual({
      intel: "unsafe: rule",
      "intel-otc": "unsafe: rule",
      amd: "safe",
      "amd-ordered": "safe",
      coherent: "safe",
    });
    const trapped = await check("intel", plainStore(), { site: "nop:int3", patcher: { flips: 1 } });
    expect(allBroken(trapped)).not.toContain("rule");
  });
});

describe("aligned-store", () => {
  it.each(environments)("never breaks old-or-new under amd and coherent, with %s", async (_, environment) => {
    for (const profile of ["amd", "coherent"])
      expect(answer(await check(profile, alignedStore(), environment)), profile).toBe("safe");
  });

  it("needs its synchronisation for `done` under amd, not under coherent", async () => {
    const without = { patcher: { drop: ["sync"] } };
    expect(answer(await check("amd", alignedStore(), without))).toBe("unsafe: done");
    expect(allBroken(await check("amd", alignedStore(), without))).toEqual(["done"]);
    expect(answer(await check("coherent", alignedStore(), without))).toBe("safe");
  });

  it("breaks the rule of Intel's manual", async () => {
    for (const profile of ["intel", "intel-otc"]) {
      const verdict = await check(profile, alignedStore());
      expect(allBroken(verdict)).toContain("rule");
      expect(answer(await check(profile, alignedStore(), { properties: ["rule"] }))).toBe("unsafe: rule");
    }
  });

  it("cannot be done where the site crosses a quadword", async () => {
    await expect(check("amd", alignedStore(), { offset: 4 })).rejects.toThrow(
      "the 5 bytes at 0xffffffff81000004 cross an aligned 8-byte word",
    );
    expect(answer(await check("amd", alignedStore(), { offset: 3 }))).toBe("safe");
  });
});
