import {
  arm64,
  arm64InstructionSet,
  type cmodxLists,
  nosync,
  nosyncIpi,
  plainStore,
  stopMachine,
  strategies,
} from "@cmodx/arm64";
import {
  createSimulation,
  InputError,
  type PatchProgram,
  type PatchStrategy,
  type Scenario,
  synchronisationsIn,
} from "@cmodx/core";
import { describe, expect, it, test } from "vitest";
import {
  AT,
  allBroken,
  answer,
  answers,
  cacheTypes,
  check,
  environments,
  everywhere,
  expectSameWithoutReductions,
  profiles,
  scenario,
} from "./check.js";

describe("every strategy", () => {
  it.each(strategies.map((strategy) => [strategy.id, strategy] as const))(
    "%s gives a verdict on its default site that is not empty",
    async (_, strategy) => {
      for (const profile of profiles) {
        const verdict = await check(profile, strategy);
        expect(verdict.verdict, profile).not.toBe("inconclusive");
        expect(verdict.verdict, profile).not.toBe("vacuous");
      }
    },
  );

  it("has an id of its own, and a source", () => {
    expect(new Set(strategies.map(({ id }) => id)).size).toBe(strategies.length);
    expect(strategies.every(({ source, summary }) => source.length > 10 && summary.length > 10)).toBe(true);
  });

  it("gives the verdicts of the documentation", async () => {
    const safe = [
      "stop-machine",
      "literal",
      "nosync",
      "nosync-ipi",
      "brk-emulate-synced",
      "event-switch",
      "call-ops",
      "xray",
    ];
    const expected: { readonly [id: string]: string } = {
      ...Object.fromEntries([...safe, "direct-call", "static-call"].map((id) => [id, "safe"])),
      "plain-store": "unsafe: old-or-new",
      "brk-emulate": "unsafe: trace",
      "func-op-pair": "unsafe: pair",
    };
    for (const strategy of strategies)
      expect(await answers(strategy), strategy.id).toEqual(everywhere(expected[strategy.id] as string));
  });

  it("touches no more than it declares, and is judged the same without reductions", async () => {
    for (const strategy of [nosyncIpi(), stopMachine()]) await expectSameWithoutReductions(strategy);
  });
});

describe("plain-store", () => {
  it("is as good as nosync-ipi where the store is one access, and torn where it is several", async () => {
    for (const width of [1, 2] as const)
      expect(await answers(plainStore({ width }))).toEqual(everywhere("unsafe: old-or-new"));
    for (const width of [4, 8] as const) expect(await answers(plainStore({ width }))).toEqual(everywhere("safe"));
  });

  it("over two instructions is seen whole in order where it is aligned, and byte by byte where it is not", async () => {
    const both = { site: "b+nop:mov x0, #1+mov x1, #2", patcher: { flips: 1 }, ignore: ["rule"] } as const;
    const verdicts = { ...everywhere("unsafe: mid-sequence"), "idc+dic": "safe" };
    for (const memory of ["sequential", "architectural"] as const) {
      expect(await answers(plainStore({ width: 8 }), { ...both, memory }), memory).toEqual(verdicts);
      const unaligned = await answers(plainStore({ width: 8 }), { ...both, memory, offset: 4 });
      expect(unaligned, memory).toEqual(everywhere("unsafe: old-or-new"));
      const words = answer(await check("idc+dic", plainStore({ width: 4 }), { ...both, memory }));
      expect(words, memory).toBe("unsafe: mid-sequence");
    }
  });
});

describe("nosync", () => {
  it("does not promise that nobody runs the old instruction afterwards, and somebody may", async () => {
    for (const profile of profiles)
      expect(await check(profile, nosync())).toMatchObject({ verdict: "safe", notPromised: ["done"] });
  });

  it("with the interrupt to all CPUs keeps that promise, with whatever comes between", async () => {
    for (const [name, environment] of environments)
      expect(await answers(nosyncIpi(), environment), name).toEqual(everywhere("safe"));
    expect(await answers(nosyncIpi(), { cpus: 3, patcher: { flips: "forever" } })).toEqual(everywhere("safe"));
  });

  it("without the interrupt breaks `done`, and without the wait for it", async () => {
    for (const drop of [["kick-send", "kick-wait"], ["kick-wait"]])
      expect(await answers(nosyncIpi(), { patcher: { drop } })).toEqual(everywhere("unsafe: done"));
  });

  it("without cache maintenance breaks `done` where the cache type needs it: the interrupt alone does not help", async () => {
    const without = async (fetch: string, ...drop: readonly string[]) =>
      answer(await check(fetch, nosyncIpi(), { patcher: { drop } }));
    expect(await without("none", "write-clean")).toBe("unsafe: done");
    expect(await without("none", "write-invalidate")).toBe("unsafe: done");
    expect(await without("idc", "write-invalidate")).toBe("unsafe: done");
    // This CPU's own synchronisation; the others have theirs from the interrupt.
    const alone = { cpus: 1, interrupts: { irq: true }, patcher: { drop: ["write-isb"] } };
    for (const fetch of cacheTypes) expect(allBroken(await check(fetch, nosync(), alone))).toEqual([]);
    expect(await check("none", nosync(), alone)).toMatchObject({ notPromised: [] });
  });

  it("invalidates before it cleans to no avail", async () => {
    const swapped: PatchStrategy = {
      ...nosyncIpi(),
      plan: (flip, context) => {
        const plan = nosyncIpi().plan(flip, context);
        if ("impossible" in plan) return plan;
        const main = [...plan.main];
        const [clean, invalidate] = ["write-clean", "write-invalidate"].map((id) =>
          main.findIndex((line) => line.id === id),
        );
        [main[clean as number], main[invalidate as number]] = [
          main[invalidate as number] as never,
          main[clean as number] as never,
        ];
        return { ...plan, main };
      },
    };
    expect(answer(await check("none", swapped))).toBe("unsafe: done");
    expect(answer(await check("none", nosyncIpi()))).toBe("safe");
  });

  it("does what the cache-type register asks for", () => {
    const operations = (fetch: string): readonly string[] => {
      const { machine } = createSimulation({ architecture: arm64({ fetch }) });
      const [plan] = machine(scenario(nosync())).layout.plans[0] as readonly [PatchProgram];
      return synchronisationsIn(plan.main).map(({ op, args }) =>
        "operation" in args ? args.operation : "kind" in args ? args.kind : op,
      );
    };
    const mapping = ["dsb ishst", "dsb ish"];
    expect(operations("none")).toEqual([...mapping, "dc cvau", "dsb ish", "ic ivau", "dsb ish", "syncCore"]);
    expect(operations("idc")).toEqual([...mapping, "dsb ishst", "ic ivau", "dsb ish", "syncCore"]);
    expect(operations("idc+dic")).toEqual([...mapping, "dsb ishst", "syncCore"]);
    // The erratum: that is what the register says, whatever the CPU does.
    expect(operations("neoverse-n1")).toEqual([...mapping, "dsb ishst", "syncCore"]);
  });
});

/** The kernel has handlers for all exceptions. */
const handled = { blocks: [{ address: AT + 0x800n, code: "ret" }], executors: [{ faults: AT + 0x800n }] } as const;

describe("the CMODX list", () => {
  const pair = async (site: string, cmodx: keyof typeof cmodxLists, environment = {}) =>
    answer(await check({ cmodx }, nosyncIpi(), { site, ...handled, ...environment }));

  it.each([
    ["nop:b", "safe", "safe", "safe"],
    ["nop:bl", "safe", "safe", "safe"],
    ["nop:svc #0", "safe", "safe", "safe"],
    ["isb:nop", "safe", "safe", "safe"],
    ["nop:brk #4", "safe", "safe", "unsafe: rule"],
    ["nop:hvc #0", "safe", "safe", "unsafe: rule"],
    ["nop:smc #0", "safe", "safe", "unsafe: rule"],
    ["nop:cbz x0, .+8", "safe", "unsafe: rule", "safe"],
    ["nop:b.eq .+8", "safe", "unsafe: rule", "unsafe: rule"],
    ["nop:mov x0, x1", "unsafe: rule", "unsafe: rule", "unsafe: rule"],
    ["mov x0, x1:nop", "unsafe: rule", "unsafe: rule", "unsafe: rule"],
    ["ret:nop", "unsafe: rule", "unsafe: rule", "unsafe: rule"],
  ])("a site %s is %s by the architecture, %s by Linux, %s by herd7", async (site, arm, linux, herd) => {
    expect([await pair(site, "arm"), await pair(site, "linux"), await pair(site, "herd")]).toEqual([arm, linux, herd]);
  });

  it("matters to those who do not stop the CPUs", async () => {
    const probe = { site: "mov x0, x1:brk #4", ...handled };
    expect(await answers(nosync(), probe)).toEqual(everywhere("unsafe: rule"));
    expect(await answers(stopMachine(), probe)).toEqual(everywhere("safe"));
  });

  it("can be chosen with the fetch model", async () => {
    const architecture = arm64({ fetch: "idc+linux" });
    expect(architecture.fetch.id).toBe("idc+linux");
    expect(answer(await check("idc+linux", nosyncIpi(), { site: "nop:cbz x0, .+8" }))).toBe("unsafe: rule");
    expect(answer(await check("idc+dic+herd", nosyncIpi(), { site: "nop:brk #4" }))).toBe("unsafe: rule");
    expect(architecture.fetchVariants?.map(({ id }) => id)).toEqual(["linux", "herd"]);
    expect(() => arm64({ fetch: "idc+itanium" })).toThrow(InputError);
    expect(() => arm64({ fetch: "l3" })).toThrow(
      /none, idc, idc\+dic, neoverse-n1, and each of them with \+linux or \+herd/,
    );
  });

  it("says in an unsafe verdict which list it is", async () => {
    const verdict = await check({ cmodx: "linux" }, nosync(), { site: "nop:cbz x0, .+8" });
    expect(verdict).toMatchObject({ property: "rule" });
    expect(verdict.verdict === "unsafe" && verdict.why).toMatch(/not both values are in the CMODX list \(linux\)/);
  });
});

describe("the exception model", () => {
  const { accepts, synchronizes, breakpoints } = arm64().cpu;

  it.each([
    ["irq", ["task"], false, true],
    ["irq", ["task"], true, false],
    ["irq", ["task", "irq"], false, false],
    ["irq", ["task", "nmi"], false, false],
    ["ipi", ["task", "stopper"], false, true],
    ["ipi", ["task", "stopper"], true, false],
    ["ipi", [], false, true],
    ["nmi", ["task"], true, true],
    ["nmi", ["task", "irq", "trap"], true, true],
    ["nmi", ["task", "nmi"], false, false],
  ] as const)("%s over %j, masked: %s, is taken: %s", (interrupt, levels, masked, taken) => {
    expect(accepts(interrupt, levels, masked)).toBe(taken);
  });

  it("synchronises on every entry and return, but not when tasks are switched", () => {
    for (const level of ["irq", "trap", "nmi"])
      for (const way of ["entry", "return"]) expect(synchronizes).toContain(`${level}-${way}`);
    expect(synchronizes).toContain("resume-preempted");
    expect(synchronizes).not.toContain("context-switch");
    expect(breakpoints).toEqual(["brk"]);
  });

  it("an interrupt's entry or its return is enough: the handler of the kick does nothing", async () => {
    const { cpu, ...rest } = arm64();
    const without = (...events: readonly string[]) => ({
      ...rest,
      cpu: { ...cpu, synchronizes: cpu.synchronizes.filter((event) => !events.includes(event)) },
    });
    // The sequential order asks for a synchronisation on every CPU; in the architectural one the invalidation reaches all of them.
    const asked: Scenario = { ...scenario(nosyncIpi()), memory: "sequential" };
    const verdict = async (...events: readonly string[]) =>
      answer(await createSimulation({ architecture: without(...events) }).check(asked));
    expect(await verdict()).toBe("safe");
    expect(await verdict("irq-return")).toBe("safe");
    // The sender may go on before the handler's return, but the interrupted code may not.
    expect(await verdict("irq-entry")).toBe("safe");
    expect(await verdict("irq-entry", "irq-return")).toBe("unsafe: done");
  });

  it.each(["isb", "dsb ish", "nop"])(
    "%s narrows, or does not, what the CPU that runs it may fetch",
    async (instruction) => {
      // The old code runs after the call returned: what stands before it must have come before the flush if it synchronises.
      const entry = AT + 0x200n;
      const verdict = await check(
        "none",
        { ...nosync(), promises: nosyncIpi().promises },
        {
          blocks: [{ address: entry, code: `${instruction}+b 0x${AT.toString(16)}` }],
          executors: [{ entries: [entry] }],
          patcher: { flips: 1 },
          properties: ["done"],
        },
      );
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      const executed = verdict.trace.findIndex(({ observed }) =>
        observed.some(({ detail }) => "at" in detail && detail.at === entry),
      );
      const flushed = verdict.trace.findIndex(({ step }) => step === "write-dsb-invalidate");
      expect(executed < flushed ? "before the flush" : "after the flush").toBe(
        instruction === "isb" ? "before the flush" : "after the flush",
      );
    },
  );
});

test("an encoding of every strategy's own breakpoint", () => {
  expect(arm64InstructionSet.assemble("brk #0x100", AT)).toEqual([0x00, 0x20, 0x20, 0xd4]);
});
