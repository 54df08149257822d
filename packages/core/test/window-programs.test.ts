import { describe, expect, it } from "vitest";
import {
  afterEffect,
  type CpuState,
  createSimulation,
  enabledSteps,
  enterWindow,
  eventsOf,
  fence,
  fetchChoices,
  initialView,
  keyOf,
  type Line,
  load,
  local,
  lock,
  type Machine,
  maintain,
  ne,
  type Observation,
  type Scenario,
  type StateView,
  sendIpi,
  set,
  setEachCpu,
  store,
  storeData,
  syncCore,
  toHex,
  unlock,
  type WindowModel,
  waitIpi,
  when,
  windowOfCpu,
} from "../src/index.js";
import { everSeen, visit } from "./naive.js";
import { type ToyOptions, untilMaintenance, untilSync } from "./toy/architecture.js";
import { AT, answer, only, scenario, site, strategy } from "./toy/scenario.js";
import { steps, windowed } from "./toy/window.js";

const simulation = (more: Partial<WindowModel> = {}, options: ToyOptions = {}) =>
  createSimulation({ architecture: windowed(more, options), development: true });

const together = (programs: readonly (readonly Line[])[]): Scenario => ({
  name: "together",
  sites: programs.map((_, i) => site("nop", "ret", AT + BigInt(i))),
  patchers: programs.map((lines, i) => ({
    strategy: strategy(() => lines, {
      id: `patcher ${i}`,
      program: () => ({
        words: { x: 0, y: 0, z: 0 },
        cpuWords: { refs: 0 },
        around: { writes: [{ address: AT, size: 0x40 }] },
      }),
    }),
    sites: [i],
    flips: 1,
  })),
  executors: [],
  cpus: programs.length,
  memory: "architectural",
});

const machineOf = (of: Scenario): Machine => simulation().machine(of);

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

const nameOf = ({ detail }: Observation): string => {
  const { operation, write } = detail as { operation?: string; write?: { [part: string]: unknown } };
  return operation ?? String(write?.word ?? write?.bytes);
};

/** The orders in which what one program posts can take place. */
const orders = (...lines: readonly Line[]): readonly string[] => {
  const machine = machineOf(together([lines]));
  const seen = new Set<string>();
  const found = new Set<string>();
  const walk = (view: StateView, sofar: readonly string[]): void => {
    const key = `${keyOf(view as never)} ${sofar}`;
    if (seen.has(key)) return;
    seen.add(key);
    const taken = enabledSteps(machine, view, 0);
    if (taken.length === 0) found.add(sofar.join(" "));
    for (const { candidate, effects } of taken) {
      for (const effect of effects) {
        const names = candidate.rule.id === "drain" ? (effect.observed ?? []).map(nameOf) : [];
        walk(afterEffect(machine, view, 0, effect), [...sofar, ...names]);
      }
    }
  };
  walk(initialView(machine), []);
  return [...found].sort();
};

describe("stores of programs take place later", () => {
  it("message passing fails without a barrier between the stores, and holds with one", () => {
    const writer = (between: readonly Line[]) => [set("data", "x", 1), ...between, set("flag", "y", 1)];
    expect(reads(writer([]), reader)).toEqual(["00", "01", "10", "11"]);
    for (const kind of ["wmb", "mb", "apart", "finish"])
      expect(reads(writer([fence("barrier", kind)]), reader), kind).not.toContain("10");
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
    expect(orders(...three)).toEqual(["x z y", "z x y"]);
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

  it("a CPU's own loads see them at once", () => {
    expect(reads([], [set("x", "x", 1), load("own", "x", "a"), load("other", "y", "b")])).toEqual(["10"]);
  });

  it("an interrupt overtakes them, unless a barrier orders requests behind them", () => {
    const handler = [load("look", "x", "seen"), when("late", ne(local("seen"), 1), [enterWindow("enter", "late")])];
    const late = (...lines: readonly Line[]): boolean =>
      everSeen(
        machineOf(together([[set("x", "x", 1), ...lines, sendIpi("send", handler), waitIpi("wait", "send")], []])),
        "enterWindow",
        () => "late",
      ).size > 0;
    expect(late()).toBe(true);
    for (const kind of ["wmb", "apart"]) expect(late(fence("barrier", kind)), kind).toBe(true);
    for (const kind of ["mb", "before-requests", "finish"]) expect(late(fence("barrier", kind)), kind).toBe(false);
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
        const { posted } = windowOfCpu(before.cpus[0] as CpuState);
        const [drained] = eventsOf(effect.observed ?? [], "drain");
        if (rule === "drain" && posted.length === 2 && drained !== undefined && "write" in drained)
          out.add(keyOf(drained.write));
        return true;
      });
      return out.size;
    };
    expect([firstOut(same), firstOut(apart)]).toEqual([1, 2]);
  });
});

describe("cache maintenance of programs takes place later", () => {
  const write = store("write", AT, [0x01]);
  const clean = maintain("clean", "clean", AT);
  const invalidate = maintain("invalidate", "invalidate", AT);
  const ofOtherLine = maintain("clean", "clean", AT + 0x10n);

  it("in any order", () => {
    expect(orders(clean, invalidate)).toEqual(["clean invalidate", "invalidate clean"]);
    expect(orders(invalidate, clean)).toEqual(["clean invalidate", "invalidate clean"]);
    expect(orders(write, invalidate)).toEqual(["01 invalidate", "invalidate 01"]);
    expect(orders(invalidate, write)).toEqual(["01 invalidate", "invalidate 01"]);
  });

  it("but for stores and cleans of one line", () => {
    expect(orders(write, clean)).toEqual(["01 clean"]);
    expect(orders(clean, write)).toEqual(["clean 01"]);
    expect(orders(write, maintain("clean", "clean"))).toEqual(["01 clean"]);
    expect(orders(maintain("clean", "clean"), write)).toEqual(["clean 01"]);
    expect(orders(write, ofOtherLine)).toEqual(["01 clean", "clean 01"]);
    expect(orders(ofOtherLine, write)).toEqual(["01 clean", "clean 01"]);
    // What is no code is in no line of it.
    expect(orders(set("x", "x", 1), clean)).toEqual(["clean x", "x clean"]);
  });

  it("and of what barriers hold apart", () => {
    for (const kind of ["apart", "finish"]) {
      expect(orders(clean, fence("barrier", kind), invalidate), kind).toEqual(["clean invalidate"]);
      expect(orders(invalidate, fence("barrier", kind), write), kind).toEqual(["invalidate 01"]);
    }
    for (const kind of ["mb", "wmb", "rmb", "before-requests"])
      expect(orders(clean, fence("barrier", kind), invalidate), kind).toHaveLength(2);
    // What a barrier does not name passes it.
    expect(orders(write, fence("barrier", "wmb"), invalidate)).toHaveLength(2);
    expect(orders(write, fence("barrier", "alike"), ofOtherLine)).toHaveLength(2);
    expect(orders(write, clean, fence("barrier", "apart"), invalidate)).toEqual(["01 clean invalidate"]);
  });

  const made = (...between: readonly Line[]) =>
    scenario(
      strategy((flip) => [
        store("write", AT, flip.sites[0]?.next ?? []),
        ...between,
        sendIpi("kick", [syncCore("synchronise")]),
        waitIpi("wait", "kick"),
      ]),
      { sites: [site("nop", "ret")], memory: "architectural", ...only("done") },
    );

  it("so a change is done where every one of them is completed, and a CPU then synchronises", async () => {
    const complete = [clean, fence("cleaned", "finish"), invalidate, fence("invalidated", "finish")];
    const verdict = async (lines: readonly Line[]) =>
      answer(await simulation({}, { fetch: untilMaintenance }).check(made(...lines)));
    expect(await verdict(complete)).toBe("safe");
    for (const line of complete)
      expect(await verdict(complete.filter((each) => each !== line)), line.id).toBe("unsafe: done");
    // A barrier that waits for nothing leaves the invalidation on its way when the interrupt is sent.
    expect(await verdict([clean, fence("cleaned", "apart"), invalidate, fence("invalidated", "apart")])).toBe(
      "unsafe: done",
    );
    expect(await verdict([clean, fence("cleaned", "apart"), invalidate, fence("invalidated", "finish")])).toBe("safe");
  });
});

describe("what a program's step waits for", () => {
  /** The kinds of what may still be on its way when a step of this rule is taken. */
  const underWay = (rule: string, lines: readonly Line[], model: Partial<WindowModel> = {}): string => {
    const posted = [
      store("write", AT + 0x20n, [0x01]),
      maintain("clean", "clean", AT),
      maintain("invalidate", "invalidate", AT),
    ];
    const program = [...lines.slice(0, -1), ...posted, ...lines.slice(-1)];
    const machine = simulation(model).machine({
      ...together([program, [sendIpi("send", [])]]),
      sites: [site("nop", "ret"), site("nop", "ret", AT + 0x20n)],
    });
    const found = new Set<string>();
    let taken = 0;
    visit(machine, (step) => {
      if (step.rule !== rule || step.cpu !== 0) return true;
      taken++;
      for (const { is } of windowOfCpu(step.before.cpus[0] as CpuState).posted) if (is !== "barrier") found.add(is);
      return true;
    });
    return taken === 0 ? "never" : [...found].sort().join(" ");
  };

  const barriers = [
    ["mb", "clean invalidate"],
    ["wmb", "clean invalidate write"],
    ["rmb", "clean invalidate write"],
    ["before-requests", "clean invalidate"],
    ["apart", "clean invalidate write"],
    ["finish", ""],
    ["context-synchronisation", "clean invalidate write"],
    ["serialise", "clean invalidate"],
  ] as const;

  it("a barrier that there is not is refused", () =>
    expect(() => underWay("fence", [fence("fence", "no such thing")])).toThrow("names the barrier no such thing"));

  it.each(barriers)("%s leaves on its way: %s", (kind, left) => {
    expect(underWay("fence", [fence("fence", kind)])).toBe(left);
  });

  it("atomic accesses and releases wait for stores and cleans, events for everything", () => {
    expect(underWay("lock", [lock("lock", "lock")])).toBe("invalidate");
    expect(underWay("unlock", [lock("lock", "lock"), unlock("unlock", "lock")])).toBe("invalidate");
    expect(underWay("take-ipi", [load("look", "x", "seen")])).toBe("");
  });

  it("a context synchronisation for what the architecture says", () => {
    const of = (after: readonly ("write" | "clean" | "invalidate")[]) => ({
      steps: { ...steps, "context-synchronisation": { is: "synchronise", after } as const },
    });
    expect(underWay("syncCore", [syncCore("sync")])).toBe("clean invalidate write");
    expect(underWay("syncCore", [syncCore("sync")], of(["write"]))).toBe("clean invalidate");
    expect(underWay("syncCore", [syncCore("sync")], of(["write", "clean", "invalidate"]))).toBe("");
  });
});

describe("a context synchronisation with writes of code under way", () => {
  const ownStores = {
    steps: { ...steps, "context-synchronisation": { is: "synchronise", ownStores: true } as const },
  };

  const seenAt = (
    between: readonly Line[],
    cpu: number,
    returned: boolean,
    model: Partial<WindowModel> = ownStores,
  ): readonly string[] => {
    const machine = simulation(model, { fetch: untilSync }).machine({
      ...together([[store("write", AT, [0x01]), ...between]]),
      sites: [site("nop", "ret")],
      cpus: 2,
      executors: [{ count: 1 }],
    });
    const found = new Set<string>();
    visit(machine, ({ before }) => {
      const patcher = before.cpus[0] as CpuState;
      const drained = windowOfCpu(patcher).posted.length === 0;
      if (patcher.stack.length === 0 && drained === returned)
        for (const { bytes } of fetchChoices(before.cpus[cpu] as CpuState, before.memory, AT, "", machine))
          found.add(toHex(bytes));
      return true;
    });
    return [...found].sort();
  };

  const synced = [syncCore("sync")];

  it("its own fetches find them from there on, before and after others can", () => {
    expect(seenAt([], 0, false)).toEqual(["00"]);
    expect(seenAt([], 0, true)).toEqual(["00", "01"]);
    for (const returned of [false, true]) expect(seenAt(synced, 0, returned)).toEqual(["01"]);
  });

  it("where the architecture says no such thing, it leaves them as they are", () => {
    expect(seenAt(synced, 0, false, {})).toEqual(["00"]);
    expect(seenAt(synced, 0, true, {})).toEqual(["00", "01"]);
  });

  it("those of others do not", () => {
    expect(seenAt(synced, 1, false)).toEqual(["00"]);
    expect(seenAt(synced, 1, true)).toEqual(["00", "01"]);
  });
});

describe("machine code that a handler calls", () => {
  it("loads and stores behind what the handler did", () => {
    const machine = simulation().machine(
      scenario(
        strategy(() => [], { program: () => ({ traps: { irq: [storeData("data", 0x9000n, [1, 0])] } }) }),
        { sites: [site("load 0x9000", "nop3")], interrupts: { irq: true }, cpus: 2, memory: "architectural" },
      ),
    );
    const loaded = everSeen(machine, "window-load", ({ detail }, { before, cpu }) =>
      before.cpus[cpu]?.stack.at(-1)?.level === "irq" ? String(detail.value) : "elsewhere",
    );
    expect([...loaded].sort()).toEqual(["1", "elsewhere"]);
  });
});
