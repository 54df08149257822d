import { describe, expect, it } from "vitest";
import {
  afterEffect,
  type Choice,
  type CodeBlock,
  createSimulation,
  type Data,
  DEVELOPMENT,
  type Effect,
  type Executor,
  enabledSteps,
  follow,
  InputError,
  initialView,
  type Patcher,
  type Plugin,
  parseSavedTrace,
  RULES,
  rule,
  type SavedTrace,
  type Scenario,
  type SimulationOptions,
  type Site,
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
  strategy((flip) => [store("write", first(flip).address, first(flip).next), syncCores("sync")]),
  { cpus: 3, interrupts: { irq: true } },
);

type Unsafe = Extract<Verdict, { readonly verdict: "unsafe" }>;

const verdict = simulation.check(torn);
const broken = async (): Promise<Unsafe> => {
  const found = await verdict;
  if (found.verdict !== "unsafe") throw new Error("It is unsafe.");
  return found;
};
const saved = async (): Promise<SavedTrace> =>
  JSON.parse(JSON.stringify(await simulation.save(torn, await broken(), { who: "asked" })));

/** What is told from what else, with options of the simulation beside the architecture. */
type Told = readonly [
  what: string,
  one: Scenario,
  other: Scenario,
  options: Partial<SimulationOptions>,
  others: Partial<SimulationOptions>,
];

/** A plugin with a rule that nothing uses. */
const bringing = (reads: readonly "services"[]): Plugin => ({
  id: "own",
  install: (binder) =>
    binder.add(RULES, {
      rules: [rule({ id: "own", source: "this test", reads, writes: [], apply: () => [] })],
      maps: [],
      predicates: [],
    }),
});

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

  // A field that a scenario gets has to be here too: what a verdict depends on is in the fingerprint.
  const patcher = torn.patchers[0] as Patcher;
  const fields: { readonly [field in Exclude<keyof Scenario, "name">]-?: Partial<Scenario> } = {
    sites: { sites: [site("nop3", "jump")] },
    patchers: { patchers: [] },
    executors: { executors: [{ entries: [AT] }] },
    cpus: { cpus: 4 },
    interrupts: { interrupts: { irq: false } },
    preempt: { preempt: true },
    user: { user: true },
    memory: { memory: "architectural" },
    decoder: { decoder: "packets" },
    blocks: { blocks: [{ address: 0x3000n, code: "ret" }] },
    exits: { exits: [0x4000n] },
    data: { data: [{ address: 0x3000n, bytes: [1] }] },
    text: { text: [{ address: AT, size: 3, access: "rwx" }] },
    properties: { properties: ["old-or-new"] },
    ignore: { ignore: ["done"] },
    judges: { judges: [{ id: "own", breaksWhen: "never", judge: () => undefined }] },
  };
  const two: Scenario = { ...torn, sites: [site("nop3", "call"), site("nop3", "call", AT + 0x20n)] };
  const ofSite: { readonly [field in Exclude<keyof Site, "origin">]-?: Partial<Site> } = {
    address: { address: AT + 0x40n },
    old: { old: "nop+nop+nop" },
    new: { new: "jump" },
    mode: { mode: "wide" },
    data: { data: true },
    after: { after: "nop+ret" },
  };
  const ofPatcher: { readonly [field in keyof Patcher]-?: Partial<Patcher> } = {
    strategy: {
      strategy: strategy((flip) => [store("write", first(flip).address, first(flip).next), syncCores("sync-2")]),
    },
    sites: { sites: [1] },
    flips: { flips: 3 },
    drop: { drop: ["sync"] },
    add: { add: [{ after: null, line: syncCores("first") }] },
    cpu: { cpu: 1 },
  };
  const ofExecutor: { readonly [field in keyof Executor]-?: Executor } = {
    entries: { entries: [AT, AT + 3n] },
    count: { count: 1 },
    once: { once: true },
    registers: { registers: { acc: 1n } },
    faults: { faults: AT },
  };
  const ofBlock: { readonly [field in keyof CodeBlock]-?: Partial<CodeBlock> } = {
    address: { address: 0x3008n },
    code: { code: "nop+ret" },
    mode: { mode: "wide" },
    forbidden: { forbidden: "nobody gets here" },
    readSide: { readSide: "rcu" },
  };
  const block: CodeBlock = { address: 0x3000n, code: "ret" };
  const own: Plugin = { id: "own", install() {} };
  const wide = { ...toy(), instructionSet: { ...toy().instructionSet, modes: ["wide"] } };
  const withBlock = { ...torn, blocks: [block], executors: [{ entries: [0x3000n] }] };

  it.each<Told>([
    ...Object.entries(fields).map(([field, more]) => [field, torn, { ...torn, ...more }, {}, {}] as const),
    ...Object.entries(ofSite).map(
      ([field, more]) =>
        [`sites.${field}`, torn, { ...torn, sites: [{ ...site("nop3", "call"), ...more }] }, {}, {}] as const,
    ),
    ...Object.entries(ofPatcher).map(
      ([field, more]) => [`patchers.${field}`, two, { ...two, patchers: [{ ...patcher, ...more }] }, {}, {}] as const,
    ),
    ...Object.entries(ofExecutor).map(
      ([field, executor]) => [`executors.${field}`, torn, { ...torn, executors: [executor] }, {}, {}] as const,
    ),
    ...Object.entries(ofBlock).map(
      ([field, more]) =>
        [
          `blocks.${field}`,
          withBlock,
          { ...withBlock, blocks: [{ ...block, ...more }], ...(field === "address" ? { executors: [{}] } : {}) },
          {},
          {},
        ] as const,
    ),
    ["interrupts.irq", torn, { ...torn, interrupts: { irq: false } }, {}, {}],
    ["interrupts.nmi", torn, { ...torn, interrupts: { irq: true, nmi: true } }, {}, {}],
    ["a plugin", torn, torn, {}, { plugins: [own] }],
    [
      "what a plugin replaces",
      torn,
      torn,
      { plugins: [own] },
      {
        plugins: [{ id: "own", replaces: [DEVELOPMENT], install: (to) => to.provide(DEVELOPMENT, false) }],
      },
    ],
    ["the footprint of a rule", torn, torn, { plugins: [bringing([])] }, { plugins: [bringing(["services"])] }],
    ["late traps", torn, torn, {}, { architecture: { ...wide, fetch: { ...untilSync, lateTrap: true } } }],
  ])("its fingerprint tells %s", async (_, one, other, options, others) => {
    const of = async (scenario: Scenario, more: Partial<SimulationOptions>): Promise<string> =>
      (await createSimulation({ architecture: wide, ...more }).save(scenario, await broken())).model;
    expect(await of(one, options)).toBe(await of({ ...one, name: "another" }, options));
    expect(await of(other, others)).not.toBe(await of(one, options));
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

  const whole = { schema: TRACE_SCHEMA, model: "a", request: null, property: "done", why: "", steps: [] };
  const choice = { cpu: 0, rule: "x", step: null, candidate: 0, choice: 0 };

  it.each<readonly [unknown, string, string]>([
    [null, "trace has to be a saved counterexample, not null", "trace"],
    [[1], "trace has to be a saved counterexample, not a list", "trace"],
    [{ schema: "cmodx/trace/0" }, 'trace.schema has to be "cmodx/trace/1", not "cmodx/trace/0"', "trace.schema"],
    [{ schema: TRACE_SCHEMA }, "trace.model is missing", "trace.model"],
    [{ ...whole, property: 1 }, "trace.property has to be text, not 1", "trace.property"],
    [{ ...whole, steps: {} }, "trace.steps has to be a list of steps, not an object", "trace.steps"],
    [{ ...whole, steps: [null] }, "trace.steps[0] has to be a choice of a CPU, not null", "trace.steps[0]"],
    [
      { ...whole, steps: [{ ...choice, cpu: 1.5 }] },
      "trace.steps[0].cpu has to be a whole number from 0 on, not 1.5",
      "trace.steps[0].cpu",
    ],
    [
      { ...whole, steps: [{ ...choice, chioce: 1 }] },
      "trace.steps[0].chioce is no field of a choice of a CPU; did you mean choice",
      "trace.steps[0].chioce",
    ],
    [{ ...whole, loop: 0 }, "trace has a loop that begins at none of its steps", "trace"],
    [JSON.parse('{"__proto__": 1}'), "trace.schema is missing", "trace.schema"],
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
      "has a loop that begins at none of its steps",
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
