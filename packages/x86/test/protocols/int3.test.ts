import { claim, createSimulation, emulate, fence, type PatchStrategy } from "@cmodx/core";
import { int3, int3Batch, int3Membarrier, stopMachine, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { allBroken, answer, answers, CROSSING, check, environments, LINE, profiles, scenario } from "./check.js";

const everywhere = (verdict: string): { readonly [profile: string]: string } =>
  Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("int3 with its three synchronisations", () => {
  describe.each(environments)("with %s", (_, environment) => {
    it.each([0, CROSSING])(
      "is safe for one old instruction under all profiles, at offset %i of its line",
      async (offset) => {
        expect(await answers(int3(), { offset, ...environment })).toEqual(everywhere("safe"));
      },
    );
  });

  it("is not empty: the site was executed while it changed, and only the handler's way out for strangers was never taken", async () => {
    for (const profile of profiles) {
      expect(await check(profile, int3())).toMatchObject({
        verdict: "safe",
        unused: ["handler-put-other"],
        notPromised: [],
      });
    }
  });

  it("is safe on three CPUs, and for a patcher that never stops", async () => {
    expect(answer(await check("intel", int3(), { cpus: 3 }))).toBe("safe");
    expect(answer(await check("intel", int3(), { patcher: { flips: "forever" } }))).toBe("safe");
  });
});

describe("int3 without one of its synchronisations", () => {
  it("without the first is unsafe where the site crosses a line, under all profiles", async () => {
    const verdicts = await answers(int3(), { offset: CROSSING, patcher: { drop: ["sync-1"] } });
    expect(verdicts).toEqual(everywhere("unsafe: old-or-new"));
  });

  it("without the first shows the torn instruction that a CPU ran", async () => {
    for (const profile of profiles) {
      const verdict = await check(profile, int3(), { offset: CROSSING, patcher: { drop: ["sync-1"] } });
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      // The old first byte with a new tail, or some of it.
      expect(verdict.why).toMatch(/executed .+ \(bytes 0f[0-9a-f]{2,}\) at 0xffffffff8100003e, which is neither/);
      expect(verdict.why).not.toContain("0f1f440000");
    }
  });

  it("without the first is safe inside what is fetched whole", async () => {
    const verdicts = await answers(int3(), { patcher: { drop: ["sync-1"] } });
    expect(verdicts).toEqual({
      ...everywhere("unsafe: old-or-new"),
      amd: "safe",
      "amd-ordered": "safe",
      coherent: "safe",
    });
  });

  it("without the second is unsafe on paper alone, and safe if Intel's engineers were right in 2010", async () => {
    const without = { patcher: { drop: ["sync-2"] } };
    expect(await answers(int3(), without)).toMatchObject({
      intel: "unsafe: old-or-new",
      "intel-otc": "safe",
      coherent: "safe",
    });
    expect(await answers(int3(), { ...without, offset: CROSSING })).toMatchObject({
      intel: "unsafe: old-or-new",
      "intel-otc": "safe",
      // The stores are seen in their order, late or not.
      amd: "unsafe: old-or-new",
      "amd-ordered": "safe",
    });
  });

  it("without the third a breakpoint finds its patcher gone", async () => {
    for (const profile of ["intel", "intel-otc", "amd"]) {
      expect(allBroken(await check(profile, int3(), { patcher: { drop: ["sync-3"] } })), profile).toContain(
        "trap-owned",
      );
    }
  });

  it("without any is unsafe everywhere: torn, or trapping when nobody is responsible any more", async () => {
    const without = { patcher: { drop: ["sync-1", "sync-2", "sync-3"] } };
    expect(await answers(int3(), { ...without, offset: CROSSING })).toEqual(everywhere("unsafe: old-or-new"));
    expect(await answers(int3(), without)).toEqual({
      ...everywhere("unsafe: old-or-new"),
      amd: "unsafe: trap-owned",
      "amd-ordered": "unsafe: trap-owned",
      coherent: "unsafe: trap-owned",
    });
  });

  it("one interrupted CPU's synchronisation is the matter, so the verdict is the same with IRQs", async () => {
    const irq = { interrupts: { irq: true }, offset: CROSSING };
    expect(answer(await check("intel", int3(), { ...irq, patcher: { drop: ["sync-1"] } }))).toBe("unsafe: old-or-new");
  });
});

describe("int3 without one of its other steps", () => {
  it("needs its reference count: without the wait the handler's array is gone under it", async () => {
    const verdict = await check("intel", int3(), { patcher: { drop: ["get-refs"] } });
    expect(allBroken(verdict)).toContain("trap-owned");
  });

  it("has to write the breakpoint", async () => {
    expect(await answers(int3(), { patcher: { drop: ["write-int3"] } })).toEqual(everywhere("unsafe: old-or-new"));
  });

  it("has to write the tail before the first byte, whose new value makes it an instruction", async () => {
    expect(answer(await check("amd", int3(), { patcher: { drop: ["write-tail"] } }))).toBe("unsafe: old-or-new");
  });

  it("a step that it does not have cannot be left out", async () => {
    await expect(check("intel", int3(), { patcher: { drop: ["sync-4"] } })).rejects.toThrow(
      /has no step sync-4; its steps are lock, fill-array/,
    );
  });
});

describe("an INT3 that is the new code", () => {
  const put = { site: "nop:int3", patcher: { flips: 1 } };

  it("is nobody's without a probe that owns it", async () => {
    for (const strategy of [int3(), int3Batch(), int3Membarrier(), stopMachine()])
      expect(await answers(strategy, put), strategy.id).toEqual(everywhere("unsafe: trap-owned"));
  });

  it("is left by int3's own handler to whoever owns it", async () => {
    const owner: PatchStrategy = {
      ...int3(),
      id: "owner",
      plan: () => ({
        main: [fence("begin", "mb")],
        traps: { int3: [emulate("owner-skip", "90"), claim("owner-claim")] },
      }),
    };
    for (const strategy of [int3(), int3Membarrier(), stopMachine()]) {
      const patchers = [
        { strategy, sites: [0], flips: 1 },
        { strategy: owner, sites: [1], flips: 1 },
      ];
      const sites = [
        { address: LINE, old: "nop", new: "int3" },
        { address: LINE + 0x400n, old: "nop", new: "nop" },
      ];
      for (const profile of profiles)
        expect(answer(await check(profile, strategy, { ...put, sites, patchers, cpus: 3 })), profile).toBe("safe");
    }
  });
});

describe("what int3 replaces", () => {
  it.each([
    "nop2:jmp8",
    "nop5:jmp",
    "jmp32:nop5",
    "jmp32:call",
    "call 0xffffffff81000400:call 0xffffffff81000800",
    "call:ret+int3+int3+int3+int3",
    "nop5:jmp8+int3+int3+int3",
    "nop:ret",
    "je:jmp8+int3+int3+int3+int3",
  ])("%s is safe under all profiles", async (site) => {
    expect(await answers(int3(), { site, patcher: { flips: 1 } })).toEqual(everywhere("safe"));
  });

  it.each([
    ["nop5:add rax, 1+nop", "more than one instruction"],
    ["nop3:add eax, 5", "cannot emulate add eax"],
    ["call:push rax+nop4", "more than one instruction"],
  ])("%s is refused: %s", async (site, why) => {
    await expect(check("intel", int3(), { site })).rejects.toThrow(why);
  });

  it("the way back counts as well", async () => {
    await expect(check("intel", int3(), { site: "add eax, 5:nop3" })).rejects.toThrow(
      "on the way back (flip 2; ask for 1 flip to leave it out)",
    );
    expect(answer(await check("intel", int3(), { site: "add eax, 5:nop3", patcher: { flips: 1 } }))).toBe("safe");
  });

  it("several old instructions replaced by one are unsafe under all profiles: a CPU stood between them", async () => {
    expect(await answers(int3(), { site: "nop+nop+nop+nop+nop:call", patcher: { flips: 1 } })).toEqual(
      everywhere("unsafe: mid-sequence"),
    );
  });
});

describe("int3 and its peers", () => {
  it("two patchers of two sites exclude each other by the lock", async () => {
    const two = (drop: readonly string[]) =>
      createSimulation({ architecture: x86() }).check({
        ...scenario(int3()),
        sites: [0n, 0x10n].map((offset) => ({ address: 0xffff_ffff_8100_0000n + offset, old: "nop2", new: "jmp8" })),
        patchers: [0, 1].map((index) => ({ strategy: int3(), sites: [index], flips: 1, drop })),
        cpus: 3,
      });
    expect(answer(await two([]))).toBe("safe");
    expect(allBroken(await two(["lock", "unlock"]))).toContain("trap-owned");
  });
});
