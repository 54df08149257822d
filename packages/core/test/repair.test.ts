import { describe, expect, it } from "vitest";
import {
  type Addition,
  countedProperties,
  createSimulation,
  eq,
  eventProperties,
  InputError,
  type Line,
  lock,
  maskIrq,
  parseAddition,
  type RepairOptions,
  type Repairs,
  type Scenario,
  sendIpi,
  set,
  stopMachine,
  store,
  syncCore,
  syncCores,
  synchronisationsOf,
  unlock,
  unmaskIrq,
  until,
  waitRcu,
  when,
} from "../src/index.js";
import { naiveCheck } from "./naive.js";
import { type ToyOptions, toy, untilMaintenance } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const repairs = (of: Scenario, options: RepairOptions = {}, architecture: ToyOptions = {}): Promise<Repairs> =>
  createSimulation({ architecture: toy(architecture) }).repairs(of, options);

const names = ({ found }: Repairs): readonly string[] => found.map(({ addition }) => addition.line.id);

/** Stores the new code whole; one CPU's window is left as it was, so the old goes on being executed after the call. */
const unsynchronised = strategy((flip) => [
  lock("lock", "mutex"),
  store("write", AT, first(flip).next, { width: 4 }),
  unlock("unlock", "mutex"),
]);

/** What no trap can break and no byte can tear: the toy's fetch model is as it is, the store is one access. */
const oneCell: ToyOptions = { fetch: { ...untilMaintenance, id: "cells", unit: 4, stale: "until-sync" } };

describe("one added synchronisation", () => {
  it("repairs a protocol, and the machine says so", async () => {
    const of = scenario(unsynchronised, only("done", "old-or-new"));
    expect(answer(await check(of, oneCell))).toBe("unsafe: done");
    const found = await repairs(of, {}, oneCell);
    expect(names(found)).toEqual(["sync@write"]);
    const [repair] = found.found;
    expect(repair).toMatchObject({ patcher: 0, synchronisation: { kind: "sync" }, addition: { after: "write" } });
    expect(found.undecided).toEqual([]);

    const repaired = repair?.scenario as Scenario;
    expect((await check(repaired, oneCell)).verdict).toBe("safe");
    const machine = createSimulation({ architecture: toy(oneCell) }).machine(repaired);
    expect(naiveCheck(machine, eventProperties, countedProperties(repaired)).verdict).toBe("safe");
  });

  it("is one of those that checks of every addition find, and all of them when all are asked for", async () => {
    const of = scenario(unsynchronised, only("done", "old-or-new"));
    const machine = createSimulation({ architecture: toy(oneCell) }).machine(of);
    const places = ["start", "lock", "write", "unlock"];
    const kinds = synchronisationsOf(machine).map(({ kind }) => kind);
    expect(kinds).toEqual(["clean", "invalidate", "sync-core", "sync", "rcu", "rcu-tasks-rude", "rcu-tasks"]);
    const safe: string[] = [];
    for (const kind of kinds) {
      for (const place of places) {
        const add = [parseAddition(`${kind}@${place}`, machine)];
        const verdict = await check({ ...of, patchers: of.patchers.map((patcher) => ({ ...patcher, add })) }, oneCell);
        if (verdict.verdict === "safe") safe.push(`${kind}@${place}`);
      }
    }
    const all = await repairs(of, { all: true }, oneCell);
    expect(names(all)).toEqual(safe);
    expect(safe.slice(0, 2)).toEqual(["sync@write", "sync@unlock"]);
    expect(all).toMatchObject({ tried: kinds.length * places.length, candidates: kinds.length * places.length });
  });

  it("is judged by what counts, not by the counterexample alone", async () => {
    const of = scenario(unsynchronised, only("done", "old-or-new"));
    const verdict = await check(of, oneCell);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    const with_ = await repairs(of, { counterexample: verdict.trace, all: true }, oneCell);
    expect(names(with_)).toEqual(names(await repairs(of, { all: true }, oneCell)));
    expect(with_.tried).toBe(with_.candidates);
  });

  it("does not repair what lacks two", async () => {
    const of = scenario(
      strategy((flip) => [
        store("tail", AT + 1n, first(flip).next.slice(1)),
        store("first", AT, first(flip).next.slice(0, 1)),
      ]),
      { patcher: { flips: 2 } },
    );
    const found = await repairs(of);
    expect(found).toMatchObject({ found: [], undecided: [] });
    expect(found.tried).toBe(found.candidates);
  });

  it("may stand inside the lines that a step holds", async () => {
    const stopped = strategy((flip) => [
      stopMachine("stop", { run: [store("write", AT, first(flip).next), syncCore("here")] }),
    ]);
    const of = scenario(stopped);
    const found = await repairs(of);
    expect(names(found)).toEqual(["sync-core@stop/secondaries"]);
    expect((await check(found.found[0]?.scenario as Scenario)).verdict).toBe("safe");
  });

  it("comes after what is added to the same place already", async () => {
    const of = scenario(unsynchronised, only("done", "old-or-new"));
    const machine = createSimulation({ architecture: toy(oneCell) }).machine(of);
    const add = [parseAddition("rcu@write", machine)];
    const found = await repairs({ ...of, patchers: of.patchers.map((patcher) => ({ ...patcher, add })) }, {}, oneCell);
    expect(names(found)).toEqual(["sync@write"]);
    const repaired = found.found[0]?.scenario as Scenario;
    const steps = createSimulation({ architecture: toy(oneCell) }).machine(repaired).layout.steps[0];
    expect(steps).toEqual(["lock", "write", "rcu@write", "sync@write", "unlock"]);
  });

  it("is none where it keeps the patch call from ending, whatever counts", async () => {
    // The second patcher waits with its interrupts masked, so what interrupts it while the first has not written waits for ever.
    const words = { program: () => ({ words: { ready: 0, written: 0 } }) };
    const writes = strategy(
      (flip) => [until("ready", "ready", 1), store("write", AT, first(flip).next), set("written", "written", 1)],
      { id: "one", ...words },
    );
    const masked = strategy(
      (flip) => [
        store("other", first(flip).address, first(flip).next),
        maskIrq("mask"),
        set("say", "ready", 1),
        until("wait", "written", 1),
        unmaskIrq("unmask"),
      ],
      { id: "two", ...words },
    );
    const of: Scenario = {
      ...scenario(writes, { cpus: 3, ...only("old-or-new") }),
      sites: [site("nop3", "call"), site("nop", "ret", AT + 0x20n)],
      executors: [{ entries: [AT] }],
      patchers: [
        { strategy: writes, sites: [0], flips: 1 },
        { strategy: masked, sites: [1], flips: 1 },
      ],
    };
    expect(answer(await check(of))).toBe("unsafe: old-or-new");
    expect(await repairs(of, { all: true })).toMatchObject({ found: [], undecided: [] });
  });

  it("is said to be undecided where a bound or the user ends the search", async () => {
    const of = scenario(unsynchronised, only("done", "old-or-new"));
    const bounded = await repairs(of, { bounds: { states: 2 } }, oneCell);
    expect(bounded.found).toEqual([]);
    expect(bounded.undecided.length).toBeGreaterThan(0);
    expect(bounded.tried + bounded.undecided.length).toBe(bounded.candidates);
    const aborted = await repairs(of, { signal: AbortSignal.abort() }, oneCell);
    expect(aborted).toMatchObject({ found: [], tried: 0 });
    expect(aborted.undecided.length).toBe(aborted.candidates);
  });

  it("is looked for in so many states, all checks together, first where a step was left out", async () => {
    const synchronised = strategy((flip) => [
      lock("lock", "mutex"),
      store("write", AT, first(flip).next, { width: 4 }),
      syncCores("sync-it"),
      unlock("unlock", "mutex"),
    ]);
    const of = scenario(synchronised, { ...only("done", "old-or-new"), patcher: { drop: ["sync-it"] } });
    const whole = await repairs(of, {}, oneCell);
    expect(names(whole)).toEqual(["sync@write"]);
    expect(whole.states).toBeGreaterThan(0);
    // What stands in for the step is decided, and found, before anything that costs less.
    const { states } = await check(whole.found[0]?.scenario as Scenario, oneCell);
    const few = await repairs(of, { states: 3 * states }, oneCell);
    expect(names(few)).toEqual(["sync@write"]);
    const short = await repairs(of, { states: 30, all: true }, oneCell);
    expect(short.states).toBeGreaterThanOrEqual(30);
    expect(short.states).toBeLessThan(34);
    const none = await repairs(of, { states: 2 }, oneCell);
    expect(none).toMatchObject({ found: [], tried: 0 });
    expect(none.undecided.length).toBe(none.candidates);
    const same = await repairs(of, { states: 3 * states }, oneCell);
    expect([names(same), same.tried, same.states]).toEqual([names(few), few.tried, few.states]);
  });

  it("is looked for first inside the lines that a step holds, where one was left out there", async () => {
    const stopped = strategy((flip) => [
      stopMachine("stop", { run: [store("write", AT, first(flip).next)], secondaries: [syncCore("all")] }),
      syncCore("here"),
    ]);
    const found = await repairs(scenario(stopped, { patcher: { drop: ["all"] } }));
    expect(names(found)).toEqual(["sync-core@stop/secondaries"]);
  });

  it("may be a barrier where the memory order knows one", async () => {
    const machine = (memory: "sequential" | "architectural") =>
      createSimulation({ architecture: toy() }).machine(scenario(unsynchronised, { memory }));
    const kinds = (memory: "sequential" | "architectural") =>
      synchronisationsOf(machine(memory)).map(({ kind }) => kind);
    expect(kinds("architectural").slice(0, 3)).toEqual(["wmb", "rmb", "mb"]);
    expect(kinds("sequential").filter((kind) => kind.endsWith("mb"))).toEqual([]);
  });
});

describe("an addition", () => {
  const nested = strategy(
    (flip) => [
      store("write", AT, first(flip).next),
      when("if", eq(1, 1), [set("inner", "word", 1)]),
      sendIpi("send", [syncCore("core")]),
    ],
    { program: () => ({ words: { word: 0 }, traps: { brk: [set("handle", "word", 2)] } }) },
  );
  const marker: Line = set("added", "word", 7);
  const mainOf = (...add: readonly Addition[]) => {
    const machine = createSimulation({ architecture: toy() }).machine(scenario(nested, { patcher: { add } }));
    return machine.layout.plans[0]?.[0];
  };
  const steps = (...add: readonly Addition[]): readonly string[] => {
    const machine = createSimulation({ architecture: toy() }).machine(scenario(nested, { patcher: { add } }));
    return [...machine.layout.programs.values()].flatMap(({ name, code }) =>
      code.flatMap((entry) => (entry.kind === "op" ? [`${name}: ${entry.step}`] : [])),
    );
  };

  it("stands after its step, before all, in nested lines and handlers, and in what a step holds", () => {
    expect(mainOf({ after: null, line: marker })?.main[0]).toEqual(marker);
    expect(mainOf({ after: "write", line: marker })?.main[1]).toEqual(marker);
    expect(mainOf({ after: "send", line: marker })?.main.at(-1)).toEqual(marker);
    expect(mainOf({ after: "inner", line: marker })?.main[1]).toMatchObject({ lines: [{ id: "inner" }, marker] });
    expect(mainOf({ after: "handle", line: marker })?.traps?.brk?.[1]).toEqual(marker);
    expect(mainOf({ after: "send", inside: "handler", line: marker })?.main.at(-1)).toMatchObject({
      args: { handler: [marker, { id: "core" }] },
    });
    expect(steps({ after: "core", line: marker })).toContainEqual(expect.stringMatching(/ipi 0: added$/));
  });

  it("may follow a step that is left out", () => {
    const machine = createSimulation({ architecture: toy() }).machine(
      scenario(unsynchronised, { patcher: { drop: ["write"], add: [{ after: "write", line: syncCores("sync") }] } }),
    );
    expect(machine.layout.steps[0]).toEqual(["lock", "sync", "unlock"]);
  });

  it.each<[string, Addition, readonly string[], RegExp]>([
    ["no such step", { after: "nowhere", line: marker }, [], /no step nowhere; its steps are write, if, inner/],
    ["a name that is taken", { after: null, line: waitRcu("write") }, [], /has a step of this name itself/],
    ["what holds no lines", { after: "write", inside: "run", line: marker }, [], /has no run to put it into/],
    ["lines that are left out", { after: "inner", line: marker }, ["if"], /the lines that hold inner are left out/],
  ])("with %s is refused in one sentence", (_, addition, drop, message) => {
    const make = () =>
      createSimulation({ architecture: toy() }).machine(scenario(nested, { patcher: { add: [addition], drop } }));
    expect(make).toThrow(InputError);
    expect(make).toThrow(message);
  });

  it.each([
    ["sync", /KIND@STEP/],
    ["@write", /KIND@STEP/],
    ["sync@", /KIND@STEP/],
    ["sync@start/run", /Before all steps there is no run to put sync into/],
    ["tea@write", /no synchronisation tea to add here; there are clean, invalidate, sync-core/],
  ])("%s is not one", (text, message) => {
    const machine = createSimulation({ architecture: toy() }).machine(scenario(unsynchronised));
    expect(() => parseAddition(text, machine)).toThrow(InputError);
    expect(() => parseAddition(text, machine)).toThrow(message);
  });
});
