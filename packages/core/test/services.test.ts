import { describe, expect, it } from "vitest";
import {
  add,
  addEachCpu,
  claim,
  createSimulation,
  emulate,
  enterWindow,
  eq,
  fence,
  free,
  type Line,
  leaveWindow,
  load,
  local,
  lock,
  lt,
  maskIrq,
  ne,
  type Observation,
  put,
  readLock,
  readUnlock,
  type Scenario,
  sendIpi,
  set,
  setEachCpu,
  step,
  stopMachine,
  store,
  syncCores,
  tryGet,
  unlock,
  unmaskIrq,
  until,
  untilEachCpu,
  type Verdict,
  waitIpi,
  when,
  whileLocal,
} from "../src/index.js";
import { visit } from "./naive.js";
import { toy } from "./toy/architecture.js";
import { AT, answer, check, only, scenario, site, strategy } from "./toy/scenario.js";

const sites = [site("nop", "ret")];

/** Several patchers, each with a program and a site of its own, and no executors. */
const together = (programs: readonly (readonly Line[])[], words = {}, more: Partial<Scenario> = {}): Scenario => ({
  name: "together",
  sites: programs.map((_, i) => site("nop", "ret", AT + BigInt(i))),
  patchers: programs.map((lines, i) => ({
    strategy: strategy(() => lines, { id: `patcher ${i}`, program: () => ({ words }) }),
    sites: [i],
    flips: 1,
  })),
  executors: [],
  cpus: programs.length,
  ...more,
});

/** The values of a word when all is over. */
const results = (of: Scenario, word: string): ReadonlySet<unknown> => {
  const { views } = visit(createSimulation({ architecture: toy() }).machine(of), () => true);
  return new Set(
    views
      .filter(({ cpus }) => cpus.every(({ stack }) => stack.length === 0))
      .map(({ services }) => services.words[word]),
  );
};

describe("what compares, emulates or judges what it cannot is refused", () => {
  const refused = async (of: Scenario, message: string): Promise<void> =>
    expect(check(of)).rejects.toMatchObject({ name: "InputError", code: "wrong-type", message });

  it("a comparison of texts", async () => {
    for (const [a, b, shown] of [
      ["a", "b", '"a"'],
      [1, "2", '"2"'],
      [null, 1, "null"],
    ] as const)
      await refused(
        together([[when("if", lt(a, b), [set("set", "word", 1)])]], { word: 0 }),
        `A condition of patcher 0 asks whether ${shown} is less; only numbers are compared so.`,
      );
    // Of any size.
    const exact = [when("if", lt(2n ** 60n, 2n ** 60n + 1n), [set("set", "word", 1)])];
    expect(results(together([exact], { word: 0 }), "word")).toEqual(new Set([1]));
  });

  it("an emulation of what is no hex", async () => {
    for (const bytes of ["", "0", "xyz", "ret"]) {
      const trapping = strategy(() => [], { program: () => ({ traps: { brk: [emulate("e", bytes), claim()] } }) });
      await refused(
        scenario(trapping, { sites: [site("trap", "trap")] }),
        `A trap handler emulates ${JSON.stringify(bytes)}, which are no bytes in hex.`,
      );
    }
  });

  it("a judgement that is no sentence", async () => {
    for (const [answered, shown] of [
      [null, "null"],
      [true, "true"],
      [false, "false"],
      [Promise.resolve("late"), "a promise"],
      ["", "an empty text"],
      [7, "7"],
    ] as const) {
      const judge = ({ what }: Observation): string | undefined =>
        what === "begin-call" ? (answered as unknown as string) : undefined;
      const judges = [{ id: "mine", breaksWhen: "never", judge }];
      await refused(
        together([[]], {}, { judges }),
        `The property mine answers ${shown} to the event begin-call; it answers a sentence, or undefined where nothing breaks.`,
      );
    }
  });
});

describe("R51: what a program took it gives back", () => {
  const fails = async (lines: readonly Line[], more: Partial<Scenario> = {}): Promise<string> => {
    const verdict = await check(together([lines], { word: 0 }, { ...only("assertion"), ...more }));
    return verdict.verdict === "unsafe" ? verdict.why : verdict.verdict;
  };

  it("before its call returns", async () => {
    const taken: readonly (readonly [Line, Line, string])[] = [
      [lock("take", "l"), unlock("give", "l"), "the lock l held"],
      [enterWindow("take", "w"), leaveWindow("give", "w"), "the window w entered"],
      [readLock("take", "srcu:s"), readUnlock("give", "srcu:s"), "a read-side section of srcu:s entered"],
      [maskIrq("take"), unmaskIrq("give"), "interrupts off"],
    ];
    for (const [take, give, what] of taken) {
      expect(await fails([take])).toBe(`The patch call returned with ${what}.`);
      expect(await fails([take, give])).toBe("safe");
      // On some ways only.
      const seldom = [load("load", "word", "seen"), take, when("when", eq(local("seen"), 0), [give])];
      expect(await fails(seldom)).toBe("safe");
      const other = strategy(() => [set("set", "word", 1)], { id: "other", program: () => ({ words: { word: 0 } }) });
      const of = together([seldom], { word: 0 }, only("assertion"));
      const sites = [...of.sites, site("nop", "ret", AT + 8n)];
      const both = [...of.patchers, { strategy: other, sites: [1], flips: 1 }];
      expect(answer(await check({ ...of, sites, patchers: both, cpus: 2 }))).toBe("unsafe: assertion");
    }
    expect(await fails([maskIrq("mask"), lock("l", "l"), lock("m", "m")])).toBe(
      "The patch call returned with interrupts off and the lock l held and the lock m held.",
    );
  });

  it("and so do handlers and the functions of stop_machine", async () => {
    const idle = { cpus: 2 };
    expect(await fails([sendIpi("send", [readLock("in")]), waitIpi("wait", "send")], idle)).toBe(
      "A handler of an interrupt ended with a read-side section of rcu entered.",
    );
    expect(await fails([stopMachine("stop", { run: [enterWindow("in", "w")] })])).toBe(
      "A function of stop_machine ended with the window w entered.",
    );
    const trap = (...lines: readonly Line[]): Promise<Verdict> =>
      check(
        scenario(
          strategy(() => [], { program: () => ({ traps: { brk: lines } }) }),
          { sites: [site("trap", "trap")], ...only("assertion") },
        ),
      );
    const why = "The handlers of the brk trap at 0x1010 ended with the window w entered.";
    expect(await trap(enterWindow("in", "w"))).toMatchObject({ why });
    expect(await trap(enterWindow("in", "w"), emulate("emulate", "00"), claim())).toMatchObject({ why });
  });

  it("and what it did not take it does not give back", async () => {
    const twice = [lock("l", "l"), unlock("u", "l"), unlock("again", "l")];
    expect(await fails(twice)).toBe("A program released the lock l, which it did not hold.");
    const left = [enterWindow("e", "w"), leaveWindow("l", "w"), leaveWindow("again", "w")];
    expect(await fails(left)).toBe("A program left the window w, which it was not in.");
    // The lock of another.
    const other = together([[lock("l", "l"), unlock("u", "l")], [unlock("give", "l")]], {}, only("assertion"));
    expect(answer(await check(other))).toBe("unsafe: assertion");
    const refused: readonly (readonly [readonly Line[], string])[] = [
      [[unlock("give", "l")], "the lock l, which no step takes; there are none."],
      [[lock("l", "mutex"), unlock("give", "mutx")], "the lock mutx, which no step takes; did you mean mutex?"],
      [[leaveWindow("give", "w")], "the window w, which no step enters; there are none."],
    ];
    for (const [lines, end] of refused) {
      const message = `The step give of the strategy patcher 0 names ${end}`;
      await expect(fails(lines)).rejects.toMatchObject({ name: "InputError", code: "undeclared", message });
    }
  });

  it("is no question of its own where nobody executes what changes", async () => {
    const locks = strategy(() => [lock("l", "l"), unlock("u", "l")]);
    const nobody = { sites: [site("nop", "ret")], executors: [], cpus: 1 };
    expect(answer(await check(scenario(locks, nobody)))).toBe("vacuous");
  });
});

describe("R17: a lock has one holder", () => {
  const section = [enterWindow("enter", "mapping"), leaveWindow("leave", "mapping")];
  const locked = (...inside: readonly Line[]): readonly Line[] => [
    lock("lock", "mutex"),
    ...inside,
    unlock("unlock", "mutex"),
  ];

  it("so two patchers that take it are never inside together", async () => {
    expect(answer(await check(together([locked(...section), locked(...section)])))).toBe("safe");
    expect(answer(await check(together([locked(...section), locked(...section), locked(...section)])))).toBe("safe");
  });

  it("and two of which one does not take it are", async () => {
    const verdict = await check(together([locked(...section), section]));
    expect(answer(verdict)).toBe("unsafe: exclusive");
    expect(verdict.verdict === "unsafe" && verdict.why).toBe(
      "2 programs were inside the window mapping at the same time.",
    );
  });

  it("locks of other names do not exclude each other, and windows of other names are not shared", async () => {
    const other = [lock("lock", "other"), ...section, unlock("unlock", "other")];
    expect(answer(await check(together([locked(...section), other])))).toBe("unsafe: exclusive");
    const elsewhere = [enterWindow("enter", "another"), leaveWindow("leave", "another")];
    expect(answer(await check(together([section, elsewhere])))).toBe("safe");
  });

  it("a read and a write that are two steps lose an update, unless a lock is around them", () => {
    const increment = [
      load("read", "count", "value"),
      when("was-0", eq(local("value"), 0), [set("write-1", "count", 1)]),
      when("was-1", eq(local("value"), 1), [set("write-2", "count", 2)]),
    ];
    expect(results(together([increment, increment], { count: 0 }), "count")).toEqual(new Set([1, 2]));
    expect(results(together([locked(...increment), locked(...increment)], { count: 0 }), "count")).toEqual(
      new Set([2]),
    );
    expect(results(together([[add("add", "count", 1)], [add("add", "count", 1)]], { count: 0 }), "count")).toEqual(
      new Set([2]),
    );
  });

  it("whoever sleeps for it can be interrupted, and answers", async () => {
    const poking = locked(syncCores("sync"));
    expect(answer(await check(together([poking, poking])))).toBe("safe");
  });
});

describe("R17: per-CPU reference counts", () => {
  const handler = [
    tryGet("get", "refs", "got"),
    when("if-got", eq(local("got"), true), [load("use", "array", "value"), put("put", "refs")]),
    step("restart", "restart"),
    claim(),
  ];
  /** The word that handlers use is freed; only the count holds the patcher back. */
  const counting = (lines: readonly Line[], handling: readonly Line[] = handler) =>
    check(
      scenario(
        strategy(
          (flip) => [
            setEachCpu("open", "refs", 1),
            store("trap", AT, [0x02]),
            store("new", AT, flip.sites[0]?.next ?? []),
            ...lines,
            free("free", "array"),
          ],
          { program: () => ({ words: { array: 0 }, cpuWords: { refs: 0 }, traps: { brk: handling } }) },
        ),
        { sites, ...only("lifetime") },
      ),
    ).then(answer);

  const close = addEachCpu("close", "refs", -1);
  const wait = untilEachCpu("wait", "refs", 0);

  it("hold the patcher back until every handler gave its own up", async () => {
    expect(await counting([close, wait])).toBe("safe");
  });

  it("are of no use without the wait, or without the close", async () => {
    expect(await counting([close])).toBe("unsafe: lifetime");
    expect(await counting([])).toBe("unsafe: lifetime");
  });

  it("or to a handler that takes none", async () => {
    expect(await counting([close, wait], [load("use", "array", "value"), step("restart", "restart"), claim()])).toBe(
      "unsafe: lifetime",
    );
  });

  it("or gives it back before the use", async () => {
    const early = [
      tryGet("get", "refs", "got"),
      when("if-got", eq(local("got"), true), [put("put", "refs"), load("use", "array", "value")]),
      step("restart", "restart"),
      claim(),
    ];
    expect(await counting([close, wait], early)).toBe("unsafe: lifetime");
  });

  it("a CPU's count is its own", () => {
    const { views } = visit(
      createSimulation({ architecture: toy() }).machine(
        scenario(
          strategy(() => [setEachCpu("open", "refs", 1), tryGet("get", "refs", "got")], {
            program: () => ({ cpuWords: { refs: 0 } }),
          }),
          { sites, executors: [] },
        ),
      ),
      () => true,
    );
    expect(new Set(views.map(({ cpus }) => cpus.map(({ words }) => words.refs).join(" ")))).toEqual(
      new Set(["0 0", "1 1", "2 1"]),
    );
  });
});

describe("lifetime", () => {
  const of = (...lines: readonly Line[]) => check(together([lines], { word: 0 }, only("lifetime"))).then(answer);

  it.each<readonly [string, Line]>([
    ["loads it", load("use", "word", "value")],
    ["adds to it", add("use", "word", 1)],
  ])("breaks when a program frees a word and then %s", async (_, use) => {
    expect(await of(free("free", "word"), use)).toBe("unsafe: lifetime");
    expect(await of(use, free("free", "word"))).toBe("safe");
  });

  it("does not break when the word is set anew first", async () => {
    expect(await of(free("free", "word"), set("again", "word", 2), load("use", "word", "value"))).toBe("safe");
    expect(await of(free("free", "word"), free("twice", "word"))).toBe("unsafe: lifetime");
    expect(await of(free("free", "word"), set("again", "word", 2), free("twice", "word"))).toBe("safe");
  });

  it("counts whatever a strategy promises", async () => {
    const unpromising = strategy(() => [free("free", "word"), load("use", "word", "value")], {
      promises: [],
      program: () => ({ words: { word: 0 } }),
    });
    expect(answer(await check(scenario(unpromising, { sites })))).toBe("unsafe: lifetime");
    expect(answer(await check(scenario(unpromising, { sites, ignore: ["lifetime"] })))).toBe("vacuous");
  });
});

describe("control flow of programs", () => {
  const run = (lines: readonly Line[]): ReadonlySet<unknown> => results(together([lines], { word: 0, out: 0 }), "out");

  it("a condition chooses between two lists of lines", () => {
    const choosing = (test: ReturnType<typeof eq>) =>
      run([
        load("read", "word", "a"),
        when("choose", test, [set("yes", "out", "yes")], [set("no", "out", "no")]),
        add("more", "word", 1),
      ]);
    expect(choosing(eq(local("a"), 0))).toEqual(new Set(["yes"]));
    expect(choosing(ne(local("a"), 0))).toEqual(new Set(["no"]));
    expect(choosing(lt(local("a"), 1))).toEqual(new Set(["yes"]));
    expect(choosing(lt(local("a"), 0))).toEqual(new Set(["no"]));
  });

  it("lines are repeated while a condition holds", () => {
    expect(
      run([
        add("first", "word", 0, "n"),
        whileLocal("loop", lt(local("n"), 3), [add("more", "word", 1, "n")]),
        set("out", "out", local("n")),
      ]),
    ).toEqual(new Set([3]));
  });

  it("a program waits for a word, and for a lock", () => {
    expect(
      results(
        together([[until("wait", "go", 1), set("out", "out", 1)], [set("go", "go", 1)]], { go: 0, out: 0 }),
        "out",
      ),
    ).toEqual(new Set([1]));
  });

  it("a barrier is a step that changes nothing in the sequential order", async () => {
    expect(await check(together([[fence("fence", "wmb")], []]))).toMatchObject({ verdict: "safe", unused: [] });
  });
});

describe("progress", () => {
  const progress = (programs: readonly (readonly Line[])[], words = {}, more: Partial<Scenario> = {}) =>
    check(together(programs, words, { ...only("progress"), ...more })).then(answer);

  it("breaks where a lock is never released", async () => {
    expect(await progress([[lock("lock", "m")], [lock("lock", "m"), unlock("unlock", "m")]])).toBe("unsafe: progress");
    expect(await progress([[lock("lock", "m"), lock("again", "m")]])).toBe("unsafe: progress");
  });

  it("breaks where two locks are taken in both orders", async () => {
    const both = (a: string, b: string): readonly Line[] => [
      lock("one", a),
      lock("two", b),
      unlock("three", b),
      unlock("four", a),
    ];
    expect(await progress([both("a", "b"), both("b", "a")])).toBe("unsafe: progress");
    expect(await progress([both("a", "b"), both("a", "b")])).toBe("safe");
  });

  it("breaks where a word is waited for that nobody sets", async () => {
    expect(await progress([[until("wait", "go", 1)]], { go: 0 })).toBe("unsafe: progress");
  });

  it("breaks where the handler of an interrupt never acknowledges", async () => {
    expect(await progress([[sendIpi("poke", [until("hold", "go", 1)]), waitIpi("wait", "poke")], []], { go: 0 })).toBe(
      "unsafe: progress",
    );
    expect(await progress([[sendIpi("poke", []), waitIpi("wait", "poke")], []])).toBe("safe");
  });

  it("breaks where two patchers wait for each other's interrupts with their own masked", async () => {
    const masked = [maskIrq("mask"), syncCores("sync"), unmaskIrq("unmask")];
    expect(await progress([masked, masked])).toBe("unsafe: progress");
    expect(await progress([masked, [syncCores("sync")]])).toBe("safe");
  });

  it("leads to where everybody waits for good, and says who waits where", async () => {
    const verdict = await check(together([[lock("lock", "m"), lock("again", "m")]], {}, only("progress")));
    expect(verdict.verdict === "unsafe" && verdict.why).toContain("patcher 0 at again");
  });

  it("does not break for a patcher that goes on for ever", async () => {
    const of = together([[lock("lock", "m"), unlock("unlock", "m")]], {}, only("progress"));
    expect(
      answer(await check({ ...of, patchers: of.patchers.map((patcher) => ({ ...patcher, flips: "forever" })) })),
    ).toBe("safe");
  });

  it("breaks where a trap's handler never ends", async () => {
    const holding = strategy(() => [store("trap", AT, [0x02])], {
      program: () => ({ words: { go: 0 }, traps: { brk: [until("hold", "go", 1), claim()] } }),
    });
    expect(answer(await check(scenario(holding, { sites, ...only("progress") })))).toBe("unsafe: progress");
  });
});

describe("what no run did is said", () => {
  it("steps that no run took are unused", async () => {
    const idle = strategy(
      () => [load("read", "word", "a"), when("never", eq(local("a"), 1), [set("unreached", "word", 2)])],
      { program: () => ({ words: { word: 0 } }) },
    );
    expect(await check(scenario(idle, { sites, ...only("progress") }))).toMatchObject({
      verdict: "safe",
      unused: ["unreached"],
    });
  });

  it("a site that nobody executed while it changed makes the verdict vacuous", async () => {
    const instant = strategy((flip) => [store("write", AT, flip.sites[0]?.next ?? [])], { promises: [] });
    expect(await check(scenario(instant, { sites }))).toMatchObject({ verdict: "safe" });
    expect(await check(scenario(instant, { sites, executors: [] }))).toMatchObject({ verdict: "vacuous" });
    const elsewhere = { executors: [{ entries: [0x1200n] }], blocks: [{ address: 0x1200n, code: "ret" }] };
    expect(await check(scenario(instant, { sites, ...elsewhere }))).toMatchObject({ verdict: "vacuous" });
  });

  it("a property that nobody promises is named and does not count", async () => {
    const unpromising = strategy((flip) => [store("write", AT, flip.sites[0]?.next ?? [])], { promises: ["progress"] });
    expect(await check(scenario(unpromising, { sites }))).toMatchObject({ verdict: "safe", notPromised: ["done"] });
    expect(await check(scenario(unpromising, { sites, ...only("done") }))).toMatchObject({
      verdict: "unsafe",
      property: "done",
    });
  });
});
