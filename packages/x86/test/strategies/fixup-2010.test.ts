import { createSimulation, type Scenario } from "@cmodx/core";
import { type Int3Of2010Options, int3Of2010, int3Of2010Nine, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import {
  allBroken,
  answer,
  answers,
  CROSSING,
  check,
  environments,
  LINE,
  type Options,
  profiles,
} from "../protocols/check.js";

const site = "nop5:jmp";
const nmi = { interrupts: { nmi: true } } as const;
const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

/** Two sites of one patcher, changed one after the other. */
const twoSites = (options: Int3Of2010Options, fetch: string, flips = 1) => {
  const scenario: Scenario = {
    name: "two sites",
    sites: [0n, 16n].map((offset) => ({ address: LINE + offset, old: "nop2", new: "jmp8" })),
    patchers: [{ strategy: int3Of2010(options), sites: [0, 1], flips }],
    cpus: 2,
  };
  return createSimulation({ architecture: x86({ fetch }) }).check(scenario);
};

describe("int3-2010", () => {
  it.each(environments)("its five steps are safe under all profiles, with %s", async (_, environment) => {
    expect(await answers(int3Of2010(), { site, offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
  });

  it("its default site is not empty, and every step was taken", async () => {
    for (const profile of profiles)
      expect(await check(profile, int3Of2010(), { site })).toMatchObject({
        verdict: "safe",
        unused: [],
        notPromised: [],
      });
  });

  it.each(["sync-1", "sync-2", "sync-3"])("needs %s under intel", async (drop) => {
    const verdict = await check("intel", int3Of2010(), { site, offset: CROSSING, patcher: { drop: [drop] } });
    expect(answer(verdict)).toBe(drop === "sync-3" ? "unsafe: trap-owned" : "unsafe: old-or-new");
  });

  it("a fix-up address stands for nothing but a move of the instruction pointer", async () => {
    await expect(check("intel", int3Of2010(), { site: "nop5:call" })).rejects.toThrow(/cannot stand for call/);
    await expect(check("intel", int3Of2010(), { site: "nop6:je" })).rejects.toThrow(/cannot stand for je/);
    await expect(check("intel", int3Of2010(), { site: "nop5:jmp8+nop3" })).rejects.toThrow("is not one instruction");
  });

  describe("with the fix-up addresses cleared before the last wait", () => {
    it.each([0, CROSSING])(
      "is unsafe under all profiles: who has fetched the INT3 finds no owner (offset %i)",
      async (offset) => {
        const verdicts = await answers(int3Of2010({ clearEarly: true }), { site, offset });
        expect(verdicts).toEqual(everywhere("unsafe: trap-owned"));
      },
    );
  });

  describe("with its handler left in place", () => {
    it.each(environments)(
      "is safe for one site, there and back, under all profiles, with %s",
      async (_, environment) => {
        const kept = int3Of2010({ keepHandler: true });
        expect(await answers(kept, { site, offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
      },
    );

    it("is safe for one site that never stops changing", async () => {
      const forever: Options = { site, offset: CROSSING, patcher: { flips: "forever" } };
      expect(await answers(int3Of2010({ keepHandler: true }), forever)).toEqual(everywhere("safe"));
    });

    it("sends one round of interrupts less for each site", () => {
      const rounds = (options: Int3Of2010Options, count: number): number =>
        createSimulation({ architecture: x86() }).simulate({
          name: "costs",
          sites: Array.from({ length: count }, (_, i) => ({ address: LINE + BigInt(16 * i), old: "nop5", new: "jmp" })),
          patchers: [{ strategy: int3Of2010(options), sites: Array.from({ length: count }, (_, i) => i), flips: 1 }],
          cpus: 2,
        }).ipiRounds;
      expect([rounds({}, 1), rounds({ keepHandler: true }, 1)]).toEqual([3, 2]);
      const perSite = { sharedSlot: false, keepHandler: true };
      expect([rounds({ sharedSlot: false }, 2), rounds(perSite, 2)]).toEqual([6, 4]);
    });

    it("is unsafe for two sites that share one slot: the second takes it from a trap of the first", async () => {
      for (const profile of profiles) {
        const verdict = await twoSites({ keepHandler: true }, profile);
        expect(answer(verdict), profile).toBe("unsafe: trap-owned");
        expect(verdict).toMatchObject({ why: expect.stringContaining(`trap at 0x${LINE.toString(16)} was`) });
        expect(allBroken(verdict)).not.toContain("old-or-new");
        expect(answer(await twoSites({}, profile)), profile).toBe("safe");
      }
    });

    it("is safe for two sites that have a slot each, there and back", async () => {
      for (const profile of profiles) {
        const verdict = await twoSites({ keepHandler: true, sharedSlot: false }, profile, 2);
        expect(verdict, profile).toMatchObject({ verdict: "safe" });
      }
    });
  });

  it("there and back needs under intel-otc the first synchronisation alone, where the fix-up stays", async () => {
    // The new first byte over a synchronised INT3 brings its tail with it also while it is becoming INT3 again.
    const left = { site, patcher: { flips: 2, drop: ["sync-2", "sync-3", "clear-fixup"] } };
    const none = { site, patcher: { flips: 2, drop: ["sync-1", ...left.patcher.drop] } };
    for (const memory of ["sequential", "architectural"] as const) {
      expect(answer(await check("intel-otc", int3Of2010(), { ...left, memory })), memory).toBe("safe");
      expect(answer(await check("intel-otc", int3Of2010(), { ...none, memory })), memory).toBe("unsafe: old-or-new");
      expect(answer(await check("intel", int3Of2010(), { ...left, memory })), memory).toBe("unsafe: old-or-new");
    }
  });

  describe("with interrupts acknowledged before their IRET", () => {
    const early = int3Of2010({ ackBeforeIret: true });

    it.each(environments.filter(([name]) => name !== "NMIs" && name !== "preemption"))(
      "is safe without NMIs and preemption, with %s",
      async (_, environment) => {
        expect(await answers(early, { site, offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
      },
    );

    it("is unsafe with preemption: the scheduler goes to a task that slept before the IRET", async () => {
      const preempt = { site, offset: CROSSING, preempt: true };
      expect(await answers(early, preempt)).toEqual({ ...everywhere("unsafe: old-or-new"), coherent: "safe" });
    });

    it("is unsafe with an NMI in between wherever what was overwritten stays fetchable", async () => {
      // Inside a quadword nothing tears under amd, but the NMI fetches an INT3 that nobody owns any more.
      expect(await answers(early, { site, ...nmi })).toEqual({
        intel: "unsafe: old-or-new",
        "intel-otc": "unsafe: old-or-new",
        amd: "unsafe: trap-owned",
        "amd-ordered": "unsafe: trap-owned",
        coherent: "safe",
      });
      expect(await answers(early, { site, offset: CROSSING, ...nmi })).toMatchObject({
        amd: "unsafe: old-or-new",
        coherent: "safe",
      });
    });

    it("the NMI comes between the acknowledgement and the IRET", async () => {
      const verdict = await check("intel", early, { site, ...nmi });
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      const last = verdict.trace.at(-1);
      const stack = last?.before.cpus[last.cpu]?.stack ?? [];
      expect(stack.map(({ level }) => level)).toEqual(expect.arrayContaining(["irq", "nmi"]));
      const interrupted = stack.find(({ level }) => level === "irq")?.code;
      expect(interrupted).toMatchObject({ run: "program", locals: { acked: true } });
    });
  });
});

describe("int3-2010-nine", () => {
  const nine = int3Of2010Nine();

  it("without a synchronisation between tail and first byte is unsafe under intel and amd, and safe under intel-otc", async () => {
    const verdicts = { intel: "unsafe: old-or-new", "intel-otc": "safe", "amd-ordered": "safe", coherent: "safe" };
    expect(await answers(nine, { site, offset: CROSSING })).toEqual({ ...verdicts, amd: "unsafe: old-or-new" });
    // One quadword is fetched whole under amd: old, INT3 with either tail, or new.
    expect(await answers(nine, { site })).toEqual({ ...verdicts, amd: "safe" });
  });

  it("the CPU that fails fetches the new first byte with an old tail", async () => {
    const verdict = await check("amd", nine, { site, offset: CROSSING });
    expect(verdict).toMatchObject({ why: expect.stringMatching(/executed jmp .+ \(bytes e93[0-9a-f]440000\)/) });
  });

  it("and with preemption wherever the last round, which synchronises by its IRET alone, is followed by another task", async () => {
    expect(await answers(nine, { site, preempt: true })).toEqual({
      intel: "unsafe: old-or-new",
      "intel-otc": "unsafe: trap-owned",
      amd: "unsafe: trap-owned",
      "amd-ordered": "unsafe: trap-owned",
      coherent: "safe",
    });
  });

  it("is unsafe with NMIs even under intel-otc: the last IPI is acknowledged before the IRET that synchronises", async () => {
    // The statement that the nine steps are safe under intel-otc holds without NMIs.
    expect(await answers(nine, { site, offset: CROSSING, ...nmi })).toMatchObject({
      "intel-otc": "unsafe: trap-owned",
      coherent: "safe",
    });
  });
});
