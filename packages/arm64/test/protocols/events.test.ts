import { arm64, brkEmulate, brkEmulateSynced, eventSwitch, nosync, nosyncIpi, patchNosync } from "@cmodx/arm64";
import { createSimulation, isImpossible, type PatchStrategy, publishEvent, type Scenario, set } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { AT, allBroken, answer, answers, check, environments, everywhere, profiles } from "./check.js";

/** A strategy between two text-poke events. */
const between = (base: PatchStrategy): PatchStrategy => ({
  ...base,
  id: `${base.id}-between-events`,
  promises: [...base.promises, "trace"],
  plan(flip, context) {
    const plan = base.plan(flip, context);
    if (isImpossible(plan)) return plan;
    const events = (id: string, begins: boolean) =>
      flip.sites.map((site, i) => publishEvent(`${id}.${i}`, site, { begins }));
    return { ...plan, main: [...events("pre", true), ...plan.main, ...events("post", false)] };
  },
});

const twoSites = (strategy: PatchStrategy, more: Partial<Scenario> = {}): Scenario => ({
  name: "two sites",
  sites: [AT, AT + 16n].map((address) => ({ address, old: "nop", new: "b" })),
  patchers: [{ strategy, sites: [0, 1], flips: 1 }],
  cpus: 2,
  ...more,
});

const onBoth = async (strategy: PatchStrategy, more: Partial<Scenario> = {}) =>
  Promise.all(
    profiles.map((fetch) => createSimulation({ architecture: arm64({ fetch }) }).check(twoSites(strategy, more))),
  );

describe("events before and after a jump label's patching", () => {
  it("leave open what another CPU ran in between, whether it is interrupted or not", async () => {
    for (const base of [nosync(), nosyncIpi()])
      expect(await answers(between(base))).toEqual(everywhere("unsafe: trace"));
  });

  it("and after nosync alone the last event is wrong besides", async () => {
    const post: PatchStrategy = {
      ...nosync(),
      promises: ["trace"],
      plan: ({ sites: [site] }, context) => {
        if (site === undefined) return { impossible: "there is no site." };
        return { main: [...patchNosync("write", site.address, site.next, context), publishEvent("post", site)] };
      },
    };
    for (const profile of profiles) {
      const verdict = await check(profile, post, { patcher: { flips: 1 } });
      expect(answer(verdict)).toBe("unsafe: trace");
    }
  });

  it("tell where the two instructions differ in what they leave in a trace", async () => {
    // Conditional branches and returns do.
    expect(answer(await check("none", between(nosyncIpi()), { site: "nop:cbz x0, .+8" }))).toBe("safe");
    expect(answer(await check("none", between(nosyncIpi()), { site: "b .+8:bl" }))).toBe("unsafe: trace");
  });
});

describe("brk-emulate as proposed", () => {
  it("publishes its event while some CPU still fetches the old instruction", async () => {
    expect(await answers(brkEmulate())).toEqual(everywhere("unsafe: trace"));
  });

  it("breaks nothing else at one site", async () => {
    for (const profile of profiles)
      for (const [name, environment] of environments) {
        const verdict = await check(profile, brkEmulate(), { ignore: ["trace"], ...environment });
        expect(answer(verdict), `${profile} ${name}`).toBe("safe");
      }
  });

  it("with two sites leaves the trap of the first without an owner: there is one address for all", async () => {
    for (const verdict of await onBoth(brkEmulate(), { ignore: ["trace"] }))
      expect(answer(verdict)).toBe("unsafe: trap-owned");
    for (const verdict of await onBoth(brkEmulate())) expect(allBroken(verdict)).toContain("trace");
  });

  it("reads what it is to emulate after it knows the address: the other way round it is lost", async () => {
    // The handler's data must be there before the address that announces it.
    const late: PatchStrategy = {
      ...brkEmulate(),
      plan: (flip, context) => {
        const plan = brkEmulate().plan(flip, context);
        if (isImpossible(plan)) return plan;
        const data = plan.main.filter(({ id }) => id === "set-insn");
        const rest = plan.main.filter(({ id }) => id !== "set-insn");
        return { ...plan, main: rest.flatMap((line) => (line.id === "write-brk-isb" ? [line, ...data] : [line])) };
      },
    };
    expect(answer(await check("none", late, { ignore: ["trace"] }))).toMatch(
      /^unsafe: (emulation|done|trap-owned|mid-sequence|fault)/,
    );
  });

  it("gives the code no effect of its own where what it emulates raises an exception at the same place", async () => {
    // Arm's exceptions resume where they were raised, which is no trying again here.
    const undefinedInstruction: PatchStrategy = {
      ...brkEmulate(),
      plan: (flip, context) => {
        const plan = brkEmulate().plan(flip, context);
        if (isImpossible(plan)) return plan;
        return {
          ...plan,
          main: plan.main.map((line) =>
            line.id === "set-insn" ? set("set-insn", "brk_insn", "00000000", "UDF in place of the new code") : line,
          ),
        };
      },
    };
    for (const profile of profiles)
      expect(allBroken(await check(profile, undefinedInstruction, { ignore: ["trace", "fault"] }))).toContain(
        "emulation",
      );
  });

  it("takes what its handler can emulate", async () => {
    for (const site of ["nop:bl", "b .+0x80:b .+0x100"])
      expect(answer(await check("none", brkEmulate(), { site, ignore: ["trace"] })), site).toBe("safe");
    await expect(check("none", brkEmulate(), { site: "nop:mov x0, x1" })).rejects.toThrow(
      "the handler can emulate NOP, B and BL, not mov at 0xffff800008010000",
    );
  });
});

describe("brk-emulate-synced", () => {
  it.each(environments)("can always be told from its traces, and is safe, with %s", async (_, environment) => {
    expect(await answers(brkEmulateSynced(), environment)).toEqual(everywhere("safe"));
  });

  it("serves two sites", async () => {
    for (const verdict of await onBoth(brkEmulateSynced())) expect(verdict).toMatchObject({ verdict: "safe" });
  });

  it("needs both interrupts: the one before the event for the trace, the one at the end for its table", async () => {
    const without = async (id: string) =>
      allBroken(await check("none", brkEmulateSynced(), { patcher: { drop: [`${id}-send`, `${id}-wait`] } }));
    expect(await without("kick-brk")).toEqual(["trace"]);
    expect(await without("kick-new")).toContain("trap-owned");
  });
});

describe("event-switch", () => {
  it("stops the machine while somebody listens, so that no CPU runs the site around the event", async () => {
    for (const [name, environment] of environments.filter(([name]) => name !== "NMIs"))
      expect(await answers(eventSwitch(), environment), name).toEqual(everywhere("safe"));
  });

  it("does not stop NMIs, which run the new instruction before its event", async () => {
    expect(await answers(eventSwitch(), { interrupts: { nmi: true } })).toEqual(everywhere("unsafe: trace"));
  });

  it("patches as jump labels do while nobody listens", async () => {
    const quiet = eventSwitch({ events: false });
    expect(await answers(quiet)).toEqual(everywhere("safe"));
    const { simulate } = createSimulation({ architecture: arm64() });
    const run = (strategy: PatchStrategy) => simulate({ ...twoSites(strategy), executors: [] });
    expect(run(quiet)).toMatchObject({ ipiRounds: 1, stops: 0 });
    expect(run(eventSwitch())).toMatchObject({ ipiRounds: 0, stops: 1 });
  });
});
