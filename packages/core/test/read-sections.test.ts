import { describe, expect, it } from "vitest";
import {
  createSimulation,
  eq,
  type Flip,
  free,
  type Line,
  load,
  local,
  lock,
  maskIrq,
  type Plugin,
  type ReadFlavour,
  RULES,
  readLock,
  readUnlock,
  type Scenario,
  set,
  store,
  syncCores,
  unlock,
  unmaskIrq,
  until,
  waitRcu,
  waitRcuTasks,
  waitRcuTasksRude,
  waitRcuTasksTrace,
  waitSrcu,
  when,
} from "../src/index.js";
import { awaitGraceRule, beginGraceRule } from "../src/services/grace-periods.js";
import { visit } from "./naive.js";
import { toy } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const waits = {
  rcu: waitRcu,
  "rcu-tasks": waitRcuTasks,
  "rcu-tasks-rude": waitRcuTasksRude,
  "rcu-tasks-trace": waitRcuTasksTrace,
  "srcu:list": (id: string): Line => waitSrcu(id, "list"),
};
type Flavour = keyof typeof waits;

const words = { ready: 0, begun: 0, again: 0, over: 0, shown: 1, object: 7 };

/** Programs on CPUs of their own, and nobody else. */
const together = (programs: readonly (readonly Line[])[], more: Partial<Scenario> = {}): Scenario => ({
  name: "together",
  sites: programs.map((_, i) => site("nop", "ret", AT + BigInt(i))),
  patchers: programs.map((lines, i) => ({
    strategy: strategy(() => lines, { id: `program ${i}`, program: () => ({ words }) }),
    sites: [i],
    flips: 1,
  })),
  executors: [],
  cpus: programs.length,
  ...more,
});

const judged = (programs: readonly (readonly Line[])[], more: Partial<Scenario> = {}): Promise<string> =>
  check(together(programs, more)).then(answer);

describe("R44, R16: a grace period waits for the read-side sections of its flavour", () => {
  /** An object is unpublished, and freed after a grace period; a reader uses it where it still finds it. */
  const freeing = (wait: Line): readonly Line[] => [set("hide", "shown", 0), wait, free("free", "object")];
  const reading = (section: ReadFlavour | null): readonly Line[] => [
    ...(section === null ? [] : [readLock("lock", section)]),
    load("find", "shown", "found"),
    when("found", eq(local("found"), 1), [load("use", "object", "value")]),
    ...(section === null ? [] : [readUnlock("unlock", section)]),
  ];
  const lifetime = (flavour: Flavour, section: ReadFlavour | null, preempt: boolean): Promise<string> =>
    judged([freeing(waits[flavour]("grace")), reading(section)], { preempt, ...only("lifetime", "progress") });

  it.each(["rcu", "rcu-tasks", "rcu-tasks-trace", "srcu:list"] as const)("%s", async (flavour) => {
    expect(await lifetime(flavour, flavour, true)).toBe("safe");
    expect(await lifetime(flavour, flavour, false)).toBe("safe");
  });

  it("a wait for readers of a flavour that nobody reads under is told, with the name it may stand for", async () => {
    const waiting = async (wait: Line, ...reading: readonly Line[]) => {
      const { emptyWaits } = await check(together([[wait], reading], only("progress")));
      return emptyWaits;
    };
    const section = [readLock("lock", "srcu:list"), readUnlock("unlock", "srcu:list")];
    expect(await waiting(waitSrcu("grace", "list"), ...section)).toEqual([]);
    expect(await waiting(waitSrcu("grace", "lsit"), ...section)).toEqual([
      { flavour: "srcu:lsit", near: ["srcu:list"] },
    ]);
    expect(await waiting(waitRcuTasksTrace("grace"), ...section)).toEqual([{ flavour: "rcu-tasks-trace", near: [] }]);
    // Who runs, or has interrupts off, holds back the others.
    for (const wait of [waitRcu, waitRcuTasks, waitRcuTasksRude]) expect(await waiting(wait("grace"))).toEqual([]);
  });

  it("and of no other", async () => {
    expect(await lifetime("srcu:list", "rcu", true)).toBe("unsafe: lifetime");
    expect(await lifetime("srcu:list", "srcu:other", true)).toBe("unsafe: lifetime");
    expect(await lifetime("srcu:list", "rcu-tasks-trace", true)).toBe("unsafe: lifetime");
    expect(await lifetime("rcu", "srcu:list", true)).toBe("unsafe: lifetime");
  });

  it("without preemption rcu and rude wait for every CPU to switch, section or not; with it they do not", async () => {
    for (const flavour of ["rcu", "rcu-tasks-rude"] as const) {
      expect(await lifetime(flavour, null, false)).toBe("safe");
      expect(await lifetime(flavour, null, true)).toBe("unsafe: lifetime");
    }
    expect(await lifetime("rcu-tasks", null, true)).toBe("safe");
  });

  it("stretches with interrupts off count as sections of rcu", async () => {
    const masked = [maskIrq("mask"), ...reading(null), unmaskIrq("unmask")];
    const verdict = (flavour: Flavour) =>
      judged([freeing(waits[flavour]("grace")), masked], { preempt: true, ...only("lifetime", "progress") });
    expect(await verdict("rcu")).toBe("safe");
    expect(await verdict("rcu-tasks-rude")).toBe("safe");
    expect(await verdict("srcu:list")).toBe("unsafe: lifetime");
  });

  it("sections nest", async () => {
    const nested = [
      readLock("outer", "srcu:list"),
      readLock("inner", "srcu:list"),
      readUnlock("inner-end", "srcu:list"),
      ...reading(null),
      readUnlock("outer-end", "srcu:list"),
    ];
    const verdict = (lines: readonly Line[]) =>
      judged([freeing(waits["srcu:list"]("grace")), lines], only("lifetime", "progress"));
    expect(await verdict(nested)).toBe("safe");
    const [outer, inner, innerEnd, ...rest] = nested as [Line, Line, Line, ...Line[]];
    const early = [outer, inner, innerEnd, rest.at(-1) as Line, ...rest.slice(0, -1)];
    expect(await verdict(early)).toBe("unsafe: lifetime");
  });

  it("one that was entered after the period began is not waited for, nor is whoever left one and entered the next", async () => {
    const grace = { flavour: "srcu:list", waiter: "it" };
    const waiting = [
      until("reader", "ready", 1),
      { id: "begin", op: "startGrace", args: grace } as unknown as Line,
      set("begun", "begun", 1),
      until("second", "again", 1),
      { id: "end", op: "endGrace", args: grace } as unknown as Line,
      set("over", "over", 1),
    ];
    const twice = (between: readonly Line[]): readonly Line[] => [
      readLock("first", "srcu:list"),
      set("ready", "ready", 1),
      until("begun", "begun", 1),
      ...between,
      set("again", "again", 1),
      until("over", "over", 1),
      readUnlock("last", "srcu:list"),
    ];
    // A period that begins in one step and is waited for in another, as with `start_poll_synchronize_srcu`.
    const inTwo: Plugin = {
      id: "in-two",
      install: (binder) =>
        binder.add(RULES, {
          rules: [
            { ...beginGraceRule, id: "startGrace" },
            { ...awaitGraceRule, id: "endGrace" },
          ],
          maps: [],
          predicates: [],
        }),
    };
    const { check: asked } = createSimulation({ architecture: toy(), development: true, plugins: [inTwo] });
    const told = async (between: readonly Line[]) =>
      answer(await asked(together([waiting, twice(between)], only("progress"))));
    expect(await told([])).toBe("unsafe: progress");
    expect(await told([readUnlock("leave", "srcu:list"), readLock("enter", "srcu:list")])).toBe("safe");
  });

  it("a program that leaves a section which it is not in is told so, as is one that names no flavour", async () => {
    await expect(judged([[readUnlock("leave", "srcu:list")]])).rejects.toThrow(
      "A program leaves a read-side section of srcu:list that it did not enter.",
    );
    expect(() => readLock("enter", "rcu-tasks-rude" as ReadFlavour)).toThrow(
      "A read-side section is one of rcu, rcu-tasks, rcu-tasks-trace or srcu:NAME, not rcu-tasks-rude.",
    );
  });
});

describe("R16: a grace period that is awaited under a lock", () => {
  const inside = (...lines: readonly Line[]): readonly Line[] => [
    lock("lock", "mutex"),
    ...lines,
    unlock("unlock", "mutex"),
  ];
  const verdict = (flavour: Flavour, section: ReadFlavour | null, preempt: boolean): Promise<string> =>
    judged(
      [
        inside(waits[flavour]("grace")),
        section === null ? inside() : [readLock("enter", section), ...inside(), readUnlock("leave", section)],
      ],
      { preempt, ...only("progress") },
    );

  it.each([
    ["srcu:list", "srcu:list", false],
    ["srcu:list", "srcu:list", true],
    ["rcu-tasks-trace", "rcu-tasks-trace", false],
    ["rcu-tasks-trace", "rcu-tasks-trace", true],
    ["rcu", "rcu", true],
    ["rcu-tasks", "rcu-tasks", false],
    ["rcu-tasks", "rcu-tasks", true],
  ] as const)(
    "never ends where a section of %s survives that its reader sleeps on the lock (preemption: %s, %s)",
    async (flavour, section, preempt) => {
      expect(await verdict(flavour, section, preempt)).toBe("unsafe: progress");
    },
  );

  it.each([
    ["rcu", null, false],
    ["rcu", null, true],
    ["rcu-tasks", null, false],
    ["rcu-tasks", null, true],
    ["rcu-tasks-rude", null, false],
    ["rcu-tasks-rude", null, true],
    ["srcu:list", "srcu:other", true],
  ] as const)(
    "ends where to sleep is to switch: %s with a section of %s (preemption: %s)",
    async (flavour, section, preempt) => {
      expect(await verdict(flavour, section, preempt)).toBe("safe");
    },
  );

  it("without preemption a section of rcu ends where its reader sleeps", async () => {
    expect(await verdict("rcu", "rcu", false)).toBe("safe");
  });

  it("whoever waits without sleeping has not switched", async () => {
    const spinning = (flavour: Flavour, preempt: boolean) =>
      judged([[waits[flavour]("grace"), set("over", "over", 1)], [until("over", "over", 1)]], {
        preempt,
        ...only("progress"),
      });
    expect(await spinning("rcu-tasks", true)).toBe("unsafe: progress");
    expect(await spinning("rcu", false)).toBe("unsafe: progress");
    expect(await spinning("rcu-tasks-rude", false)).toBe("unsafe: progress");
    expect(await spinning("rcu", true)).toBe("safe");
    expect(await spinning("rcu-tasks-rude", true)).toBe("safe");
  });
});

describe("R44: victim code is in a section from when it comes to a declared block until it leaves it", () => {
  /** Where tasks can be inside the old code once a grace period that began after the change is over. */
  const left = (flavour: Flavour, more: Partial<Scenario>): ReadonlySet<string> => {
    const waiting = strategy((flip: Flip) => [
      store("write", AT, first(flip).next, { width: 4 }),
      syncCores("sync"),
      waits[flavour]("grace"),
    ]);
    const { views } = visit(
      createSimulation({ architecture: toy() }).machine(
        scenario(waiting, { sites: [site("nop+nop", "ret+ret")], ...more }),
      ),
      () => true,
    );
    const found = new Set<string>();
    for (const { memory, parked, cpus } of views) {
      if (memory.sites[0]?.calling === true || memory.sites[0]?.to === 0) continue;
      for (const { level, code } of [...parked.tasks, ...cpus.flatMap(({ stack }) => stack)])
        if (code.run === "machine" && code.pc === AT + 1n) found.add(level);
    }
    return found;
  };
  const calling = (readSide: true | ReadFlavour | undefined, code = "call 0x1010+ret"): Partial<Scenario> => ({
    preempt: true,
    executors: [{ entries: [0x1200n] }],
    blocks: [{ address: 0x1200n, code, ...(readSide === undefined ? {} : { readSide }) }],
  });

  it("what it calls included", () => {
    expect(left("rcu", calling(undefined))).toContain("task");
    expect(left("rcu", calling(true))).toEqual(new Set());
    expect(left("srcu:list", calling("srcu:list"))).toEqual(new Set());
    expect(left("srcu:list", calling(true))).toContain("task");
    expect(left("rcu-tasks-trace", calling("rcu-tasks-trace"))).toEqual(new Set());
  });

  it("but not where it goes on to without coming back", () => {
    expect(left("rcu", calling(true, "jump 0x1010"))).toContain("task");
  });

  it("and code in user mode holds no grace period back", () => {
    for (const flavour of ["rcu", "rcu-tasks", "rcu-tasks-rude"] as const) {
      expect(left(flavour, {})).toEqual(new Set());
      expect(left(flavour, { user: true })).toContain("task");
    }
  });
});
