import { createSimulation } from "@cmodx/core";
import { bypassOf2008, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answer, answers, CROSSING, check, environments, profiles, scenario } from "../protocols/check.js";

const site = bypassOf2008().defaultSite as string;
const synchronised = bypassOf2008({ syncAfterValue: true, syncAfterFirst: true });
const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("bypass-2008 as posted", () => {
  it.each(environments)("is safe under coherent alone, with %s", async (_, environment) => {
    for (const offset of [0, CROSSING]) {
      const verdicts = await answers(bypassOf2008(), { site, offset, ...environment });
      expect(verdicts).toEqual({
        intel: "unsafe: old-or-new",
        "intel-otc": "unsafe: trap-owned",
        // In one quadword the value cannot tear, but an INT3 that is still fetched finds the handler unregistered.
        amd: offset === 0 ? "unsafe: trap-owned" : "unsafe: old-or-new",
        // In order nothing tears.
        "amd-ordered": "unsafe: trap-owned",
        coherent: "safe",
      });
    }
  });

  it("waits for handlers by synchronize_sched alone: without it, the INT3 finds nobody even under coherent", async () => {
    const dropped = { site, patcher: { drop: ["synchronize-sched"] } };
    expect(answer(await check("coherent", bypassOf2008(), dropped))).toBe("unsafe: trap-owned");
    expect(answer(await check("coherent", bypassOf2008(), { ...dropped, preempt: true }))).toBe("unsafe: trap-owned");
  });

  it("takes every step", async () => {
    expect(await check("coherent", bypassOf2008(), { site })).toMatchObject({ unused: [] });
  });
});

describe("bypass-2008's text_poke", () => {
  const steps = (code: string) => {
    const { machine } = createSimulation({ architecture: x86() });
    return (
      machine(scenario(bypassOf2008(), { site: code, patcher: { flips: 1 } })).layout.steps[0]?.filter(
        (id) => !id.startsWith("handler"),
      ) ?? []
    );
  };

  it("synchronises its own CPU after each store", async () => {
    expect(steps(site).filter((id) => /^write/.test(id))).toEqual(
      ["int3", "value", "first"].flatMap((name) => [`write-${name}`, `write-${name}-self`]),
    );
    // On its own CPU nobody runs what is half changed.
    const alone = { site, cpus: 1, interrupts: { irq: true, nmi: true } };
    expect(answer(await check("intel", bypassOf2008(), alone))).toBe("safe");
    const drop = ["write-value-self", "write-first-self"];
    expect(answer(await check("intel", bypassOf2008(), { ...alone, patcher: { drop } }))).toMatch(/^unsafe/);
  });

  it("is not called where the code holds the value already", () => {
    expect(steps("mov eax, 1:mov eax, 1")).toEqual(["lock", "unlock"]);
  });
});

describe("bypass-2008 with synchronisations after the value and after the first byte", () => {
  it.each(environments)("is safe under all profiles, with %s", async (_, environment) => {
    expect(await answers(synchronised, { site, offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
  });

  it("needs both under intel", async () => {
    const afterFirst = await check("intel", bypassOf2008({ syncAfterFirst: true }), { site });
    const afterValue = await check("intel", bypassOf2008({ syncAfterValue: true }), { site });
    expect([answer(afterFirst), answer(afterValue)]).toEqual(["unsafe: old-or-new", "unsafe: trap-owned"]);
  });

  it("needs under intel-otc the one after the first byte alone", async () => {
    expect(answer(await check("intel-otc", bypassOf2008({ syncAfterFirst: true }), { site }))).toBe("safe");
  });

  it("needs the first, which all have", async () => {
    const verdicts = await answers(synchronised, { site, offset: CROSSING, patcher: { drop: ["sync-int3"] } });
    expect(verdicts).toEqual(everywhere("unsafe: old-or-new"));
  });
});

describe("bypass-2008 and other code", () => {
  it.each(["nop5:call", "mov eax, 1:mov ecx, 1", "mov eax, ecx+nop3:mov eax, 1"])("refuses %s", async (other) => {
    await expect(check("intel", bypassOf2008(), { site: other })).rejects.toThrow(
      "more than the value of one instruction",
    );
  });
});
