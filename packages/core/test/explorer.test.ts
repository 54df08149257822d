import { describe, expect, it } from "vitest";
import {
  addEachCpu,
  claim,
  createSimulation,
  disarmTrap,
  emulate,
  enterWindow,
  eq,
  type FetchModel,
  type Flip,
  free,
  type Line,
  leaveWindow,
  load,
  local,
  lock,
  lookup,
  ne,
  publish,
  put,
  type Scenario,
  sendIpi,
  set,
  setEachCpu,
  store,
  toHex,
  tryGet,
  unlock,
  until,
  untilEachCpu,
  waitRcu,
  when,
} from "../src/index.js";
import { agreeWithNaive, compare } from "./random-searches.js";
import { granules, toy } from "./toy/architecture.js";
import { AT, first, only, scenario, site, strategy } from "./toy/scenario.js";

agreeWithNaive([0, 20]);

describe("every search agrees with a naive one about protocols that once divided them", () => {
  const written = {
    store: (flip: Flip): Line => store("new", AT, first(flip).next, { width: 4 }),
    trap: store("trap", AT, [0x02]),
  };
  const entries = (flip: Flip): Line => set("fill", "entries", [{ address: AT, bytes: toHex(first(flip).next) }]);
  const owner = [
    lookup("find", "entries", "entry"),
    when("ours", ne(local("entry"), null), [emulate("emulate", local("entry")), claim()]),
  ];

  it("two interrupts to all CPUs are on their way at once", async () => {
    const sending = strategy(
      () => [sendIpi("one", [load("use", "word", "value")]), sendIpi("two", [free("free", "word")])],
      {
        program: () => ({ words: { word: 0 } }),
      },
    );
    expect(await compare(scenario(sending, only("lifetime")), {}, "two interrupts")).toBe("unsafe");
  });

  it("a breakpoint was fetched, and its handler is not entered when a grace period begins", async () => {
    const freeing = strategy(
      (flip) => [entries(flip), written.trap, written.store(flip), waitRcu("grace"), free("free", "entries")],
      {
        program: () => ({ words: { entries: [] }, traps: { brk: owner } }),
      },
    );
    await compare(scenario(freeing, only("lifetime")), { fetch: granules }, "grace period");
  });

  it("a breakpoint was fetched, and its handler is out of service before it is entered", async () => {
    const leaving = strategy(
      (flip) => [entries(flip), written.trap, written.store(flip), disarmTrap("disarm", "brk")],
      { program: () => ({ words: { entries: [] }, traps: { brk: owner } }) },
    );
    expect(await compare(scenario(leaving, only("trap-owned")), { fetch: granules }, "out of service")).toBe("unsafe");
  });

  it("a handler that emulates the old code gives its reference back before it returns", async () => {
    const handler = [
      tryGet("get", "refs", "got"),
      when("if-got", eq(local("got"), true), [emulate("emulate", "100000"), put("put", "refs"), claim()]),
    ];
    const counting = strategy(
      (flip) => [
        setEachCpu("refs", "refs", 1),
        written.trap,
        written.store(flip),
        addEachCpu("drop", "refs", -1),
        untilEachCpu("wait", "refs", 0),
      ],
      { program: () => ({ cpuWords: { refs: 0 }, traps: { brk: handler } }) },
    );
    await compare(scenario(counting, only("done")), { fetch: granules }, "reference");
  });

  it("such a handler has not returned when the new code is published", async () => {
    const handler = [
      tryGet("get", "refs", "got"),
      when("if-got", eq(local("got"), true), [emulate("emulate", "100000"), put("put", "refs"), claim()]),
    ];
    const publishing = strategy(
      (flip) => [
        setEachCpu("refs", "refs", 1),
        written.trap,
        written.store(flip),
        addEachCpu("drop", "refs", -1),
        untilEachCpu("wait", "refs", 0),
        publish("publish"),
      ],
      { program: () => ({ cpuWords: { refs: 0 }, traps: { brk: handler } }) },
    );
    expect(await compare(scenario(publishing, only("emulation")), { fetch: granules }, "publication")).toBe("unsafe");
  });

  it("a lock is released by somebody who does not hold it", async () => {
    const patching = (id: string, lines: readonly Line[]) =>
      strategy(() => lines, { id, program: () => ({ words: { go: 0 } }) });
    const section = [
      until("wait", "go", 1),
      lock("lock", "m"),
      enterWindow("enter", "w"),
      leaveWindow("leave", "w"),
      unlock("unlock", "m"),
    ];
    const programs = { a: [set("go", "go", 1), unlock("unlock", "m")], b: section, c: section };
    const three: Scenario = {
      name: "three patchers",
      sites: Object.keys(programs).map((_, i) => site("nop", "ret", AT + BigInt(i))),
      patchers: Object.entries(programs).map(([id, lines], i) => ({
        strategy: patching(id, lines),
        sites: [i],
        flips: 1,
      })),
      cpus: 3,
      executors: [],
      ...only("exclusive"),
    };
    expect(await compare(three, {}, "lock")).toBe("unsafe");
  });
});

describe("the shortest counterexample", () => {
  const torn = (more: Partial<Scenario> = {}): Scenario =>
    scenario(
      strategy((flip) => [store("write", AT, first(flip).next)]),
      { ...only("old-or-new"), ...more },
    );

  it("has as few switches between CPUs as there can be", async () => {
    for (const reduce of [true, false]) {
      const verdict = await createSimulation({ architecture: toy() }).check(torn({ cpus: 3 }), { reduce });
      expect(verdict.verdict === "unsafe" && verdict.trace.map(({ cpu }) => cpu)).toEqual([0, 0, 1]);
    }
  });

  it("even where the steps before could come in any order", async () => {
    const blocks = [{ address: 0x1200n, code: "nop+nop+jump 0x1010" }];
    const { patchers } = torn();
    const of = torn({
      patchers: patchers.map((patcher) => ({ ...patcher, cpu: 1 })),
      blocks,
      executors: [{ entries: [0x1200n] }],
    });
    const verdict = await createSimulation({ architecture: toy() }).check(of);
    expect(verdict.verdict === "unsafe" && verdict.trace.map(({ cpu }) => cpu)).toEqual([1, 1, 0, 0, 0, 0]);
  });

  it("comes with what else breaks on other ways", async () => {
    const { check } = createSimulation({ architecture: toy() });
    const { properties: _, ...all } = torn();
    const verdict = await check(all);
    expect(verdict).toMatchObject({ property: "old-or-new", alsoBroken: ["done"] });
  });

  it("breaks the property that is reported first, where several break at that length", async () => {
    const strict: FetchModel = {
      ...granules,
      stale: "until-sync",
      granule: 0,
      unit: 1,
      admits: () => ({ breaks: "rule", why: "never allowed" }),
    };
    const verdict = await createSimulation({ architecture: toy({ fetch: strict }) }).check(
      torn({ properties: ["rule", "done"] }),
    );
    expect(verdict).toMatchObject({ property: "rule" });
  });

  it("is the same in every run", async () => {
    const { check } = createSimulation({ architecture: toy() });
    const [one, two] = [await check(torn({ cpus: 3 })), await check(torn({ cpus: 3 }))].map(
      ({ seconds: _, ...rest }) => rest,
    );
    expect(one).toEqual(two);
  });
});
