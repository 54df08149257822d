import { describe, expect, it } from "vitest";
import {
  type Architecture,
  type CpuState,
  createSimulation,
  enterWindow,
  fence,
  fetchChoices,
  keyOf,
  type Line,
  load,
  local,
  lock,
  ne,
  reorderingBuffer,
  type Scenario,
  sendIpi,
  set,
  setEachCpu,
  store,
  storeData,
  syncCore,
  toHex,
  unlock,
  waitIpi,
  when,
} from "../src/index.js";
import { visit } from "./naive.js";
import { toy } from "./toy/architecture.js";
import { AT, site, strategy } from "./toy/scenario.js";

const order = reorderingBuffer({
  id: "weak",
  source: "the toy's manual",
  drainedBy: (ordering) => ["atomic", "event", "release", "mb"].includes(ordering),
  separatedBy: (ordering) => ordering === "wmb",
});

const weak = (): Architecture => ({ ...toy(), memory: order });

const together = (programs: readonly (readonly Line[])[]): Scenario => ({
  name: "together",
  sites: programs.map((_, i) => site("nop", "ret", AT + BigInt(i))),
  patchers: programs.map((lines, i) => ({
    strategy: strategy(() => lines, {
      id: `patcher ${i}`,
      program: () => ({ words: { x: 0, y: 0, z: 0 }, cpuWords: { refs: 0 } }),
    }),
    sites: [i],
    flips: 1,
  })),
  executors: [],
  cpus: programs.length,
  memory: "architectural",
});

const machineOf = (of: Scenario) => createSimulation({ architecture: weak(), development: true }).machine(of);

/** What the locals `a` and `b` of the second program hold at its end. */
const reads = (...programs: readonly (readonly Line[])[]): readonly string[] => {
  const found = new Set<string>();
  visit(machineOf(together(programs)), ({ rule, cpu, before }) => {
    const code = before.cpus[1]?.stack[0]?.code;
    if (rule === "exit-task" && cpu === 1 && code?.run === "program") found.add(`${code.locals.a}${code.locals.b}`);
    return true;
  });
  return [...found].sort();
};

const reader = [load("first", "y", "a"), load("second", "x", "b")];

describe("writes leave a store buffer in any order", () => {
  it("message passing fails without a barrier between the stores, and holds with one", () => {
    const writer = (between: readonly Line[]) => [set("data", "x", 1), ...between, set("flag", "y", 1)];
    expect(reads(writer([]), reader)).toEqual(["00", "01", "10", "11"]);
    for (const kind of ["wmb", "mb"]) expect(reads(writer([fence("barrier", kind)]), reader)).not.toContain("10");
    expect(reads(writer([fence("barrier", "rmb")]), reader)).toContain("10");
    expect(reads(writer([lock("lock", "lock"), unlock("unlock", "lock")]), reader)).not.toContain("10");
  });

  it("a barrier orders what is before it before what is behind, whatever else is about", () => {
    const three = [
      set("z", "z", 1),
      set("data", "x", 1),
      fence("barrier", "wmb"),
      fence("again", "wmb"),
      set("flag", "y", 1),
    ];
    expect(reads(three, reader)).not.toContain("10");
    // A barrier with nothing before it is none for what comes later.
    expect(reads([fence("barrier", "wmb"), set("data", "x", 1), set("flag", "y", 1)], reader)).toContain("10");
    // It does not wait itself: the load behind it finds the old value of another.
    const own = (x: string, y: string) => [set("mine", x, 1), fence("barrier", "wmb"), load("other", y, "b")];
    expect(reads(own("y", "x"), own("x", "y"))).toContain("undefined0");
  });

  it("writes of one place keep their order", () => {
    const twice = [set("one", "x", 1), set("two", "x", 2)];
    const looks = [load("first", "x", "a"), load("second", "x", "b")];
    expect(reads(twice, looks)).toEqual(["00", "01", "02", "11", "12", "22"]);
  });

  it("a CPU sees its own at once", () => {
    expect(reads([], [set("x", "x", 1), load("own", "x", "a"), load("other", "y", "b")])).toEqual(["10"]);
  });

  it("an interrupt overtakes them, a barrier between stores included", () => {
    const handler = [load("look", "x", "seen"), when("late", ne(local("seen"), 1), [enterWindow("enter", "late")])];
    const late = (lines: readonly Line[]): boolean => {
      let found = false;
      visit(machineOf(together([lines, []])), ({ rule }) => {
        found ||= rule === "enterWindow";
        return true;
      });
      return found;
    };
    const sends = [sendIpi("send", handler), waitIpi("wait", "send")];
    expect(late([set("x", "x", 1), ...sends])).toBe(true);
    expect(late([set("x", "x", 1), fence("barrier", "wmb"), ...sends])).toBe(true);
    expect(late([set("x", "x", 1), fence("barrier", "mb"), ...sends])).toBe(false);
  });

  it.each([
    ["code", [store("a", AT, [0x01]), store("b", AT, [0x02])], [store("a", AT, [0x01]), store("b", AT + 1n, [0x02])]],
    [
      "data",
      [storeData("a", 0x9000n, [1, 2]), storeData("b", 0x9001n, [3])],
      [storeData("a", 0x9000n, [1]), storeData("b", 0x9001n, [3])],
    ],
    [
      "per-CPU words",
      [setEachCpu("a", "refs", 1), setEachCpu("b", "refs", 2)],
      [setEachCpu("a", "refs", 1), set("b", "x", 2)],
    ],
  ] as const)("of %s: the second passes the first only elsewhere", (_, same, apart) => {
    const firstOut = (lines: readonly Line[]): number => {
      const out = new Set<string>();
      visit(machineOf(together([lines])), ({ rule, before, effect }) => {
        const waiting = before.cpus[0]?.order as readonly unknown[] | null;
        const [drained] = effect.observed ?? [];
        if (rule === "drain" && waiting?.length === 2) out.add(keyOf(drained?.detail.write));
        return true;
      });
      return out.size;
    };
    expect([firstOut(same), firstOut(apart)]).toEqual([1, 2]);
  });
});

describe("a context synchronisation with writes of code under way", () => {
  const seenAt = (between: readonly Line[], cpu: number, returned: boolean): readonly string[] => {
    const machine = machineOf({
      ...together([[store("write", AT, [0x01]), ...between]]),
      sites: [site("nop", "ret")],
      cpus: 2,
      executors: [{ count: 1 }],
    });
    const found = new Set<string>();
    visit(machine, ({ before }) => {
      const [patcher] = before.cpus;
      const done = patcher?.stack.length === 0;
      const drained = patcher?.order === null;
      if (done && drained === returned)
        for (const { bytes } of fetchChoices(before.cpus[cpu] as CpuState, before.memory, AT, "", machine))
          found.add(toHex(bytes));
      return true;
    });
    return [...found].sort();
  };

  it("its own fetches find them from there on, before and after others can", () => {
    const synced = [syncCore("sync")];
    for (const returned of [false, true]) {
      expect(seenAt([], 0, returned)).toEqual(["00", "01"]);
      expect(seenAt(synced, 0, returned)).toEqual(["01"]);
    }
  });

  it("those of others do not", () => {
    expect(seenAt([syncCore("sync")], 1, false)).toEqual(["00"]);
    expect(seenAt([syncCore("sync")], 1, true)).toEqual(["00", "01"]);
  });
});
