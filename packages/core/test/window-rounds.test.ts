import { describe, expect, it } from "vitest";
import {
  type CpuState,
  createSimulation,
  fence,
  freeCode,
  type Line,
  maintain,
  type Scenario,
  stopMachine,
  store,
  syncCore,
  syncCores,
  waitRcu,
  waitRcuTasks,
  waitRcuTasksRude,
  windowOfCpu,
} from "../src/index.js";
import { visit } from "./naive.js";
import { type ToyOptions, untilMaintenance } from "./toy/architecture.js";
import { AT, answer, first, only, scenario, site, strategy } from "./toy/scenario.js";
import { windowed } from "./toy/window.js";

const ENTRY = 0x1100n;

const simulation = (cpu: ToyOptions["cpu"] = {}) =>
  createSimulation({ architecture: windowed({}, { fetch: untilMaintenance, cpu }), development: true });

/** A change with all its maintenance, and then this. */
const changed = (then: readonly Line[], more: Partial<Scenario> = {}): Scenario =>
  scenario(
    strategy((flip) => [
      store("write", AT, first(flip).next),
      maintain("clean", "clean", AT),
      fence("cleaned", "finish"),
      maintain("invalidate", "invalidate", AT),
      fence("invalidated", "finish"),
      ...then,
    ]),
    { sites: [site("nop", "ret")], memory: "architectural", ...only("done"), ...more },
  );

const verdict = async (...of: Parameters<typeof changed>): Promise<string> =>
  answer(await simulation().check(changed(...of)));

/** Whether an invalidation is not yet obeyed everywhere: what comes behind that is not looked at. */
const isUnderWay = ({ effect }: Parameters<Parameters<typeof visit>[1]>[0]): boolean =>
  effect.everyCpu?.id !== "invalidated-window";

/** Of each CPU of each state: where its task stands, and how many rounds it has fetched beyond; and where it stands when it does so. */
const rounds = (of: Scenario, cpu: ToyOptions["cpu"] = {}): readonly string[] => {
  const found = new Set<string>();
  visit(simulation(cpu).machine(of), (step) => {
    const { before, cpu: acting, effect } = step;
    (before.cpus as readonly CpuState[]).forEach((state, i) => {
      const { ahead = [] } = windowOfCpu(state);
      const code = state.stack.at(-1)?.code;
      if (code?.run !== "machine") return;
      const stands = code.home ? "home" : "inside";
      found.add(`${stands} ${ahead.length}`);
      if (i === acting && effect.observed?.some(({ what, detail }) => what === "fetch" && detail.beyond === true))
        found.add(`from ${stands}`);
    });
    return isUnderWay(step);
  });
  return [...found].sort();
};

describe("an invalidation that every CPU has to obey", () => {
  /** By the level of the machine code that other CPUs run then: what their windows are left with. */
  const left = (of: Scenario, cpu: ToyOptions["cpu"] = {}): readonly string[] => {
    const machine = simulation(cpu).machine({ ...changed([]), ...of });
    const found = new Set<string>();
    visit(machine, ({ before, effect }) => {
      if (effect.everyCpu?.id !== "invalidated-window") return true;
      const map = machine.map("invalidated-window");
      for (const state of before.cpus as readonly CpuState[]) {
        const context = state.stack.at(-1);
        if (context?.code.run !== "machine" || Object.keys(state.stale).length === 0) continue;
        const { stale } = map.apply(state, effect.everyCpu.args, machine) as CpuState;
        found.add(`${context.level}: ${Object.values(stale).join()}`);
      }
      return false;
    });
    return [...found].sort();
  };

  it("is obeyed by machine code", () => {
    expect(left(changed([]))).toEqual(["task: "]);
    expect(left(changed([], { preempt: true }))).toEqual(["task: "]);
  });

  it("but for what comes behind a return that does not synchronise", () => {
    const of = changed([], { interrupts: { irq: true } });
    expect(left(of)).toEqual(["irq: ", "task: "]);
    expect(left(of, { synchronizes: [] })).toEqual(["irq: 00", "task: "]);
  });

  it("or for what another task goes on with, whose code is other code", () => {
    const executors = [{ entries: [AT] }, { entries: [AT] }];
    expect(left(changed([], { preempt: true, executors }))).toEqual(["task: 00"]);
    expect(left(changed([], { preempt: true, executors: [{ once: true }] }))).toEqual(["task: 00"]);
  });
});

describe("what comes behind the end of a round", () => {
  it.each([
    ["rcu-tasks", waitRcuTasks("wait")],
    ["rcu", waitRcu("wait")],
    ["rude", waitRcuTasksRude("wait")],
  ])("may have been fetched before the switch that %s waits for", async (_, wait) => {
    expect(await verdict([wait])).toBe("unsafe: done");
    expect(await verdict([wait, syncCores("sync")])).toBe("safe");
    expect(await verdict([syncCores("sync"), wait])).toBe("safe");
  });

  it("may not where the stopper that runs at the switch synchronises", async () => {
    const wait = (secondaries: readonly Line[]) => stopMachine("wait", { run: [], secondaries });
    expect(await verdict([wait([syncCore("isb")])])).toBe("safe");
    expect(await verdict([wait([])])).toBe("unsafe: done");
  });

  it("may not where the round begins with a context synchronisation", async () => {
    const blocks = [{ address: ENTRY, code: `isb+jump 0x${AT.toString(16)}` }];
    const executors = [{ entries: [ENTRY] }];
    expect(await verdict([waitRcuTasks("wait")], { blocks, executors })).toBe("safe");
    expect(await verdict([waitRcuTasks("wait")], { blocks, executors: [{ entries: [ENTRY, AT] }] })).toBe(
      "unsafe: done",
    );
  });

  it("is fetched from inside a round and at home, as long as an invalidation is under way", () => {
    const wait = waitRcuTasks("wait");
    expect(rounds(changed([wait]))).toEqual(["from home", "from inside", "home 0", "home 1", "inside 0", "inside 1"]);
    const unmaintained = strategy((flip) => [store("write", AT, first(flip).next), wait]);
    const of = scenario(unmaintained, { sites: [site("nop", "ret")], memory: "architectural" });
    expect(rounds(of)).toEqual(["home 0", "inside 0"]);
  });

  it("is fetched where somebody can tell that the round has ended, and where code stores, round after round", () => {
    expect(rounds(changed([]))).toEqual(["home 0", "inside 0"]);
    const storing = changed([], { sites: [{ ...site("nop", "ret"), after: "store 0x9000+ret" }] });
    expect(rounds(storing)).toEqual(expect.arrayContaining(["home 1", "home 2"]));
  });

  it("is nothing for a handler, which returns", () => {
    const elsewhere = { address: ENTRY, code: `jump 0x${AT.toString(16)}` };
    const of = changed([waitRcuTasks("wait")], { blocks: [elsewhere], interrupts: { irq: { entries: [ENTRY] } } });
    const found = new Set<string>();
    visit(simulation({ synchronizes: [] }).machine(of), (step) => {
      for (const cpu of step.before.cpus as readonly CpuState[])
        for (const { entry } of windowOfCpu(cpu).ahead ?? []) found.add(`${cpu.stack.length} ${entry.toString(16)}`);
      return isUnderWay(step);
    });
    expect([...found]).toEqual([`1 ${AT.toString(16)}`]);
  });

  it("is nothing for code that runs once", () => {
    expect(rounds(changed([waitRcuTasks("wait")], { executors: [{ once: true }] }))).toEqual(["inside 0"]);
  });

  it("says so where its text was given back", () => {
    const blocks = [{ address: ENTRY, code: `jump 0x${AT.toString(16)}` }];
    const freed = changed([waitRcuTasks("wait"), freeCode("free", ENTRY, 3)], {
      blocks,
      executors: [{ entries: [ENTRY] }],
    });
    const found = new Set<string>();
    visit(simulation().machine(freed), ({ before }) => {
      const isFreed = before.memory.text?.some((text) => text.freed === true) === true;
      for (const cpu of before.cpus)
        for (const { at, stranded } of windowOfCpu(cpu as CpuState).ahead?.flatMap(({ entries }) => entries) ?? [])
          if (at === ENTRY) found.add(`${isFreed} ${stranded === true}`);
      return true;
    });
    expect([...found].sort()).toEqual(["false false", "true true"]);
  });
});
