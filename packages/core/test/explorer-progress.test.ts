import { describe, expect, it } from "vitest";
import {
  ack,
  type CheckOptions,
  claim,
  createSimulation,
  emulate,
  eq,
  type Line,
  load,
  local,
  lock,
  type Patcher,
  type PatchProgram,
  type Scenario,
  same,
  sendIpi,
  set,
  step,
  stopMachine,
  store,
  syncCores,
  toHex,
  unlock,
  until,
  type Verdict,
  waitIpi,
  waitRcuTasks,
  whileLocal,
} from "../src/index.js";
import { granules, toy, untilSync } from "./toy/architecture.js";
import { AT, first, only, scenario, site, strategy } from "./toy/scenario.js";

type Unsafe = Extract<Verdict, { readonly verdict: "unsafe" }>;

/** The verdict on `progress`, however it is searched for. */
const progress = async (of: Scenario, fetch = untilSync): Promise<Verdict> => {
  const { check } = createSimulation({ architecture: toy({ fetch, cpu: { trapsMask: true } }), development: true });
  const verdicts: Verdict[] = [];
  for (const options of [{ reduce: true }, { singly: 0 }, { reduce: false }] satisfies readonly CheckOptions[])
    verdicts.push(await check({ ...of, ...only("progress") }, options));
  const [reduced, sets, plain] = verdicts as [Verdict, Verdict, Verdict];
  expect(reduced.verdict).toBe(plain.verdict);
  expect(sets.verdict).toBe(plain.verdict);
  return plain;
};

/** A loop that comes back to where it begins. */
const expectLoop = (verdict: Verdict): Unsafe & { readonly loop: number } => {
  if (verdict.verdict !== "unsafe" || verdict.loop === undefined) throw new Error(`No loop: ${verdict.verdict}`);
  const { trace, loop } = verdict;
  const start = trace[loop]?.before;
  const end = trace[trace.length - 1]?.after;
  expect(loop).toBeLessThan(trace.length);
  expect(same(start as never, end as never)).toBe(true);
  return { ...verdict, loop };
};

const patching = (lines: readonly Line[], program: Omit<PatchProgram, "main"> = {}, id = "test") =>
  strategy(() => lines, { id, program: () => program });

const trap = store("trap", AT, [0x02]);

describe("a fair cycle that keeps something for ever breaks progress", () => {
  it("a breakpoint that nobody takes away, whose handler starts the instruction again", async () => {
    const verdict = await progress(
      scenario(patching([trap], { traps: { brk: [step("again", "restart"), claim()] } }), {}),
    );
    const { why, trace, loop } = expectLoop(verdict);
    expect(why).toMatch(/^CPU 1 need never come out of a trap, an interrupt or a wait of its task at 0x1010:/);
    expect(new Set(trace.slice(loop).map(({ cpu }) => cpu))).toEqual(new Set([1]));
    expect(trace.slice(loop).map(({ rule }) => rule)).toContain("enter-trap");
  });

  it("a grace period that a stopper waits for, and a task that was taken off in code that nobody writes", async () => {
    const stop = stopMachine("stop", { run: [waitRcuTasks("grace")] });
    const of = scenario(patching([stop]), { preempt: true, sites: [site("nop3", "call")] });
    expect(await progress(of)).toMatchObject({ verdict: "unsafe", property: "progress" });
  });

  it("and is not known to, when the time for looking is up", async () => {
    const now = performance.now.bind(performance);
    // The clock leaps once the states have been visited.
    performance.now = () => now() + (new Error().stack?.includes("FairCycles") ? 1e9 : 0);
    try {
      const endless = scenario(patching([trap], { traps: { brk: [step("again", "restart"), claim()] } }), {});
      const { check } = createSimulation({ architecture: toy({ cpu: { trapsMask: true } }) });
      const asked = { ...endless, properties: ["progress"] as const };
      const verdict = await check(asked, { bounds: { milliseconds: 1e6 } });
      expect(verdict).toMatchObject({ verdict: "inconclusive", limit: "milliseconds" });
      expect(await check(asked)).toMatchObject({ verdict: "unsafe" });
    } finally {
      performance.now = now;
    }
  });

  it("a stop_machine whose stopper a task that fetches what is stale for ever keeps off its CPU, unless it is preempted", async () => {
    const stops = strategy((flip) => [
      stopMachine("stop", { run: [store("whole", AT, first(flip).next, { width: 4 })] }),
    ]);
    // The second call finds the task going round in the first one's jump to itself, which it need not ever see otherwise.
    const spins = scenario(stops, { sites: [site("nop3", `jump ${AT}`)], patcher: { flips: 2 } });
    const whole = { ...untilSync, unit: 4 };
    const { why, trace, loop } = expectLoop(await progress(spins, whole));
    expect(why).toMatch(/^The call of patcher 0 need never end: .* comes back to stop for ever/);
    expect(trace.slice(loop).every(({ rule }) => rule === "execute")).toBe(true);
    expect((await progress({ ...spins, preempt: true }, whole)).verdict).toBe("safe");
  });

  it("but not where the patcher takes it away: its turn comes", async () => {
    const both = strategy((flip) => [trap, store("new", AT, first(flip).next, { width: 4 }), syncCores("sync")], {
      program: () => ({ traps: { brk: [step("again", "restart"), claim()] } }),
    });
    expect(await progress(scenario(both))).toMatchObject({ verdict: "safe" });
  });

  const polls = (answer: Omit<PatchProgram, "main">, ...more: readonly Line[]) =>
    patching(
      [
        ...more,
        load("look", "answer", "seen"),
        whileLocal("poll", eq(local("seen"), 0), [load("again", "answer", "seen")]),
      ],
      { words: { answer: 0 }, ...answer },
    );

  it("a patcher that polls for what only an NMI would do", async () => {
    const handlers = { traps: { nmi: [set("answer", "answer", 1)] } };
    const { why, trace, loop } = expectLoop(await progress(scenario(polls(handlers), { interrupts: { nmi: true } })));
    expect(why).toMatch(/^The call of patcher 0 need never end: .*comes back to again for ever/);
    expect(trace.slice(loop).every(({ rule }) => rule !== "nmi" && rule !== "returnCall")).toBe(true);
  });

  describe("by endless interrupts from outside alone", () => {
    // Every CPU says that it is in its handler, and that it has left it.
    const busy = { words: { busy: 0 }, traps: { irq: [set("in", "busy", 1), set("out", "busy", 0)] } };
    const waiting = (more: Partial<Scenario> = {}) =>
      scenario(patching([until("wait", "busy", 0)], busy), { interrupts: { irq: true }, ...more });

    it("is told apart from what goes on by itself, and what else there is to say stands beside", async () => {
      const verdict = expectLoop(await progress(waiting()));
      expect(verdict.trace.slice(verdict.loop).some(({ rule }) => rule === "irq")).toBe(true);
      expect(verdict.why).toMatch(/interrupts from outside that never stop coming: after the last of them it ends\.$/);
      expect(verdict.otherwise).toBe("vacuous");
      const { check } = createSimulation({ architecture: toy() });
      const all = await check(waiting({ properties: ["fault", "progress"] }));
      expect(all).toMatchObject({ verdict: "unsafe", property: "progress", otherwise: "safe" });
    });

    it("is not what a wait is that nobody ends, interrupts or none", async () => {
      // Only an NMI ends it; interrupts may come as often as they like meanwhile, and need not.
      const handlers = { irq: [set("in", "busy", 1), set("out", "busy", 0)], nmi: [set("answer", "answer", 1)] };
      const stuck = scenario(polls({ words: { answer: 0, busy: 0 }, traps: handlers }), {
        interrupts: { irq: true, nmi: true },
      });
      const verdict = expectLoop(await progress(stuck));
      expect(verdict.otherwise).toBeUndefined();
      expect(verdict.why).not.toContain("from outside");
      expect(verdict.trace.slice(verdict.loop).every(({ rule }) => rule !== "irq")).toBe(true);
    });
  });

  it("but not one that polls for what an interrupt that it sent does", async () => {
    const asking = sendIpi("ask", [ack(), set("answer", "answer", 1)]);
    expect(await progress(scenario(polls({}, asking)))).toMatchObject({ verdict: "safe" });
  });

  const other = (lines: readonly Line[], flips: Patcher["flips"], id: string, i: number): Patcher => ({
    strategy: patching(lines, { words: { word: 0 } }, id),
    sites: [i],
    flips,
  });
  const two = (one: readonly Line[], endless: readonly Line[]): Scenario => ({
    name: "two patchers",
    sites: [0, 1].map((i) => site("nop", "ret", AT + 4n * BigInt(i))),
    patchers: [other(one, 1, "one", 0), other(endless, "forever", "endless", 1)],
    executors: [],
    cpus: 2,
  });

  it("a patcher that looks for a moment at which it may never look", async () => {
    const verdict = await progress(two([until("wait", "word", 1)], [set("up", "word", 1), set("down", "word", 0)]));
    expect(expectLoop(verdict).why).toMatch(/^The call of patcher 0 .* comes back to wait for ever/);
  });

  it("a handler that looks for such a moment", async () => {
    const handler = { traps: { brk: [until("wait", "word", 1)] } };
    const of = two([trap], [set("up", "word", 1), set("down", "word", 0)]);
    const [one, endless] = of.patchers as [Patcher, Patcher];
    const trapping = { ...one, strategy: patching([trap], { words: { word: 0 }, ...handler }, "one") };
    const verdict = await progress({ ...of, patchers: [trapping, endless], executors: [{ entries: [AT] }], cpus: 3 });
    expect(expectLoop(verdict).why).toMatch(/^CPU 2 need never come out of a trap, an interrupt or a wait/);
  });

  it("but not one that sleeps for a lock, for its turn comes", async () => {
    const section = [lock("lock", "mutex"), unlock("unlock", "mutex")];
    expect(await progress(two(section, section))).toMatchObject({ verdict: "safe" });
  });

  it("no call ends where two handlers wait for each other, though interrupts come in between", async () => {
    const verdict = await progress(
      scenario(
        patching([trap, until("wait", "never", 1)], {
          words: { never: 0 },
          traps: { brk: [until("stay", "never", 1)] },
        }),
        { interrupts: { nmi: true } },
      ),
    );
    expect(verdict).toMatchObject({ verdict: "unsafe", property: "progress" });
    expect((verdict as Unsafe).loop).toBeUndefined();
  });
});

describe("fairness is asked of those who can be kept from their turn", () => {
  const int3 = strategy(
    (flip) => [
      trap,
      sendIpi("ask", []),
      waitIpi("wait", "ask"),
      store("new", AT, first(flip).next, { width: 4 }),
      syncCores("sync"),
    ],
    { program: (flip) => ({ traps: { brk: [emulate("emulate", toHex(first(flip).next)), claim()] } }) },
  );

  it("a CPU that is trapped in every round takes its interrupt in the end", async () => {
    expect(await progress(scenario(int3))).toMatchObject({ verdict: "safe" });
  });

  it("a patcher that never stops is fine where each of its calls ends", async () => {
    expect(await progress(scenario(int3, { patcher: { flips: "forever" } }))).toMatchObject({ verdict: "safe" });
  });

  it("a part of an instruction that an interrupt discards was no turn", async () => {
    const crossing = [site("nop3", "call", AT + 2n)];
    const waiting = patching([waitRcuTasks("wait")]);
    const { check } = createSimulation({ architecture: toy({ fetch: granules }) });
    for (const reduce of [true, false]) {
      const of = scenario(waiting, { sites: crossing, interrupts: { nmi: true }, ...only("progress") });
      expect(await check(of, { reduce })).toMatchObject({ verdict: "safe" });
    }
  });

  it("a task that is interrupted or taken off again and again goes on in the end", async () => {
    for (const more of [{ interrupts: { nmi: true } }, { interrupts: { irq: true } }, { preempt: true }])
      expect(await progress(scenario(int3, more))).toMatchObject({ verdict: "safe" });
  });
});
