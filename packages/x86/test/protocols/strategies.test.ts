import { createSimulation, eventsOf, InputError, type Scenario, synchronisationsIn } from "@cmodx/core";
import {
  alignedStore,
  BATCH_CAPACITY,
  fetchModels,
  int3,
  int3Batch,
  plainStore,
  stopMachine,
  strategies,
  x86,
} from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { allBroken, answer, check, LINE, profiles } from "./check.js";

describe("every strategy", () => {
  it.each(strategies.map((strategy) => [strategy.id, strategy] as const))(
    "%s gives a verdict on its default site that is not empty",
    async (_, strategy) => {
      if (typeof strategy.defaultSite !== "string") throw new Error("x86 strategies have one default site.");
      for (const profile of profiles) {
        const verdict = await check(profile, strategy, { site: strategy.defaultSite });
        expect(verdict.verdict, profile).not.toBe("inconclusive");
        expect(verdict.verdict, profile).not.toBe("vacuous");
      }
    },
  );

  it("has an id of its own, and a source", () => {
    expect(new Set(strategies.map(({ id }) => id)).size).toBe(strategies.length);
    expect(strategies.every(({ source, summary }) => source.length > 10 && summary.length > 10)).toBe(true);
  });

  it.each(
    [plainStore({ width: 1 }), plainStore({ width: 8 }), alignedStore(), stopMachine()].map(
      (strategy, i) => [`${strategy.id} ${i}`, strategy] as const,
    ),
  )("%s replaces several instructions by one unsafely: mid-sequence is among what breaks", async (_, strategy) => {
    const several = { site: "nop+nop+nop+nop+nop:call", preempt: true, properties: ["mid-sequence"] } as const;
    for (const profile of profiles)
      expect(answer(await check(profile, strategy, several)), profile).toBe("unsafe: mid-sequence");
  });
});

describe("the profiles", () => {
  it("are chosen by name, the weakest when none is named", () => {
    expect(x86().fetch.id).toBe("intel");
    expect(fetchModels.map(({ id }) => x86({ fetch: id }).fetch.id)).toEqual([
      "intel",
      "intel-otc",
      "amd",
      "amd-ordered",
      "coherent",
    ]);
    expect(() => x86({ fetch: "itanium" })).toThrow(InputError);
  });

  const admits = (id: string, window: readonly (readonly number[])[], chosen: readonly number[]): string => {
    const admission = x86({ fetch: id }).fetch.admits(window, chosen, { at: 0n, mode: "", versions: [chosen] });
    return admission === "run" ? "run" : admission.breaks;
  };

  it.each([
    ["nothing changes", [[0xe8], [1]], [0xe8, 1], "run"],
    ["the first byte becomes INT3", [[0xcc, 0xe8], [1]], [0xe8, 1], "run"],
    ["the first byte was INT3", [[0xe8, 0xcc], [1]], [0xe8, 1], "run"],
    ["the first byte had three values", [[0xe8, 0xcc, 0x0f], [1]], [0xe8, 1], "rule"],
    ["the first byte changes otherwise", [[0xe8, 0xe9], [1]], [0xe8, 1], "rule"],
    ["another byte changes", [[0xe8], [1, 2]], [0xe8, 1], "rule"],
    ["another byte becomes INT3", [[0xe8], [0xcc, 2]], [0xe8, 2], "rule"],
    [
      "first byte and tail both change",
      [
        [0xe8, 0xcc],
        [1, 2],
      ],
      [0xe8, 1],
      "rule",
    ],
  ])("intel, and intel-otc by what R9 leaves, where %s", (_, window, chosen, expected) => {
    for (const id of ["intel", "intel-otc"]) expect(admits(id, window, chosen), id).toBe(expected);
  });

  it("amd and coherent decode whatever is fetched", () => {
    for (const id of ["amd", "coherent"])
      expect(
        admits(
          id,
          [
            [1, 2, 3],
            [4, 5],
          ],
          [3, 5],
        ),
      ).toBe("run");
  });
});

describe("the exception model", () => {
  const { accepts, synchronizes, breakpoints } = x86().cpu;

  it.each([
    ["irq", ["task"], false, true],
    ["irq", ["task"], true, false],
    ["irq", ["task", "irq"], false, false],
    ["irq", ["task", "nmi"], false, false],
    ["ipi", ["task", "stopper"], false, true],
    ["ipi", ["task", "stopper"], true, false],
    ["ipi", ["task", "irq", "nmi"], true, false],
    ["ipi", [], false, true],
    ["nmi", ["task"], true, true],
    ["nmi", ["task", "irq", "trap"], true, true],
    ["nmi", ["task", "nmi"], false, false],
    ["nmi", ["task", "nmi", "trap"], true, false],
  ] as const)("%s over %j, masked: %s, is taken: %s", (interrupt, levels, masked, taken) => {
    expect(accepts(interrupt, levels, masked)).toBe(taken);
  });

  it("serialises on returns, not on entries, and not when tasks are switched", () => {
    expect(synchronizes).toEqual(
      expect.arrayContaining(["irq-return", "trap-return", "nmi-return", "resume-preempted"]),
    );
    for (const event of ["irq-entry", "trap-entry", "nmi-entry", "context-switch"])
      expect(synchronizes).not.toContain(event);
    expect(breakpoints).toEqual(["int3"]);
  });

  it.each(["cpuid", "serialize"])("%s narrows what the CPU that runs it may fetch", async (instruction) => {
    // The old code runs after the patch call returned: for that it must have serialised before the store.
    const last = async (code: string): Promise<"before the store" | "after the store"> => {
      const more = {
        blocks: [{ address: LINE + 0x200n, code: `${code}+jmp 0x${LINE.toString(16)}` }],
        executors: [{ entries: [LINE + 0x200n] }],
      };
      const verdict = await check("amd", alignedStore(), { ...more, patcher: { flips: 1, drop: ["sync"] } });
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      const executed = verdict.trace.findIndex(({ observed }) =>
        eventsOf(observed, "execute").some(({ text }) => text === code),
      );
      const stored = verdict.trace.findIndex(({ rule }) => rule === "store");
      return executed < stored ? "before the store" : "after the store";
    };
    expect(await last("nop")).toBe("after the store");
    expect(await last(instruction)).toBe("before the store");
  });
});

describe("int3-batch", () => {
  const sites = (count: number, old = "nop2", next = "jmp8"): Scenario["sites"] =>
    Array.from({ length: count }, (_, i) => ({ address: LINE + BigInt(16 * i), old, new: next }));
  const batch = (count: number, more: Partial<Scenario> = {}): Scenario => ({
    name: `${count} sites`,
    sites: sites(count),
    patchers: [{ strategy: int3Batch(), sites: Array.from({ length: count }, (_, i) => i), flips: 1 }],
    cpus: 2,
    ...more,
  });
  const { check: checkOn, simulate } = createSimulation({ architecture: x86() });

  it("patches two sites at once, each found by its address", async () => {
    for (const profile of profiles) {
      const verdict = await createSimulation({ architecture: x86({ fetch: profile }) }).check(batch(2));
      expect(verdict, profile).toMatchObject({ verdict: "safe" });
    }
    const different = {
      sites: [
        { address: LINE, old: "nop2", new: "jmp8" },
        { address: LINE + 16n, old: "nop5", new: "call" },
      ],
    };
    expect(answer(await checkOn(batch(2, different)))).toBe("safe");
  });

  it("without the synchronisation before the array is cleared a trap finds no entry", async () => {
    const dropped = { ...batch(2), patchers: [{ strategy: int3Batch(), sites: [0, 1], flips: 1, drop: ["sync-3"] }] };
    expect(allBroken(await checkOn(dropped))).toContain("trap-owned");
  });

  it.each([1, 2, BATCH_CAPACITY, BATCH_CAPACITY + 1, 600])(
    "costs three rounds of interrupts for each 256 of %i sites",
    (count) => {
      const batches = Math.ceil(count / 256);
      const run = simulate(batch(count));
      expect(run).toMatchObject({ flips: 1, ipiRounds: 3 * batches, interrupts: 3 * batches, stops: 0 });
      expect(simulate(batch(count, { cpus: 4, executors: [] })).interrupts).toBe(9 * batches);
    },
  );

  it("leaves every site changed", () => {
    const { end } = simulate(batch(300));
    const { layout } = createSimulation({ architecture: x86() }).machine(batch(300));
    const bytes = layout.sites.map(({ address }) =>
      [0n, 1n].map((i) => end.memory.cells[(address + i).toString(16)]?.latest).join(""),
    );
    expect(new Set(bytes)).toEqual(new Set(["eb3e"]));
    expect(end.memory.sites.every(({ from, to, calling }) => from === 0 && to === 1 && !calling)).toBe(true);
  });

  it("a capacity of 256", () => {
    expect(BATCH_CAPACITY).toBe(256);
  });

  it("int3 itself takes one site", async () => {
    const two = { ...batch(2), patchers: [{ strategy: int3(), sites: [0, 1], flips: 1 }] };
    await expect(checkOn(two)).rejects.toThrow("it patches one site at a time, not 2");
  });

  it("names its synchronisations", () => {
    const plan = int3().plan(
      { sites: [{ address: LINE, old: [0x66, 0x90], next: [0xeb, 0x3e] }] },
      { instructionSet: x86().instructionSet, mode: "", cpus: 2, reports: {} },
    );
    if ("impossible" in plan) throw new Error(plan.impossible);
    expect(synchronisationsIn(plan.main).map(({ id }) => id)).toEqual(["sync-1", "sync-2", "sync-3", "wait-refs"]);
  });
});
