import { describe, expect, it } from "vitest";
import {
  alwaysPromised,
  assert,
  becauseOf,
  type CheckOptions,
  claim,
  createSimulation,
  emulate,
  enterWindow,
  eq,
  expectText,
  free,
  freeCode,
  freeData,
  type Line,
  leaveWindow,
  load,
  lock,
  mapCode,
  type PatchProgram,
  type PropertyId,
  publishEvent,
  readLock,
  readUnlock,
  type Scenario,
  set,
  store,
  storeData,
  syncCores,
  unlock,
  until,
  type Verdict,
} from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

/** Nothing is done in a flip, and nothing is promised but what counts always. */
const nothing = strategy(() => [], { promises: [] });
/** The code of a flip is stored, and nothing is promised but what counts always. */
const bare = strategy((flip) => [store("write", AT, first(flip).next)], { promises: [] });
/** The same site with new code that a single store brings. */
const whole = [site("nop", "ret")];

const empty = ({ notJudged }: Verdict): readonly PropertyId[] => notJudged.map(({ property }) => property);

const same = [site("nop3", "nop3")];

describe("old code that equals the new", () => {
  const stores = strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")]);
  const trapping = (...lines: readonly Line[]) =>
    strategy((flip) => [store("trap", AT, [0x02]), ...lines, store("write", AT, first(flip).next), syncCores("sync")], {
      program: (flip) => ({
        traps: { brk: [emulate("emulate", "000000"), ...(flip.sites.length > 0 ? [claim()] : [])] },
      }),
    });

  it("is vacuous where nothing that is written differs from what was there", async () => {
    const verdict = await check(scenario(stores, { sites: same }));
    expect(verdict).toMatchObject({
      verdict: "vacuous",
      reason: "The old code equals the new, and no code or data that was stored differs from what was there.",
    });
    expect(answer(await check(scenario(stores, { sites: [site("nop", "ret")] })))).toBe("safe");
  });

  it("is a question where an intermediate version differs, and unsafe where that breaks", async () => {
    expect(answer(await check(scenario(trapping(syncCores("sync-1")), { sites: [site("nop", "nop")] })))).not.toBe(
      "vacuous",
    );
    const unowned = strategy((flip) => [store("trap", AT, [0x02]), store("write", AT, first(flip).next)]);
    expect(answer(await check(scenario(unowned, { sites: [site("nop", "nop")] })))).toBe("unsafe: trap-owned");
  });

  it("is a question where data that is bound to it differs", async () => {
    const bound = (bytes: readonly number[]) => strategy(() => [storeData("bind", 0x3000n, bytes)], { promises: [] });
    expect(answer(await check(scenario(bound([1]), { sites: same })))).toBe("safe");
    expect(answer(await check(scenario(bound([1]), { sites: same, data: [{ address: 0x3000n, bytes: [1] }] })))).toBe(
      "vacuous",
    );
  });

  it("is a question of deadlock none the less, for who names it", async () => {
    expect(answer(await check(scenario(stores, { sites: same, ...only("progress") })))).toBe("safe");
    const hangs = strategy(() => [until("wait", "word", 1)], { program: () => ({ words: { word: 0 } }) });
    expect(answer(await check(scenario(hangs, { sites: same, ...only("progress") })))).toBe("unsafe: progress");
    expect(answer(await check(scenario(hangs, { sites: same })))).toBe("unsafe: progress");
  });
});

describe("a patch call that changes no site", () => {
  const verdictOn = (lines: readonly Line[], more: Partial<Scenario> = {}, program: Omit<PatchProgram, "main"> = {}) =>
    check(
      scenario(
        strategy(() => lines, { promises: [], program: () => program }),
        more,
      ),
    );

  it("is vacuous where it does not promise that the new code is executed, and unsafe where it does", async () => {
    for (const of of [{}, only("old-or-new", "mid-sequence", "rule", "trap-owned", "emulation")])
      expect(await verdictOn([], of)).toMatchObject({
        verdict: "vacuous",
        reason: expect.stringMatching(/no patcher changed any site/i),
      });
    expect(answer(await verdictOn([], only("done")))).toBe("unsafe: done");
    expect(answer(await verdictOn([until("never", "word", 1)], only("progress"), { words: { word: 0 } }))).toBe(
      "unsafe: progress",
    );
  });

  it("is one whose condition never holds, or that stores what is there", async () => {
    const stored = store("write", AT, [0x01]);
    const program = { words: { word: 0 } };
    const under = (value: number): readonly Line[] => [
      load("load", "word", "a"),
      { id: "if", when: eq({ local: "a" }, value), lines: [stored] },
    ];
    const more = { sites: whole };
    expect((await verdictOn(under(0), more, program)).verdict).not.toBe("vacuous");
    expect(answer(await verdictOn(under(1), more, program))).toBe("vacuous");
    expect(answer(await verdictOn([store("write", AT, [0x00])], more))).toBe("vacuous");
  });

  it("changes nothing by what its victims count", async () => {
    const counts = {
      blocks: [{ address: 0x1200n, code: "add 0x1+store 0x3000+ret" }],
      data: [{ address: 0x3000n, bytes: [0, 0] }],
      executors: [{ entries: [AT, 0x1200n] }],
    };
    expect(answer(await verdictOn([], counts))).toBe("vacuous");
  });

  it("is a question of what needs no change none the less", async () => {
    const frees = [load("load", "word", "a"), free("free", "word")];
    expect(answer(await verdictOn(frees, {}, { words: { word: 0 } }))).toBe("safe");
    expect(answer(await verdictOn([assert("holds", eq(1, 1), "it does")]))).toBe("safe");
    expect(answer(await verdictOn([], only("fault")))).toBe("safe");
    expect(answer(await verdictOn([lock("lock", "l"), unlock("unlock", "l")], only("exclusive")))).toBe("safe");
  });
});

describe("a site that nobody executes beside one that somebody does", () => {
  const stores = strategy((flip) => [
    ...flip.sites.map(({ address, next }, i) => store(`write-${i}`, address, next)),
    syncCores("sync"),
  ]);
  const sites = [site("nop", "ret"), site("nop", "ret", AT + 16n), site("nop", "ret", AT + 32n)];
  const notExecuted = async (entries: readonly bigint[] | undefined, how: CheckOptions = {}, of = stores) => {
    const executors = entries === undefined ? {} : { executors: [{ entries }] };
    const verdict = await createSimulation({ architecture: toy() }).check(scenario(of, { sites, ...executors }), how);
    return [verdict.verdict, ...verdict.notExecuted];
  };

  it("is named, with reductions and without", async () => {
    for (const reduce of [true, false, { symmetry: true }, { urgent: true, stubborn: true }]) {
      expect(await notExecuted(undefined, { reduce })).toEqual(["safe"]);
      expect(await notExecuted([AT, AT + 32n], { reduce })).toEqual(["safe", 1]);
      expect(await notExecuted([AT + 16n], { reduce })).toEqual(["safe", 0, 2]);
      expect(await notExecuted([AT + 1n], { reduce })).toEqual(["vacuous", 0, 1, 2]);
    }
  });

  it("is none that nobody changes, and none that code loads from", async () => {
    const one = strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")]);
    const verdict = await check(scenario(one, { sites, patcher: { sites: [0] }, executors: [{ entries: [AT] }] }));
    expect(verdict).toMatchObject({ verdict: "safe", notExecuted: [] });
    const data = { ...site([1, 0], [2, 0], 0x3000n), data: true };
    const literal = strategy((flip) => [storeData("write", 0x3000n, first(flip).next)]);
    const loads = { sites: [data], blocks: [{ address: 0x1200n, code: "load 0x3000+ret" }] };
    const reader = scenario(literal, { ...loads, ...only("old-or-new") });
    expect(await check({ ...reader, executors: [{ entries: [0x1200n] }] })).toMatchObject({ notExecuted: [] });
    expect(await check({ ...reader, executors: [{ entries: [0x1203n] }] })).toMatchObject({ notExecuted: [0] });
  });
});

describe("a property that nothing in the programs can break", () => {
  const asks = async (
    property: PropertyId,
    lines: readonly Line[],
    program: Omit<PatchProgram, "main"> = {},
    more: Partial<Scenario> = {},
  ): Promise<Verdict> =>
    check(
      scenario(
        strategy(() => lines, { program: () => program }),
        { ...only(property), ...more },
      ),
    );

  it.each<[PropertyId, RegExp, readonly Line[], Omit<PatchProgram, "main">]>([
    ["trace", /text-poke events/, [publishEvent("event", { address: AT, old: [0, 0, 0], next: [0, 0, 0] })], {}],
    ["pair", /bound to data/, [], { pairs: [{ at: AT, registers: ["a"], published: [[0n]] }] }],
    ["emulation", /no trap handler claims/, [store("trap", AT, [0x02])], { traps: { brk: [claim()] } }],
    [
      "exclusive",
      /window or a read-side section, or takes a lock/,
      [enterWindow("enter", "w"), leaveWindow("leave", "w")],
      {},
    ],
    ["exclusive", /window or a read-side section, or takes a lock/, [lock("lock", "l"), unlock("unlock", "l")], {}],
    [
      "exclusive",
      /window or a read-side section, or takes a lock/,
      [readLock("read", "srcu:s"), readUnlock("unread", "srcu:s")],
      {},
    ],
    ["lifetime", /nothing is freed/, [free("free", "word")], { words: { word: 0 } }],
    ["lifetime", /nothing is freed/, [freeData("free", 0x3000n, 1)], {}],
    ["lifetime", /nothing is freed/, [freeCode("free", AT + 3n, 1)], {}],
    ["lifetime", /nothing is freed/, [mapCode("map", 0x3000n, "ret")], {}],
    ["assertion", /nothing is asserted/, [assert("holds", eq(1, 1), "it does")], {}],
    ["assertion", /nothing is asserted/, [expectText("text", AT, [0x10])], {}],
    [
      "assertion",
      /nothing is asserted/,
      [],
      { around: { blocks: [{ address: 0x3000n, code: "ret", forbidden: "nobody." }] } },
    ],
  ])("%s is vacuous by itself, and judged where there is something to it", async (property, why, lines, program) => {
    const verdict = await asks(property, []);
    expect(verdict).toMatchObject({ verdict: "vacuous", notJudged: [{ property, why: expect.stringMatching(why) }] });
    if (verdict.verdict !== "vacuous") throw new Error("It is vacuous.");
    expect(verdict.reason).toBe(`There is nothing to judge: ${becauseOf(verdict.notJudged)}.`);
    const judged = await asks(property, lines, program);
    expect(judged.notJudged).toEqual([]);
    expect(answer(judged)).not.toBe("vacuous");
  });

  it("is emulation too where handlers are there for interrupts alone, or claim nothing", async () => {
    expect(answer(await asks("emulation", [], { traps: { irq: [set("say", "w", 1)] }, words: { w: 0 } }))).toBe(
      "vacuous",
    );
    expect(answer(await asks("emulation", [], { traps: { brk: [set("say", "w", 1)] }, words: { w: 0 } }))).toBe(
      "vacuous",
    );
  });

  it("is done where no call returns, or nobody runs code", async () => {
    expect(answer(await asks("done", []))).toBe("unsafe: done");
    expect(answer(await asks("done", [], {}, { executors: [] }))).toBe("vacuous");
    expect(answer(await asks("done", [], {}, { executors: [], interrupts: { irq: true } }))).toBe("vacuous");
    const interrupted = { executors: [{ count: 0 }], interrupts: { irq: true } };
    expect(answer(await asks("done", [], {}, interrupted))).toBe("unsafe: done");
    const nobody: Scenario = { ...scenario(nothing), patchers: [], ...only("done") };
    expect(await check(nobody)).toMatchObject({
      verdict: "vacuous",
      reason: expect.stringMatching(/no patch call returns/),
    });
  });

  it("is named beside what was judged, and does not change the answer", async () => {
    const verdict = await check(scenario(bare, { sites: whole, ...only("trace", "old-or-new", "pair") }));
    expect(verdict).toMatchObject({ verdict: "safe" });
    expect(empty(verdict)).toEqual(["trace", "pair"]);
    const broken = await check(scenario(nothing, only("done", "trace")));
    expect(answer(broken)).toBe("unsafe: done");
    expect(empty(broken)).toEqual(["trace"]);
  });

  it("counts where it is not named as well", async () => {
    const verdict = await check(scenario(bare, { sites: whole }));
    expect(verdict.verdict).toBe("safe");
    expect(alwaysPromised).toContain("lifetime");
    expect(empty(verdict)).toEqual(["lifetime", "assertion"]);
  });

  it("is no reason to call what is left vacuous where somebody executes what changes", async () => {
    const ignore = ["old-or-new", "trap-owned", "fault"] as const;
    const locked = strategy(
      (flip) => [lock("lock", "l"), store("write", AT, first(flip).next), unlock("unlock", "l")],
      {
        promises: ["progress"],
      },
    );
    expect(answer(await check(scenario(locked, { ignore })))).toBe("safe");
    expect(answer(await check(scenario(locked, { ignore, executors: [] })))).toBe("vacuous");
  });

  it("is no question where all are left out", async () => {
    const verdict = await check(scenario(nothing, { properties: ["done"], ignore: ["done"] }));
    expect(verdict).toMatchObject({ verdict: "vacuous", reason: "No property counts." });
  });
});

describe("a question that needs nobody who executes", () => {
  const nobody = { executors: [] };
  const locked = strategy(() => [lock("lock", "l"), unlock("unlock", "l")], { promises: ["progress"] });

  it("is one of deadlock, where it is named or two patchers meet", async () => {
    expect(answer(await check(scenario(locked, nobody)))).toBe("vacuous");
    expect(answer(await check(scenario(locked, { ...nobody, ...only("progress") })))).toBe("safe");
    const two: Scenario = {
      ...scenario(locked, nobody),
      patchers: [0, 1].map(() => ({ strategy: locked, sites: [0], flips: 1 })),
    };
    const verdict = await check(two);
    expect(verdict.verdict).toBe("safe");
    expect(empty(verdict)).toEqual(["old-or-new", "trap-owned", "lifetime", "fault"]);
  });

  it("is one of lifetime", async () => {
    const frees = strategy(() => [load("load", "word", "a"), free("free", "word")], {
      promises: [],
      program: () => ({ words: { word: 0 } }),
    });
    expect(answer(await check(scenario(frees, nobody)))).toBe("safe");
    const late = strategy(() => [free("free", "word"), load("load", "word", "a")], {
      program: () => ({ words: { word: 0 } }),
    });
    expect(answer(await check(scenario(late, nobody)))).toBe("unsafe: lifetime");
  });
});

describe("one CPU with preemption", () => {
  it("has a victim beside its patcher", async () => {
    const alone = { cpus: 1, preempt: true };
    const torn = strategy((flip) => [store("write", AT, first(flip).next)]);
    expect(answer(await check(scenario(torn, alone)))).toBe("unsafe: old-or-new");
    expect(answer(await check(scenario(torn, { cpus: 1 })))).toBe("vacuous");
    expect(answer(await check(scenario(torn, { ...alone, executors: [{ count: 0 }] })))).toBe("vacuous");
  });
});
