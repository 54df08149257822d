import { createSimulation } from "@cmodx/core";
import { callOps, directCall, fixedAuipc, literal, nosync, riscv, strategies, userFlush } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";
import { answer, answers, brokenIn, check, everywhere, LINE, scenario } from "../check.js";

const words = (zifencei: string) => ({ zifencei: `unsafe: ${zifencei}`, ziccif: "safe", ziccid: "safe" });
const environments = [{}, { interrupts: { irq: true } }, { interrupts: { nmi: true } }, { preempt: true }] as const;

describe("fixed-auipc", () => {
  it.each(environments)("is safe for aligned sites where words are fetched whole (%o)", async (more) => {
    for (const offset of [0, 4, 60])
      expect(await answers(fixedAuipc(), { offset, ...more })).toEqual(words("mid-sequence"));
  });

  it("is unsafe everywhere where the JALR spans an aligned word: explored, not refused", async () => {
    for (const offset of [2, 62]) {
      expect(await answers(fixedAuipc(), { offset })).toEqual(everywhere("unsafe: mid-sequence"));
      expect(brokenIn(await check("ziccif", fixedAuipc(), { offset }))).toEqual(["mid-sequence", "old-or-new", "rule"]);
      expect(brokenIn(await check("zifencei", fixedAuipc(), { offset }))).toEqual(["mid-sequence", "old-or-new"]);
    }
  });

  const calls = (old: string, target: string) => ({ site: `auipc t0, %pcrel_hi(${old})+nop:call t0, ${target}` });

  it("reaches what one AUIPC does, the low 12 bits being signed", async () => {
    // The AUIPC of +0x1640 holds +0x1000.
    for (const target of [".+0x800", ".+0x17ff", ".+0x1000"])
      expect(answer(await check("ziccif", fixedAuipc(), calls(".+0x1640", target))), target).toBe("safe");
    for (const target of [".+0x7ff", ".+0x1800", ".+0x2e00", ".-0x1000"])
      await expect(check("ziccif", fixedAuipc(), calls(".+0x1640", target)), target).rejects.toThrow(
        /the AUIPC at 0xffffffff80200000 stays as it is, at 0xffffffff80201000, and its JALR goes -2048 to 2047 bytes around that/,
      );
    await expect(check("ziccif", fixedAuipc(), calls(".+0x1640", ".+0x1800"))).rejects.toThrow(
      "0xffffffff80201800 lies 2048 bytes away. Its low 12 bits count as -2048, so it needs another AUIPC.",
    );
  });

  it("needs an AUIPC in both versions, of one register", async () => {
    await expect(check("ziccif", fixedAuipc(), { site: "nop+nop:call t0" })).rejects.toThrow(
      "does not begin with an AUIPC of a call in both versions",
    );
    const other = { site: "auipc t1, %pcrel_hi(.+0x1640)+nop:call t0" };
    await expect(check("ziccif", fixedAuipc(), other)).rejects.toThrow("writes t1 and is to write t0");
  });

  it("needs its flush for `done` alone", async () => {
    const dropped = { patcher: { drop: ["flush"] } };
    expect(answer(await check("ziccif", fixedAuipc(), dropped))).toBe("unsafe: done");
    expect(answer(await check("ziccif", fixedAuipc(), { ...dropped, ignore: ["done"] }))).toBe("safe");
  });
});

describe("nosync", () => {
  it.each(environments)("is safe for aligned labels where words are fetched whole (%o)", async (more) => {
    expect(await answers(nosync(), more)).toEqual(words("old-or-new"));
    expect(await answers(nosync({ by: "sbi" }), more)).toEqual(words("old-or-new"));
  });

  it("reaches 512 KiB, as the kernel's check has it", async () => {
    for (const target of [".-0x80000", ".+0x7fffe"])
      expect(answer(await check("ziccif", nosync(), { site: `nop:j ${target}` }))).toBe("safe");
    for (const target of [".-0x80002", ".+0x80000"])
      await expect(check("ziccif", nosync(), { site: `nop:j ${target}` })).rejects.toThrow(
        /goes -?5242\d\d bytes far; a jump label's target lies -524288 to 524287 bytes away/,
      );
  });

  it("is for one instruction", async () => {
    await expect(check("ziccif", nosync(), { site: "nop+nop:j+nop" })).rejects.toThrow("is not one instruction");
  });
});

describe("call-ops", () => {
  it.each(environments)("is safe for aligned functions where words are fetched whole (%o)", async (more) => {
    expect(await answers(callOps(), more)).toEqual(words("mid-sequence"));
  });

  it("finds another literal than its own where the function is not 8-aligned", async () => {
    expect(brokenIn(await check("ziccif", callOps(), { offset: 4 }))).toEqual(["pair"]);
  });

  it("a literal in two halves is a pointer to nothing", async () => {
    expect(brokenIn(await check("ziccif", callOps({ literalWidth: 4 })))).toEqual(["pair"]);
  });

  it("on the way back the call meets ftrace_nop_ops, which has to be harmless", async () => {
    const strict = { nopOpsAreHarmless: false };
    expect(answer(await check("ziccif", callOps(strict), { patcher: { flips: 1 } }))).toBe("safe");
    expect(answer(await check("ziccif", callOps(strict)))).toBe("unsafe: pair");
  });

  it("the literal has to be visible before the call: a fence w,w does it", async () => {
    const enabling = { memory: "architectural", patcher: { flips: 1 } } as const;
    const strict = (literalFlush: "global" | "wmb" | "none") => callOps({ nopOpsAreHarmless: false, literalFlush });
    for (const fetch of ["ziccif", "ziccid"]) {
      expect(answer(await check(fetch, strict("global"), enabling))).toBe("safe");
      expect(answer(await check(fetch, strict("wmb"), enabling))).toBe("safe");
      expect(answer(await check(fetch, strict("none"), enabling))).toBe("unsafe: pair");
    }
  });

  it("interrupts every hart for each literal, which is data", () => {
    const rounds = (options: Parameters<typeof callOps>[0], count: number): number =>
      createSimulation({ architecture: riscv() }).simulate({
        ...scenario(callOps(options), { patcher: { flips: 1 } }),
        sites: Array.from({ length: count }, (_, i) => ({
          address: LINE + BigInt(32 * i),
          old: "auipc t0, %pcrel_hi(.+0x1640)+nop",
          new: "call t0",
        })),
        patchers: [{ strategy: callOps(options), sites: Array.from({ length: count }, (_, i) => i), flips: 1 }],
        cpus: 4,
      }).interrupts;
    expect([1, 2, 10].map((count) => rounds({}, count))).toEqual([6, 9, 33]);
    expect([1, 2, 10].map((count) => rounds({ literalFlush: "wmb" }, count))).toEqual([3, 3, 3]);
  });
});

describe("direct-call", () => {
  it.each(environments)("is safe for aligned functions where words are fetched whole (%o)", async (more) => {
    expect(await answers(directCall(), more)).toEqual(words("mid-sequence"));
  });

  it("needs RCU-tasks before the trampoline is freed", async () => {
    const noWait = directCall({ waitForTasks: false });
    for (const more of [{}, { preempt: true }])
      expect(answer(await check("ziccif", noWait, more))).toBe("unsafe: lifetime");
  });
});

describe("literal", () => {
  const far = { site: ".quad 0xffffffd812340000:.quad 0xffffffff80205678" };

  it("is safe everywhere, wherever it lies: nobody fetches it", async () => {
    for (const offset of [0, 8, 56]) expect(await answers(literal(), { ...far, offset })).toEqual(everywhere("safe"));
    expect(await answers(literal(), { ...far, memory: "architectural" })).toEqual(everywhere("safe"));
  });

  it("in halves, or over two words, it is a pointer to nothing", async () => {
    const asked = { ...far, memory: "sequential" } as const;
    expect(await answers(literal({ width: 4 }), asked)).toEqual(everywhere("unsafe: old-or-new"));
    expect(await answers(literal(), { ...asked, offset: 4 })).toEqual(everywhere("unsafe: old-or-new"));
  });
});

describe("user-flush", () => {
  it("is safe for who is marked flushes when it gets a thread of the process", async () => {
    for (const more of [{}, { preempt: true }, { preempt: true, executors: [{ count: 2 }] }])
      expect(await answers(userFlush(), more)).toEqual(words("old-or-new"));
  });

  it("xRET to the thread does not do it", async () => {
    const without = userFlush({ deferred: false });
    expect(answer(await check("ziccif", without))).toBe("safe");
    for (const fetch of ["ziccif", "ziccid"])
      expect(answer(await check(fetch, without, { preempt: true }))).toBe("unsafe: done");
  });
});

it.each(strategies)("$id: its default site is not empty, its rules keep to what they declare", async (strategy) => {
  const simulation = createSimulation({ architecture: riscv({ fetch: "ziccif" }), development: true });
  for (const more of [{}, { memory: "architectural" } as const]) {
    const verdict = await simulation.check(scenario(strategy, more));
    expect(answer(verdict)).toBe("safe");
    expect(verdict).toMatchObject({ verdict: "safe", notPromised: [] });
    const plain = await simulation.check(scenario(strategy, more), { reduce: false });
    expect(answer(plain)).toBe("safe");
  }
});
