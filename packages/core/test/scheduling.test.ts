import { describe, expect, it } from "vitest";
import { type Context, type CpuState, running } from "../src/contract/state.js";
import {
  claim,
  createSimulation,
  emulate,
  type Flip,
  free,
  type Line,
  load,
  local,
  lock,
  lookup,
  ne,
  type PatchStrategy,
  type Scenario,
  sendIpi,
  set,
  stopMachine,
  store,
  syncCore,
  syncCores,
  toHex,
  unlock,
  until,
  waitIpi,
  waitRcu,
  waitRcuTasks,
  waitRcuTasksRude,
  when,
} from "../src/index.js";
import { everSeen, visit } from "./naive.js";
import { granules, type ToyOptions, toy, toyCpu } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const sites = [site("nop", "ret")];
const several = [site("nop+nop+nop", "call")];
const write = (flip: Flip): Line => store("write", AT, first(flip).next, { width: 4 });
const machineOf = (of: Scenario, options: ToyOptions = {}) =>
  createSimulation({ architecture: toy(options) }).machine(of);

describe("R14: preemption", () => {
  const nothing = strategy(() => []);

  it("takes a task off at any instruction boundary, with its registers and pc", () => {
    const code = { blocks: [{ address: 0x1200n, code: "add 1+add 2+ret" }], executors: [{ entries: [0x1200n] }] };
    const at = everSeen(
      machineOf(scenario(nothing, { sites, preempt: true, ...code })),
      "preempt",
      (_, { before, cpu }) => {
        const task = running(before.cpus[cpu] as CpuState)?.code;
        return task?.run === "machine"
          ? `${task.home ? "home" : task.pc.toString(16)} acc ${task.registers.acc ?? 0}`
          : "patcher";
      },
    );
    expect(at).toEqual(new Set(["home acc 0", "1203 acc 1", "1206 acc 3", "patcher"]));
  });

  it("and never without preemption", () => {
    expect(everSeen(machineOf(scenario(nothing, { sites })), "preempt", () => "").size).toBe(0);
  });

  it("lets it go on on any CPU, from where it was", () => {
    const of = scenario(nothing, { sites: several, preempt: true, cpus: 2 });
    const moved = everSeen(machineOf(of), "resume", (_, { cpu, effect }) => {
      const code = running(effect.set.cpu as CpuState)?.code;
      return code?.run === "machine" ? `on ${cpu} at ${code.pc.toString(16)}` : "";
    });
    const places = ["1011", "1012", "1013", "7ff80000"];
    expect(moved).toEqual(new Set(["", ...[0, 1].flatMap((cpu) => places.map((pc) => `on ${cpu} at ${pc}`))]));
  });

  it("what the new CPU may fetch is its own affair: a task that moves finds the old code again", async () => {
    // CPU 0 has synchronised, CPU 1 has not.
    const own = scenario(
      strategy((flip) => [write(flip), syncCore("own")]),
      { sites, preempt: true, cpus: 2, ...only("done") },
    );
    expect(answer(await check(own, { cpu: { synchronizes: [] } }))).toBe("unsafe: done");
  });

  describe("R45: the return from an interrupt comes to who was interrupted", () => {
    /** What a task that goes on finds, by whether it was interrupted: what may be fetched beside the latest, or not. */
    const found = (event: string, user: boolean): ReadonlySet<string> => {
      const sleeping = strategy((flip) => [write(flip), lock("lock", "mutex"), unlock("unlock", "mutex")]);
      const machine = machineOf(scenario(sleeping, { sites: [site("nop+nop", "ret+ret")], preempt: true, user }), {
        cpu: { synchronizes: [event] },
      });
      return everSeen(machine, "resume", (_, { effect }) => {
        const { stack, stale } = effect.set.cpu as CpuState;
        const code = (stack[0] as Context).code;
        const asleep = code.run === "machine" ? code.home : machine.next(code)?.op === "lock";
        const who = `${code.run === "machine" ? "executor" : "patcher"} ${asleep ? "asleep" : "inside"}`;
        return `${who}: ${Object.keys(stale).length > 0 ? "stale" : "fresh"}`;
      });
    };

    it("so a task that gave up its CPU, or has not begun, goes on without one", () => {
      const interrupted = found("resume-preempted", false);
      expect(interrupted).toContain("executor inside: fresh");
      expect(interrupted).not.toContain("executor inside: stale");
      expect(interrupted).not.toContain("patcher inside: stale");
      expect(interrupted).toContain("executor asleep: stale");
      expect(interrupted).toContain("patcher asleep: stale");
      expect(found("resume-preempted", true)).toContain("executor asleep: stale");
    });

    it("but as from a switch, or in user mode as from a system call, where the architecture makes something of that", () => {
      const none = "executor asleep: stale";
      expect(found("context-switch", false)).not.toContain(none);
      expect(found("context-switch", true)).toContain(none);
      expect(found("user-return", true)).not.toContain(none);
      expect(found("user-return", false)).toContain(none);
      expect(found("context-switch", false)).toContain("executor inside: stale");
    });

    /** All others are interrupted; the patcher's own CPU synchronises with that, or not. */
    const verdict = (handler: readonly Line[], own: boolean, preempt: boolean) =>
      check(
        scenario(
          strategy((flip) => [write(flip), sendIpi("ipi", handler, "", own), waitIpi("wait", "ipi")]),
          {
            sites,
            preempt,
            ...(preempt ? { executors: [{ count: 2 }] } : {}),
            ...only("done"),
          },
        ),
        { cpu: { synchronizes: ["irq-return", "resume-preempted"] } },
      ).then(answer);

    it("at its end the scheduler may go to another task first, which is why handlers synchronise by themselves", async () => {
      expect(await verdict([], true, false)).toBe("safe");
      expect(await verdict([], true, true)).toBe("unsafe: done");
      expect(await verdict([syncCore("core")], true, true)).toBe("safe");
    });

    it("or to the stopper, in which an NMI finds what the return would have synchronised", async () => {
      const stopping = (handler: readonly Line[]) =>
        strategy(
          (flip) => [
            store("trap", AT, [0x02]),
            sendIpi("ipi", handler, "", true),
            waitIpi("wait", "ipi"),
            stopMachine("stop", { run: [store("tail", AT + 1n, first(flip).next.slice(1))] }),
          ],
          { program: () => ({ traps: { brk: [{ id: "again", op: "restart", args: {} }, claim()] } }) },
        );
      const torn = (handler: readonly Line[]) =>
        check(
          scenario(stopping(handler), {
            preempt: true,
            executors: [{ entries: [0x1200n] }],
            blocks: [{ address: 0x1200n, code: "ret" }],
            interrupts: { nmi: { entries: [AT] } },
            ...only("old-or-new"),
          }),
          { cpu: { synchronizes: ["irq-return", "resume-preempted"] } },
        ).then(answer);
      expect(await torn([])).toBe("unsafe: old-or-new");
      expect(await torn([syncCore("core")])).toBe("safe");
    });

    it("and the caller's own CPU may go to a task that sleeps", async () => {
      expect(await verdict([syncCore("core")], false, false)).toBe("safe");
      expect(await verdict([syncCore("core")], false, true)).toBe("unsafe: done");
    });
  });

  it("resuming synchronises only where the architecture says so", () => {
    const windows = (synchronizes: readonly string[]): ReadonlySet<string> =>
      everSeen(
        machineOf(
          scenario(
            strategy((flip) => [write(flip)]),
            { sites, preempt: true },
          ),
          { cpu: { synchronizes } },
        ),
        "resume",
        (_, { effect }) => (Object.keys(effect.set.cpu?.stale ?? {}).length > 0 ? "stale" : "fresh"),
      );
    expect(windows(["resume-preempted", "context-switch"])).toEqual(new Set(["fresh"]));
    expect(windows([])).toEqual(new Set(["fresh", "stale"]));
  });

  it("a task between two old instructions goes on in the middle of the new one", async () => {
    const synchronised = strategy((flip) => [write(flip), syncCores("sync")]);
    const verdict = await check(scenario(synchronised, { sites: several, preempt: true, ...only("mid-sequence") }));
    expect(answer(verdict)).toBe("unsafe: mid-sequence");
  });

  it("more tasks than CPUs take turns", async () => {
    const crowd = scenario(nothing, { sites, preempt: true, executors: [{ count: 3 }] });
    const { views } = visit(machineOf(crowd), () => true);
    expect(Math.max(...views.map(({ parked }) => parked.tasks.length))).toBe(4);
    await expect(check({ ...crowd, preempt: false })).rejects.toThrow("There are 2 more executors than free CPUs");
  });

  it("the voluntary switch of a task's loop synchronises only where the architecture says so", () => {
    const windows = (synchronizes: readonly string[]): ReadonlySet<string> =>
      everSeen(
        machineOf(
          scenario(
            strategy((flip) => [write(flip)]),
            { sites },
          ),
          { cpu: { synchronizes } },
        ),
        "execute",
        ({ detail }, { effect }) =>
          detail.text === "ret" ? (Object.keys(effect.set.cpu?.stale ?? {}).length > 0 ? "stale" : "fresh") : "",
      );
    expect(windows(["context-switch"])).not.toContain("stale");
    expect(windows([])).toContain("stale");
  });
});

describe("R15: stop_machine", () => {
  const stopping = (secondaries: readonly Line[] = [syncCore("sync-others")]): PatchStrategy =>
    strategy((flip) => [stopMachine("stop", { run: [write(flip), syncCore("sync-own")], secondaries })]);

  it("stops tasks at their voluntary switches: nobody is between two instructions of a site", async () => {
    expect(answer(await check(scenario(stopping(), { sites: several })))).toBe("safe");
    expect(answer(await check(scenario(stopping(), { sites: several, cpus: 3 })))).toBe("safe");
  });

  it("with preemption it stops them anywhere", async () => {
    expect(answer(await check(scenario(stopping(), { sites: several, preempt: true, ...only("mid-sequence") })))).toBe(
      "unsafe: mid-sequence",
    );
  });

  it("runs its function on one CPU, the first", () => {
    const ran = everSeen(
      machineOf(
        scenario(stopping(), { sites, cpus: 3, patchers: [{ strategy: stopping(), sites: [0], flips: 1, cpu: 1 }] }),
      ),
      "store",
      (_, { cpu }) => String(cpu),
    );
    expect(ran).toEqual(new Set(["0"]));
  });

  it("while every other CPU is inside its own stopper, with interrupts masked", () => {
    const of = scenario(stopping(), { sites, cpus: 3, interrupts: { irq: true } });
    const around = everSeen(machineOf(of), "store", (_, { before }) =>
      before.cpus.map((cpu) => `${running(cpu)?.level}${running(cpu)?.masked === true ? " masked" : ""}`).join(", "),
    );
    expect(around).toEqual(new Set(["stopper masked, stopper masked, stopper masked"]));
  });

  it("NMIs go on, and run what they find", async () => {
    const of = (interrupts: Scenario["interrupts"]) =>
      scenario(stopping(), {
        sites: [site("nop3 0x100", "add 0x302")],
        interrupts: interrupts ?? {},
        ...only("old-or-new"),
      });
    expect(answer(await check(of({ irq: true })))).toBe("safe");
    expect(answer(await check(of({ nmi: true })))).toBe("unsafe: old-or-new");
  });

  it("nobody leaves before the function is done", () => {
    const left = everSeen(
      machineOf(scenario(stopping([]), { sites, cpus: 3 })),
      "exit-stopper",
      (_, { before }) => before.memory.cells[AT.toString(16)]?.latest ?? "",
    );
    expect(left).toEqual(new Set(["01"]));
  });

  it("and leaving synchronises no task that stood at its switch, but where the architecture says so", async () => {
    const stale = (secondaries: readonly Line[], synchronizes: readonly string[]) =>
      check(scenario(stopping(secondaries), { sites, ...only("done") }), { cpu: { synchronizes } }).then(answer);
    expect(await stale([], toyCpu.synchronizes)).toBe("unsafe: done");
    expect(await stale([], [...toyCpu.synchronizes, "context-switch"])).toBe("safe");
    expect(await stale([syncCore("sync")], [])).toBe("safe");
  });

  it("a preempted task goes on as from a preemption", () => {
    const fresh = everSeen(
      machineOf(scenario(stopping([]), { sites: several, preempt: true }), {
        cpu: { synchronizes: ["resume-preempted"] },
      }),
      "exit-stopper",
      (_, { before, effect, cpu }) =>
        `${running(before.cpus[cpu] as CpuState)?.preempts ? "over running code" : "at a switch"}: ${Object.keys(effect.set.cpu?.stale ?? {}).length > 0 ? "stale" : "fresh"}`,
    );
    expect(fresh).toContain("over running code: fresh");
    expect(fresh).not.toContain("over running code: stale");
    expect(fresh).toContain("at a switch: stale");
  });

  it("a caller that finds another stop under way sleeps until that one is over", async () => {
    const two: Scenario = {
      name: "two callers",
      sites: [site("nop", "ret"), site("nop", "ret", AT + 1n)],
      patchers: [0, 1].map((index) => ({
        strategy: strategy(
          (flip) => [stopMachine("stop", { run: [store("write", first(flip).address, first(flip).next)] })],
          { id: `caller ${index}` },
        ),
        sites: [index],
        flips: 1,
      })),
      cpus: 2,
      ...only("progress"),
    };
    expect(answer(await check(two))).toBe("safe");
  });
});

describe("R16: grace periods", () => {
  const waits = { rcu: waitRcu, "rcu-tasks": waitRcuTasks, "rcu-tasks-rude": waitRcuTasksRude };

  /** Who can be inside old code when a grace period that began after the change is over. */
  const left = (flavour: keyof typeof waits, more: Partial<Scenario>): ReadonlySet<string> => {
    const waiting = strategy((flip) => [write(flip), syncCores("sync"), waits[flavour]("grace")]);
    // Once a context is marked, it was there when the period began.
    const of = scenario(waiting, { sites: [site("nop+nop", "ret+ret")], ...more });
    const machine = machineOf(of);
    const found = new Set<string>();
    const { views } = visit(machine, () => true);
    for (const { memory, parked, cpus } of views) {
      if (memory.sites[0]?.calling === true || memory.sites[0]?.to === 0) continue;
      const inside = (level: string, code: CpuState["stack"][number]["code"]): void => {
        if (code.run === "machine" && code.pc === AT + 1n) found.add(level);
      };
      for (const task of parked.tasks) inside("parked", task.code);
      for (const cpu of cpus) for (const { level, code } of cpu.stack) inside(level, code);
    }
    return found;
  };

  it("rcu waits for interrupt handlers that run, and for tasks where these are not preemptible", () => {
    const irq = { interrupts: { irq: true } };
    expect(left("rcu", irq)).toEqual(new Set());
    expect(left("rcu", { ...irq, preempt: true })).toEqual(new Set(["task", "parked"]));
  });

  it("rcu-tasks waits for tasks, preempted ones too, and for interrupts that run on them", () => {
    expect(left("rcu-tasks", { interrupts: { irq: true } })).toEqual(new Set());
    expect(left("rcu-tasks", { preempt: true })).toEqual(new Set());
  });

  it("rcu-tasks-rude waits for every CPU to switch, which a preempted task has done", () => {
    expect(left("rcu-tasks-rude", {})).toEqual(new Set());
    expect(left("rcu-tasks-rude", { preempt: true })).toContain("parked");
  });

  it("a CPU that has fetched a breakpoint holds them back until its handler has ended", async () => {
    const entry = (flip: Flip) => set("fill", "entries", [{ address: AT, bytes: toHex(first(flip).next) }]);
    const handler = [
      lookup("find", "entries", "entry"),
      when("ours", ne(local("entry"), null), [emulate("emulate", local("entry")), claim()]),
    ];
    for (const [wait, verdict] of [
      [[waitRcu("grace")], "safe"],
      [[], "unsafe: lifetime"],
    ] as const) {
      // Fetches see every store, so nobody comes to the breakpoint after it is gone.
      const freeing = strategy(
        (flip) => [
          entry(flip),
          store("trap", AT, [0x02]),
          store("new", AT, first(flip).next, { width: 4 }),
          ...wait,
          free("free", "entries"),
        ],
        { program: () => ({ words: { entries: [] }, traps: { brk: handler } }) },
      );
      for (const preempt of [false, true]) {
        const of = scenario(freeing, { preempt, ...only("lifetime") });
        for (const synchronizes of [[], ["trap-entry"]])
          expect(answer(await check(of, { fetch: granules, cpu: { synchronizes } })), `preemption: ${preempt}`).toBe(
            verdict,
          );
      }
    }
  });

  it("none of them waits for what begins after it: that is what the synchronisation is for", async () => {
    const late = strategy((flip) => [waitRcuTasks("grace"), write(flip)]);
    expect(answer(await check(scenario(late, { sites: several, ...only("mid-sequence") })))).toBe(
      "unsafe: mid-sequence",
    );
  });

  it("a handler that was running when the period began cannot see what is freed after it", async () => {
    const freeing = (lines: readonly Line[]) =>
      strategy(
        (flip) => [
          store("trap", AT, [0x02]),
          syncCores("sync-1"),
          write(flip),
          syncCores("sync-2"),
          ...lines,
          free("free", "word"),
        ],
        {
          program: () => ({
            words: { word: 0 },
            traps: {
              brk: [
                { id: "restart", op: "restart", args: {} },
                load("use", "word", "value"),
                { id: "claim", op: "claim", args: {} },
              ],
            },
          }),
        },
      );
    // Handlers that let interrupts in acknowledge the second synchronisation before they end.
    const cpu = { trapsMask: false };
    const verdict = (lines: readonly Line[], preempt = false) =>
      check(scenario(freeing(lines), { sites, preempt, ...only("lifetime") }), { cpu }).then(answer);
    expect(await verdict([])).toBe("unsafe: lifetime");
    expect(await verdict([waitRcu("grace")])).toBe("safe");
    expect(await verdict([waitRcu("grace")], true)).toBe("safe");
    expect(await verdict([waitRcuTasks("grace")])).toBe("safe");
  });

  it.each(Object.keys(waits) as (keyof typeof waits)[])("%s ends: everybody switches at last", async (flavour) => {
    const waiting = strategy(() => [waits[flavour]("grace")]);
    for (const more of [{}, { preempt: true }, { interrupts: { irq: true, nmi: true } }]) {
      expect(answer(await check(scenario(waiting, { sites: several, ...more, ...only("progress") })))).toBe("safe");
    }
  });

  it("a patcher that waits in a section which a handler of its own waits for never ends", async () => {
    const waiting = strategy(() => [waitRcu("grace"), set("go", "go", 1)], {
      program: () => ({
        words: { go: 0 },
        traps: { brk: [until("hold", "go", 1), { id: "claim", op: "claim", args: {} }] },
      }),
    });
    const own = scenario(waiting, {
      sites,
      executors: [{ entries: [0x1200n] }],
      blocks: [{ address: 0x1200n, code: "trap+ret" }],
      ...only("progress"),
    });
    expect(answer(await check(own))).toBe("unsafe: progress");
  });
});
