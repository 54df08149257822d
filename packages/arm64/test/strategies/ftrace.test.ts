import { arm64, callOps, directCall, funcOpPair, reachesByBl } from "@cmodx/arm64";
import {
  createSimulation,
  type Impossible,
  isImpossible,
  type PatchProgram,
  type PatchStrategy,
  type Scenario,
  storeData,
} from "@cmodx/core";
import { describe, expect, it } from "vitest";
import {
  AT,
  allBroken,
  answer,
  answers,
  check,
  environments,
  everywhere,
  profiles,
  scenario,
} from "../protocols/check.js";

const orders = ["literal", "call"] as const;

/** The verdicts under the weakest cache type and the strongest. */
const ends = async (strategy: PatchStrategy, environment: Partial<Scenario>): Promise<readonly string[]> =>
  Promise.all(["none", "idc+dic"].map(async (fetch) => answer(await check(fetch, strategy, environment))));
const bothEnds = (verdict: string): readonly string[] => [verdict, verdict];

describe("call-ops", () => {
  it.each(orders)("with the %s first is safe, whatever comes between", async (first) => {
    for (const [name, environment] of environments)
      expect(await ends(callOps({ first }), environment), name).toEqual(bothEnds("safe"));
  });

  it("does not promise that nobody calls the old tracer afterwards", async () => {
    for (const profile of profiles) expect(await check(profile, callOps())).toMatchObject({ notPromised: ["done"] });
  });

  it("really loads the literal: each of its values is seen at the caller, and the tracer gets its own ops", async () => {
    const loaded = new Set<string>();
    for (const first of orders) {
      // A value that nobody published is a combination that nobody published.
      const broken = wrongLiteral(callOps({ first }));
      expect(answer(await check("none", broken, { patcher: { flips: 1 } })), first).toBe("unsafe: pair");
      loaded.add(first);
    }
    expect(loaded.size).toBe(2);
  });

  /*
   * Why the order does not matter: at every moment the literal holds ops that are there, and function and ops come from the same load.
   * Where "nobody" were no ops at all, it would matter.
   */
  it("needs no order because every value of the literal is an ops: with nothing for nobody it would", async () => {
    const enable = async (first: (typeof orders)[number]) =>
      answer(await check("none", nobody(callOps({ first })), { patcher: { flips: 1 } }));
    expect(await enable("literal")).toBe("safe");
    expect(await enable("call")).toBe("unsafe: pair");
    const disable = async (first: (typeof orders)[number]) =>
      answer(await check("none", nobody(callOps({ first })), { site: "bl:nop", patcher: { flips: 1 } }));
    // Without an interrupt to all CPUs the old call may come at any time after.
    for (const first of orders) expect(await disable(first), first).toBe("unsafe: pair");
  });

  it("that gives its ops back without a wait breaks lifetime", async () => {
    const verdict = await check("none", callOps({ frees: true, waits: false }), { preempt: true });
    expect(allBroken(verdict)).toContain("lifetime");
  });

  it("may use what any of its flips published", async () => {
    // Only the flip that enables speaks of the tracer's own ops.
    const once: PatchStrategy = {
      ...callOps(),
      plan: (flip, context) => {
        const plan = callOps().plan(flip, context);
        if (isImpossible(plan) || flip.sites[0]?.next[0] !== 0x1f) return plan;
        return { ...plan, pairs: (plan.pairs ?? []).map((pair) => ({ ...pair, published: [] })) };
      },
    };
    expect(answer(await check("none", once))).toBe("safe");
    expect(answer(await check("none", once, { site: "bl:nop", patcher: { flips: 1 } }))).toBe("unsafe: pair");
  });

  it("takes one NOP or BL, and one ftrace_caller", async () => {
    await expect(check("none", callOps(), { site: "nop:b" })).rejects.toThrow("ftrace changes one NOP or BL, not b");
    await expect(check("none", callOps(), { site: "nop+nop:bl+nop" })).rejects.toThrow("ftrace changes one NOP or BL");
    await expect(check("none", callOps(), { site: "bl .+0x1000:bl .+0x2000" })).rejects.toThrow("one ftrace_caller");
    await expect(check("none", callOps(), { site: "nop:nop" })).rejects.toThrow("nothing calls a tracer");
    expect(answer(await check("none", callOps(), { site: "bl:nop" }))).toBe("safe");
    // A function with a landing pad has its call at a multiple of 8.
    for (const offset of [4, 8, 12])
      expect(answer(await check("none", callOps(), { offset })), String(offset)).toBe("safe");
  });

  it("serves several functions with one ops", async () => {
    const sites = [0n, 32n].map((at) => ({ address: AT + at, old: "nop", new: `bl 0x${(AT + 0x1000n).toString(16)}` }));
    const verdict = await createSimulation({ architecture: arm64() }).check({
      name: "two functions",
      sites,
      patchers: [{ strategy: callOps(), sites: [0, 1], flips: 1 }],
      cpus: 2,
    });
    expect(verdict).toMatchObject({ verdict: "safe" });
  });
});

/** A strategy whose program for each flip is changed. */
const changed = (base: PatchStrategy, change: (plan: PatchProgram) => PatchProgram): PatchStrategy => ({
  ...base,
  plan: (flip, context) => {
    const plan = base.plan(flip, context);
    return isImpossible(plan) ? plan : change(plan);
  },
});

const ZERO = Array.from({ length: 8 }, () => 0);

/** It writes a literal that is no ops. */
const wrongLiteral = (base: PatchStrategy): PatchStrategy =>
  changed(base, (plan) => ({
    ...plan,
    main: plan.main.map((line) =>
      line.id === "write-literal" && "op" in line && line.op === "storeData"
        ? storeData(line.id, line.args.address, ZERO)
        : line,
    ),
  }));

/** There is no ops for nobody: the literal is 0 where the site does not call. */
const nobody = (base: PatchStrategy): PatchStrategy => ({
  ...base,
  plan: (flip, context) => {
    const plan = base.plan(flip, context);
    if (isImpossible(plan)) return plan;
    const [site] = flip.sites;
    const isNop = (code: readonly number[] | undefined) => code?.[0] === 0x1f;
    const literal = AT - 16n;
    return {
      ...plan,
      main: plan.main.map((line) =>
        line.id === "write-literal" && "op" in line && isNop(site?.next) ? storeData(line.id, literal, ZERO) : line,
      ),
      around: {
        ...plan.around,
        data: (plan.around?.data ?? []).map((each) =>
          each.address === literal && isNop(site?.old) ? { ...each, bytes: ZERO } : each,
        ),
      },
    };
  },
});

describe("direct-call", () => {
  const FAR = 0x1000_0000n;

  it("a BL reaches 128 MiB back, and one instruction less than that ahead", () => {
    const reach = 128n * 1024n * 1024n;
    expect([-reach, reach - 4n].map(reachesByBl)).toEqual([true, true]);
    expect([-reach - 4n, reach].map(reachesByBl)).toEqual([false, false]);
    const { assemble } = arm64().instructionSet;
    for (const [distance, word] of [
      [-reach, 0x96000000],
      [reach - 4n, 0x95ffffff],
    ] as const) {
      const bytes = assemble(`bl 0x${(AT + distance).toString(16)}`, AT);
      expect(bytes.reduceRight((value, byte) => value * 256 + byte, 0)).toBe(word);
    }
    for (const distance of [-reach - 4n, reach])
      expect(() => assemble(`bl 0x${(AT + distance).toString(16)}`, AT)).toThrow();
  });

  const options = [
    ["one trampoline in reach", {}],
    ["one trampoline out of reach", { distance: FAR }],
    ["one trampoline out of reach behind", { distance: -FAR }],
    ["several ops", { ops: 2 }],
    ["several ops, their trampoline out of reach", { ops: 2, distance: FAR }],
  ] as const;

  it.each(options)("is safe with %s, whatever comes between", async (_, how) => {
    for (const [name, environment] of environments)
      expect(await ends(directCall(how), environment), name).toEqual(bothEnds("safe"));
    expect(await check("none", directCall(how))).toMatchObject({ verdict: "safe", unused: [] });
  });

  /** Where a CPU that runs the site gets to. */
  const reached = (how: Parameters<typeof directCall>[0]): ReadonlySet<bigint> => {
    const { machine } = createSimulation({ architecture: arm64() });
    const asked = machine({
      ...scenario(directCall(how)),
      sites: [{ address: AT, old: "bl", new: "nop" }],
      patchers: [{ strategy: directCall(how), sites: [0], flips: 1 }],
    });
    const seen = new Set<bigint>();
    let cpu = asked.initial().cpus[1];
    const memory = asked.initial().memory;
    for (let i = 0; i < 40 && cpu !== undefined; i++) {
      const context = cpu.stack.at(-1);
      if (context?.code.run !== "machine") break;
      if (!context.code.home) seen.add(context.code.pc);
      const [effect] = asked.rule("execute").apply({ cpu, memory } as never, {}, asked);
      cpu = effect?.set.cpu;
    }
    return seen;
  };

  it("goes straight to the trampoline, by ftrace_caller, or by the function that serves all", () => {
    const caller = AT + 0x1000n;
    expect(reached({}).has(caller)).toBe(true);
    expect(reached({}).has(caller + 4n)).toBe(true);
    expect(reached({ distance: FAR }).has(AT + FAR)).toBe(true);
    expect(reached({ ops: 2 }).has(caller + 0x180n)).toBe(true);
    expect(reached({ ops: 2 }).has(caller + 0x100n)).toBe(false);
  });

  const refused = (how: Parameters<typeof directCall>[0], site = "nop:bl"): string | undefined => {
    const [old, next] = site
      .split(":")
      .map((text) => arm64().instructionSet.assemble(text.replace(/^bl$/, `bl 0x${(AT + 0x1000n).toString(16)}`), AT));
    const plan: PatchProgram | Impossible = directCall(how).plan(
      { sites: [{ address: AT, old: old ?? [], next: next ?? [] }] },
      { instructionSet: arm64().instructionSet, mode: "", cpus: 2, reports: {} },
    );
    return isImpossible(plan) ? plan.impossible : undefined;
  };

  it("is impossible without CALL_OPS where one BL does not do", () => {
    expect(refused({ callOps: false })).toBeUndefined();
    expect(refused({ callOps: false, distance: FAR })).toMatch(
      /^one BL reaches 128 MiB either way, and without CALL_OPS nothing else/,
    );
    expect(refused({ callOps: false, ops: 2 })).toMatch(/^several ops trace the function, and without CALL_OPS/);
    expect(refused({ distance: 0x2000n })).toMatch(/is in reach, so the BL goes there and not to/);
  });
});

describe("func-op-pair", () => {
  it("calls a tracer with the ops of another one: preempted, or interrupted by the synchronisation itself", async () => {
    for (const [name, environment] of environments)
      expect(await ends(funcOpPair(), environment), name).toEqual(bothEnds("unsafe: pair"));
  });

  it("would be safe if nobody could be between the two loads when the function is set", async () => {
    const waits = changed(funcOpPair(), (plan) => {
      const [wait] = plan.main.filter(({ id }) => id === "wait-list");
      if (wait === undefined) throw new Error("It waits.");
      return {
        ...plan,
        main: plan.main.flatMap((line) => (line.id === "set-func" ? [{ ...wait, id: "wait-again" }, line] : [line])),
      };
    });
    expect(await answers(waits)).toEqual(everywhere("safe"));
    // A rude grace period does not wait for preempted tasks.
    expect(await answers(waits, { preempt: true })).toEqual(everywhere("unsafe: pair"));
  });
});
