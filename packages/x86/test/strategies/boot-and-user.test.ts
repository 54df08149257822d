import { alternatives, int3Membarrier, selfJump } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answer, answers, CROSSING, check, environments, type Options, profiles } from "../protocols/check.js";

const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("alternatives", () => {
  const site = alternatives().defaultSite as string;
  const alone: Options = { site, cpus: 1 };
  const irq = { interrupts: { irq: true } };
  const nmi = { interrupts: { nmi: true } };

  it("are safe on the only CPU, whose interrupts and NMIs run the code before and after", async () => {
    for (const interrupts of [irq, nmi]) {
      for (const offset of [0, CROSSING])
        expect(await answers(alternatives(), { ...alone, offset, ...interrupts })).toEqual(everywhere("safe"));
      expect(await check("intel", alternatives(), { ...alone, ...interrupts })).toMatchObject({ verdict: "safe" });
    }
    expect(await check("intel", alternatives(), alone)).toMatchObject({ verdict: "vacuous" });
  });

  it("harm nobody while the others are not yet up", async () => {
    const notUp: Options = { site, cpus: 3, executors: [{ count: 0 }], ...irq };
    expect((await check("coherent", alternatives(), { ...notUp, patcher: { flips: 1 } })).verdict).toBe("unsafe");
    expect((await check("coherent", alternatives(), { site, cpus: 3, executors: [{ count: 0 }] })).verdict).toBe(
      "vacuous",
    );
  });

  it("need their NMIs and interrupts off, and the synchronisation", async () => {
    const without = (drop: readonly string[], more: Options) =>
      answers(alternatives(), { ...alone, ...more, patcher: { drop } });
    expect(await without(["stop-nmi"], nmi)).toEqual(everywhere("unsafe: old-or-new"));
    expect(await without(["irq-off"], irq)).toEqual(everywhere("unsafe: old-or-new"));
    expect(await without(["sync"], irq)).toMatchObject({
      intel: "unsafe: old-or-new",
      amd: "unsafe: old-or-new",
      coherent: "safe",
    });
  });

  it("are unsafe once another CPU is up", async () => {
    expect(await answers(alternatives(), { site })).toEqual(everywhere("unsafe: old-or-new"));
  });
});

describe("self-jump", () => {
  const site = selfJump().defaultSite as string;

  it("is safe where the site lies in one unit of store and fetch, and unsafe by Intel's manual", async () => {
    expect(await answers(selfJump(), { site, ignore: ["progress"] })).toEqual({
      intel: "unsafe: old-or-new",
      "intel-otc": "unsafe: old-or-new",
      amd: "safe",
      "amd-ordered": "safe",
      coherent: "safe",
    });
    for (const profile of ["amd", "coherent"])
      expect(await check(profile, selfJump(), { site, ignore: ["progress"] })).toMatchObject({
        verdict: "safe",
        unused: [],
      });
  });

  it("lets a CPU spin for ever where fetches may be stale until it serialises, which its loop never does", async () => {
    const verdict = await check("amd", selfJump(), { site });
    if (verdict.verdict !== "unsafe" || verdict.loop === undefined) throw new Error("There is a loop.");
    expect(verdict.trace.slice(verdict.loop)).toMatchObject([{ cpu: 1, rule: "execute" }]);
    expect(answer(await check("coherent", selfJump(), { site }))).toBe("safe");
    expect(answer(await check("amd", selfJump({ syncs: true }), { site }))).toBe("safe");
  });

  it("does not promise that the old call is gone when it returns", async () => {
    expect(await check("amd", selfJump(), { site })).toMatchObject({ notPromised: ["done"] });
    expect(await check("amd", selfJump({ syncs: true }), { site })).toMatchObject({ verdict: "safe", notPromised: [] });
  });

  it("whose fifth byte lies in another unit is torn, unless all synchronise at the guard", async () => {
    expect(await answers(selfJump(), { site, offset: 4 })).toMatchObject({
      amd: "unsafe: old-or-new",
      coherent: "safe",
    });
    expect(await answers(selfJump(), { site, offset: 28 })).toMatchObject({
      amd: "unsafe: old-or-new",
      coherent: "unsafe: old-or-new",
    });
    for (const offset of [4, 28])
      expect(await answers(selfJump({ syncs: true }), { site, offset })).toMatchObject({
        amd: "safe",
        coherent: "safe",
      });
  });

  it("holds an interrupt on the patcher's own CPU for ever", async () => {
    const verdict = await check("coherent", selfJump(), { site, interrupts: { irq: true } });
    expect(verdict).toMatchObject({ verdict: "unsafe", property: "progress" });
  });

  it("needs a site of five bytes at a multiple of four", async () => {
    await expect(check("amd", selfJump(), { site, offset: 2 })).rejects.toThrow("is no multiple of 4");
    await expect(check("amd", selfJump(), { site: "nop2:jmp8" })).rejects.toThrow("has 2 bytes, not 5");
  });
});

describe("int3-membarrier", () => {
  it.each(environments)("is safe under all profiles, with %s", async (_, environment) => {
    expect(await answers(int3Membarrier(), { offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
  });

  it("is not empty, and every step was taken", async () => {
    for (const profile of profiles)
      expect(await check(profile, int3Membarrier())).toMatchObject({ verdict: "safe", unused: [] });
  });

  it("needs its first membarrier everywhere, its second on paper, and its third nowhere while the handler stays", async () => {
    const without = (n: number) =>
      answers(int3Membarrier(), { offset: CROSSING, patcher: { drop: [`membarrier-${n}`], flips: 1 } });
    expect(await without(1)).toEqual(everywhere("unsafe: old-or-new"));
    expect(await without(2)).toEqual({
      intel: "unsafe: old-or-new",
      "intel-otc": "safe",
      amd: "unsafe: old-or-new",
      "amd-ordered": "safe",
      coherent: "safe",
    });
    expect(await without(3)).toEqual(everywhere("safe"));
  });

  it("cannot forget the site when it is done: a membarrier does not wait for signal handlers", async () => {
    expect(await answers(int3Membarrier({ keepHandler: false }))).toEqual(everywhere("unsafe: trap-owned"));
  });

  it("does not move a thread out of several instructions", async () => {
    const several = { site: "nop+nop+nop+nop+nop:jmp", patcher: { flips: 1 } };
    expect(await answers(int3Membarrier(), several)).toEqual(everywhere("unsafe: mid-sequence"));
  });
});
