import { describe, expect, it } from "vitest";
import {
  afterEffect,
  type Choice,
  createSimulation,
  type Data,
  type Effect,
  enabledSteps,
  follow,
  InputError,
  initialView,
  parseSavedTrace,
  type SavedTrace,
  same,
  store,
  syncCores,
  TRACE_SCHEMA,
  type Verdict,
} from "../src/index.js";
import { granules, toy, toyCpu, untilSync } from "./toy/architecture.js";
import { AT, first, only, scenario, site, strategy } from "./toy/scenario.js";

const simulation = createSimulation({ architecture: toy() });
const torn = scenario(
  strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")]),
  { cpus: 3, interrupts: { irq: true } },
);

type Unsafe = Extract<Verdict, { readonly verdict: "unsafe" }>;

const broken = async (): Promise<Unsafe> => {
  const verdict = await simulation.check(torn);
  if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
  return verdict;
};
const saved = async (): Promise<SavedTrace> =>
  JSON.parse(JSON.stringify(await simulation.save(torn, await broken(), { who: "asked" })));

describe("a counterexample that was saved", () => {
  it("replays to the same steps and the same violation", async () => {
    const verdict = await broken();
    const { trace, broken: again } = await simulation.replay(torn, await saved());
    expect(trace).toEqual(verdict.trace);
    expect(again).toEqual(verdict.broken);
  });

  it("says what it is, and keeps what whoever saved it wanted kept", async () => {
    expect(await saved()).toMatchObject({
      schema: TRACE_SCHEMA,
      property: "old-or-new",
      request: { who: "asked" },
      model: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each([
    ["another fetch model", { architecture: toy({ fetch: granules }) }, torn],
    ["another unit", { architecture: toy({ fetch: { ...untilSync, unit: 2 } }) }, torn],
    ["other synchronisations", { architecture: toy({ cpu: { synchronizes: toyCpu.synchronizes.slice(1) } }) }, torn],
    ["one CPU more", { architecture: toy() }, { ...torn, cpus: 4 }],
    ["preemption", { architecture: toy() }, { ...torn, preempt: true }],
    ["other code", { architecture: toy() }, { ...torn, sites: [site("nop3", "jump")] }],
    [
      "another address",
      { architecture: toy() },
      { ...torn, sites: [{ address: AT, old: "nop3", new: "call 0x1114" }] },
    ],
    [
      "a step dropped",
      { architecture: toy() },
      { ...torn, patchers: torn.patchers.map((patcher) => ({ ...patcher, drop: ["sync"] })) },
    ],
    [
      "one flip more",
      { architecture: toy() },
      { ...torn, patchers: torn.patchers.map((patcher) => ({ ...patcher, flips: 3 })) },
    ],
  ])("is refused by a model with %s", async (_, options, other) => {
    const trace = await saved();
    await expect(createSimulation(options).replay(other, trace)).rejects.toThrow(
      /^The trace is of another model \([0-9a-f]{12}…, this one is [0-9a-f]{12}…\); it cannot be replayed here\.$/,
    );
  });

  it("is the same model under another name of the scenario", async () => {
    const { broken: again } = await simulation.replay({ ...torn, name: "renamed" }, await saved());
    expect(again.length).toBeGreaterThan(0);
  });

  it("is refused at the first step that is not possible", async () => {
    const trace = await saved();
    const impossible = {
      ...trace,
      steps: [trace.steps[0], { ...trace.steps[1], cpu: 7 }, ...trace.steps.slice(2)],
    } as SavedTrace;
    await expect(simulation.replay(torn, impossible)).rejects.toThrow(
      "Step 2 of the trace (CPU 7, write) is not possible there.",
    );
    const outcome = { ...trace, steps: trace.steps.map((step) => ({ ...step, choice: 99 })) };
    await expect(simulation.replay(torn, outcome)).rejects.toThrow("Step 1 of the trace");
  });

  it("is refused when its last step breaks something else, or nothing", async () => {
    const trace = await saved();
    await expect(simulation.replay(torn, { ...trace, property: "lifetime" })).rejects.toThrow(
      "does not break lifetime",
    );
    await expect(simulation.replay(torn, { ...trace, steps: trace.steps.slice(0, -1) })).rejects.toThrow(
      "does not break old-or-new",
    );
  });

  it.each<readonly [unknown, string, string]>([
    [null, "it holds no JSON object", "top level"],
    [[1], "its schema is undefined", "schema"],
    [{ schema: "cmodx/trace/0" }, 'its schema is "cmodx/trace/0", not "cmodx/trace/1"', "schema"],
    [{ schema: TRACE_SCHEMA }, "it names no model", "model"],
    [{ schema: TRACE_SCHEMA, model: "a" }, "it names no broken property", "property"],
    [{ schema: TRACE_SCHEMA, model: "a", property: "done", why: "" }, "it has no list of steps", "steps"],
    [
      { schema: TRACE_SCHEMA, model: "a", property: "done", why: "", steps: [null] },
      "step 1 is not a choice",
      "steps[0]",
    ],
    [
      {
        schema: TRACE_SCHEMA,
        model: "a",
        property: "done",
        why: "",
        steps: [{ cpu: "0", rule: "x", step: null, choice: 0 }],
      },
      "step 1 is not a choice",
      "steps[0]",
    ],
  ])("a file that holds %j is none: %s", (value, what, place) => {
    let thrown: unknown;
    try {
      parseSavedTrace(value, "trace.json");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InputError);
    expect(thrown).toMatchObject({ file: "trace.json", place });
    expect((thrown as Error).message).toContain(`trace.json is no saved counterexample: ${what}`);
  });

  it("a file that is one is read as it is", async () => {
    const trace = await saved();
    expect(parseSavedTrace(JSON.parse(JSON.stringify(trace)), "trace.json")).toEqual(trace);
  });

  it("whose steps repeat for ever keeps where its cycle begins, and leads back there", async () => {
    // Executor rounds of an unpatched site: one round leads back to where it began.
    const idle = scenario(
      strategy(() => []),
      { sites: [site("nop", "ret")] },
    );
    const machine = simulation.machine(idle);
    const round: Choice[] = [];
    for (let view = initialView(machine); ; ) {
      const [enabled] = enabledSteps(machine, view, 1);
      if (enabled === undefined) throw new Error("An executor can always go on.");
      const { candidate, index, effects } = enabled;
      round.push({ cpu: 1, rule: candidate.rule.id, step: candidate.step, candidate: index, choice: 0 });
      view = afterEffect(machine, view, 1, effects[0] as Effect);
      if (same(view as unknown as Data, initialView(machine) as unknown as Data)) break;
    }
    const verdict = { ...(await broken()), trace: follow(machine, round), property: "progress" as const, loop: 0 };
    const kept = await simulation.save(idle, verdict);
    expect(kept.loop).toBe(0);
    expect(parseSavedTrace(kept, "trace.json")).toEqual(kept);
    expect((await simulation.replay(idle, kept)).trace).toEqual(verdict.trace);
    const open = { ...kept, steps: kept.steps.slice(0, -1) };
    await expect(simulation.replay(idle, open)).rejects.toThrow("does not lead back to where its loop begins");
    expect(() => parseSavedTrace({ ...kept, loop: kept.steps.length }, "trace.json")).toThrow(
      "its loop begins at none",
    );
  });

  it("of `progress` leads to the state from which nothing can finish", async () => {
    const stuck = scenario(
      strategy(() => [{ id: "wait", op: "until", args: { word: "go", value: 1 } }], {
        program: () => ({ words: { go: 0 } }),
      }),
      only("progress"),
    );
    const verdict = await simulation.check(stuck);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    const { trace } = await simulation.replay(stuck, await simulation.save(stuck, verdict));
    expect(trace).toEqual(verdict.trace);
  });
});
