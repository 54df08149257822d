import { describe, expect, it } from "vitest";
import {
  ack,
  add,
  addEachCpu,
  armTrap,
  type CpuState,
  createSimulation,
  disarmTrap,
  enterWindow,
  eq,
  fence,
  type Line,
  leaveWindow,
  load,
  local,
  lock,
  maintain,
  ne,
  put,
  type Scenario,
  sendIpi,
  set,
  setEachCpu,
  stopNmi,
  store,
  syncCore,
  syncCores,
  tryGet,
  unlock,
  until,
  untilEachCpu,
  waitIpi,
  waitRcu,
  when,
} from "../src/index.js";
import { visit } from "./naive.js";
import { granules, toy, untilSync } from "./toy/architecture.js";
import { AT, answer, check, only, site, strategy } from "./toy/scenario.js";

/** Patchers with a program and a site each, and no executors, over the words x, y and z. */
const together = (programs: readonly (readonly Line[])[], more: Partial<Scenario> = {}): Scenario => ({
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
  ...more,
});

const machineOf = (of: Scenario) => createSimulation({ architecture: toy(), development: true }).machine(of);

/** Every pair of what two programs' locals `a` and `b` hold at their ends. */
const locals = (of: Scenario): readonly string[] => {
  const found = new Set<string>();
  visit(machineOf(of), ({ rule, before }) => {
    if (rule === "exit-task") {
      const ended = before.cpus.map(({ stack }) => (stack[0]?.code.run === "program" ? stack[0].code.locals : {}));
      found.add(ended.map(({ a, b }) => `${a ?? "-"}${b ?? "-"}`).join(" "));
    }
    return true;
  });
  return [...found].sort();
};

describe("R20: writes wait in a store buffer", () => {
  const enters = (own: string, other: string, between: readonly Line[]): readonly Line[] => [
    set("announce", own, 1),
    ...between,
    load("look", other, "other"),
    when("free", eq(local("other"), 0), [enterWindow("enter", "critical"), leaveWindow("leave", "critical")]),
  ];
  const dekker = (between: readonly Line[], memory: Scenario["memory"] = "architectural"): Scenario =>
    together([enters("x", "y", between), enters("y", "x", between)], { memory, ...only("exclusive") });

  it("so a load overtakes an earlier store, unless a full barrier stands between: Dekker's lock", async () => {
    // The windows of the toy drain the buffer themselves; what breaks is the load before.
    expect(answer(await check(dekker([], "sequential")))).toBe("safe");
    expect(answer(await check(dekker([])))).toBe("unsafe: exclusive");
    expect(answer(await check(dekker([fence("barrier", "wmb")])))).toBe("unsafe: exclusive");
    expect(answer(await check(dekker([fence("barrier", "mb")])))).toBe("safe");
    expect(answer(await check(dekker([add("atomic", "z", 1)])))).toBe("safe");
  });

  it("stores of one CPU are seen in their order: message passing", () => {
    const seen = locals(
      together([
        [set("data", "x", 1), set("flag", "y", 1)],
        [load("flag", "y", "a"), load("data", "x", "b")],
      ]),
    );
    expect(seen.some((pair) => pair.endsWith("11"))).toBe(true);
    expect(seen.some((pair) => pair.endsWith("10"))).toBe(false);
  });

  it("and their CPU sees them at once", () => {
    expect(locals(together([[set("x", "x", 1), load("own", "x", "a")]]))).toEqual(["1-"]);
    // The last of several, and its own rather than what others see.
    expect(locals(together([[set("x", "x", 1), set("again", "x", 2), load("own", "x", "a")]]))).toEqual(["2-"]);
    expect(locals(together([[set("x", "x", 1), until("own", "x", 1), load("other", "y", "a")]]))).toEqual(["0-"]);
  });

  it("an interrupt overtakes them, unless a barrier drains them or it is sent by on_each_cpu", () => {
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
    expect(late([set("x", "x", 1), syncCores("sync"), ...sends])).toBe(false);
  });

  it("an acknowledgement comes after what its handler wrote", () => {
    const seen = locals(
      together([[sendIpi("send", [set("x", "x", 1), ack()]), waitIpi("wait", "send"), load("look", "x", "a")], []]),
    );
    expect(seen.filter((pair) => pair !== "-- --")).toEqual(["1- --"]);
  });

  it("a word of every CPU is one of them, NMIs off among these", () => {
    const waits = together([[setEachCpu("refs", "refs", 1), untilEachCpu("until", "refs", 1)]]);
    expect(locals(waits)).toEqual(["--"]);
    const before = together([[setEachCpu("refs", "refs", 1), untilEachCpu("until", "refs", 0)]]);
    expect(locals(before)).toEqual([]);
    const nmis = new Set<string>();
    const off = together([[stopNmi("off"), store("write", AT, [1])]], {
      interrupts: { nmi: true },
      executors: [{}],
      cpus: 2,
    });
    visit(machineOf(off), ({ cpu, rule, before }) => {
      if (rule === "nmi" && before.cpus[0]?.order !== null) nmis.add(`CPU ${cpu} before`);
      if (rule === "nmi" && before.cpus[1]?.words["(nmi off)"] === true) nmis.add(`CPU ${cpu} after`);
      return true;
    });
    expect([...nmis]).toEqual(["CPU 1 before"]);
  });
});

describe("R20: what drains the store buffer", () => {
  const drained: readonly (readonly [string, readonly Line[], string, (readonly Line[])?])[] = [
    ["a full barrier", [fence("it", "mb")], "fence"],
    ["taking a lock", [lock("it", "mutex")], "lock"],
    ["releasing one", [unlock("it", "mutex")], "unlock", [lock("before", "mutex")]],
    ["an atomic addition", [add("it", "z", 1)], "add"],
    ["an atomic addition on every CPU", [addEachCpu("it", "refs", 1)], "addEachCpu"],
    ["taking a reference", [tryGet("it", "refs", "got")], "tryGet"],
    ["giving one back", [put("it", "refs")], "put"],
    ["registering a handler", [armTrap("it", "brk")], "armTrap"],
    ["taking one out of service", [disarmTrap("it", "brk")], "disarmTrap"],
    ["entering a mapping", [enterWindow("it", "mapping")], "enterWindow"],
    ["leaving one", [leaveWindow("it", "mapping")], "leaveWindow", [enterWindow("before", "mapping")]],
    ["a context synchronisation", [syncCore("it")], "syncCore"],
    ["on_each_cpu", [syncCores("it")], "sendIpi"],
    ["a grace period", [waitRcu("it")], "beginGrace"],
    ["cleaning a cache", [maintain("it", "clean", AT)], "maintain"],
  ];

  /** The steps that CPU 0 could take after `set` and, when its write has drained, those then. */
  const around = (lines: readonly Line[], before: readonly Line[] = []): readonly (readonly string[])[] => {
    const machine = machineOf(
      together([[...before, set("first", "x", 1), ...lines]], { interrupts: { irq: true, nmi: true } }),
    );
    const { views } = visit(machine, ({ before }) => before.cpus[0]?.stack.length === 1);
    const ids = (cpu: CpuState): readonly string[] => machine.candidates(cpu).map(({ rule }) => rule.id);
    const full = views.find(({ cpus }) => cpus[0]?.order !== null)?.cpus[0] as CpuState;
    return [ids(full), ids({ ...full, order: null })];
  };

  const rows = drained.map(([name, lines, rule, before = []]) => [name, lines, rule, before] as const);
  it.each(rows)("%s", (_name, lines, rule, before) => {
    const [full, empty] = around(lines, before);
    expect(full).toContain("drain");
    expect(full).not.toContain(rule);
    expect(empty).toContain(rule);
    expect(empty).not.toContain("drain");
  });

  it("interrupts of every kind", () => {
    const [full, empty] = around([load("look", "y", "a")]);
    expect(full).toEqual(["load", "drain"]);
    expect(empty).toEqual(["load", "irq", "nmi"]);
  });

  it("but neither plain accesses nor a barrier between stores", () => {
    expect(around([set("it", "y", 1)])[0]).toContain("set");
    expect(around([fence("it", "wmb")])[0]).toContain("fence");
    expect(around([sendIpi("it", [])])[0]).toContain("sendIpi");
  });
});

describe("R20: code is memory too", () => {
  /** What an executor of `code` at the site's neighbourhood can execute at the site, with what it wrote before pending or not. */
  const executed = (code: string, fetch = untilSync): readonly string[] => {
    const block = 0x1100n;
    const machine = createSimulation({ architecture: toy({ fetch }), development: true }).machine({
      name: "writes itself",
      sites: [site("nop+nop", "ret+ret", 0x1010n)],
      patchers: [],
      blocks: [{ address: block, code }],
      executors: [{ entries: [block], count: 1 }],
      cpus: 2,
      memory: "architectural",
    });
    const found = new Set<string>();
    visit(machine, ({ effect, before, cpu }) => {
      for (const { what, detail } of effect.observed ?? []) {
        if (what !== "execute" || detail.site === null) continue;
        const pending = before.cpus[cpu]?.order !== null;
        const left = effect.set.cpu?.order !== null;
        found.add(`${detail.at === 0x1010n ? "first" : "second"} ${detail.text}${pending && left ? " pending" : ""}`);
      }
      return true;
    });
    return [...found].sort();
  };

  // 0x0101 is `ret+ret`, the low byte first.
  const rewrites = "add 0x101+store 0x1010+jump 0x1010";

  it("a CPU may fetch what it wrote before others see it; where fetches see every store, it fetches nothing else", () => {
    expect(executed(rewrites, granules)).toEqual(["first ret"]);
    expect(executed(rewrites)).toContain("first ret");
    expect(executed(rewrites)).toContain("first nop pending");
  });

  it("to write code that is no site is a fault", () => {
    const machine = createSimulation({ architecture: toy(), development: true }).machine({
      name: "writes text",
      sites: [site("nop", "ret")],
      patchers: [],
      blocks: [{ address: 0x1100n, code: "store 0x1100+ret" }],
      executors: [{ entries: [0x1100n], count: 1 }],
      cpus: 1,
    });
    const vectors = new Set<unknown>();
    visit(machine, ({ effect }) => {
      for (const { what, detail } of effect.observed ?? []) if (what === "execute") vectors.add(detail.vector);
      return true;
    });
    expect([...vectors]).toEqual(["pf"]);
  });
});
