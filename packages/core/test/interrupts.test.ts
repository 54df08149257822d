import { describe, expect, it } from "vitest";
import { type CpuState, type Level, running } from "../src/contract/state.js";
import {
  ack,
  createSimulation,
  type Flip,
  type Line,
  maskIrq,
  NMI_OFF,
  restartNmi,
  type Scenario,
  sendIpi,
  set,
  stopNmi,
  store,
  syncCore,
  syncCores,
  unmaskIrq,
  until,
  waitIpi,
} from "../src/index.js";
import { everSeen, visit } from "./naive.js";
import { type ToyOptions, toy } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const levels = (cpu: CpuState): readonly Level[] => cpu.stack.map(({ level }) => level);

/** Every stack of levels that some CPU has in some run. */
const stacks = (of: Scenario, options: ToyOptions = {}): ReadonlySet<string> => {
  const { views } = visit(createSimulation({ architecture: toy(options) }).machine(of), () => true);
  return new Set(views.flatMap(({ cpus }) => cpus.map((cpu) => levels(cpu).join(" "))));
};

const sites = [site("nop", "ret")];
const write = (flip: Flip): Line => store("write", first(flip).address, first(flip).next);
const nothing = strategy(() => []);

describe("R10: interrupts", () => {
  it("come on every CPU, the patcher's included, and call the patched code", () => {
    const of = scenario(nothing, { sites, interrupts: { irq: true } });
    const machine = createSimulation({ architecture: toy() }).machine(of);
    expect(everSeen(machine, "irq", (_, { cpu }) => String(cpu))).toEqual(new Set(["0", "1"]));
    expect(
      everSeen(
        machine,
        "execute",
        ({ detail }, { cpu, before }) => `${cpu} ${running(before.cpus[cpu] as CpuState)?.level} ${detail.text}`,
      ),
    ).toEqual(new Set(["0 irq nop", "0 irq ret", "1 irq nop", "1 irq ret", "1 task nop", "1 task ret"]));
  });

  it("come at no time where the environment has none", () => {
    expect(stacks(scenario(nothing, { sites }))).toEqual(new Set(["task", ""]));
  });

  it("nest one per level: NMIs over anything but NMIs, IRQs over tasks alone", () => {
    expect(stacks(scenario(nothing, { sites, interrupts: { irq: true, nmi: true } }))).toEqual(
      new Set(["task", "", "task irq", "irq", "task nmi", "nmi", "task irq nmi", "irq nmi"]),
    );
  });

  it("NMIs come at no time while their sources are off, and then come again", () => {
    const off = strategy(() => [stopNmi("stop"), set("work", "word", 1), restartNmi("restart")], {
      program: () => ({ words: { word: 0 } }),
    });
    const machine = createSimulation({ architecture: toy() }).machine(
      scenario(off, { sites, interrupts: { nmi: true } }),
    );
    const states = everSeen(machine, "nmi", (_, { before, cpu }) => String(before.cpus[cpu]?.words[NMI_OFF]));
    expect(states).toEqual(new Set(["undefined", "false"]));
  });

  it("do first what patch programs have them do, and then call the patched code", () => {
    const counting = strategy(() => [], {
      program: () => ({ words: { word: 0 }, traps: { nmi: [set("seen", "word", 1)] } }),
    });
    const machine = createSimulation({ architecture: toy() }).machine(
      scenario(counting, { sites, interrupts: { nmi: true } }),
    );
    const words = everSeen(machine, "call-patched", (_, { before }) => String(before.services.words.word));
    expect(words).toEqual(new Set(["1"]));
    expect(
      everSeen(machine, "execute", (_, { before, cpu }) => running(before.cpus[cpu] as CpuState)?.level ?? ""),
    ).toEqual(new Set(["nmi", "task"]));
  });

  it("wait while they are masked, NMIs do not", () => {
    const masking = (interrupts: Scenario["interrupts"]): ReadonlySet<string> => {
      const masked = strategy(() => [maskIrq("mask"), set("inside", "word", 1), unmaskIrq("unmask")], {
        program: () => ({ words: { word: 0 } }),
      });
      const machine = createSimulation({ architecture: toy() }).machine(
        scenario(masked, { sites, cpus: 1, interrupts: interrupts ?? {} }),
      );
      // What stands under each interrupt that came between the mask and its end.
      return everSeen(machine, interrupts?.irq ? "irq" : "nmi", (_, { before }) => {
        const task = before.cpus[0]?.stack[0];
        return task === undefined ? "idle" : task.masked ? "masked" : "open";
      });
    };
    expect(masking({ irq: true })).toEqual(new Set(["open", "idle"]));
    expect(masking({ nmi: true })).toEqual(new Set(["open", "masked", "idle"]));
  });

  it.each([
    ["irq-entry", "irq"],
    ["irq-return", "irq"],
    ["nmi-entry", "nmi"],
    ["nmi-return", "nmi"],
  ])("%s synchronises only where the architecture says so", (event, interrupt) => {
    const observed = event.endsWith("entry") ? (interrupt as "irq" | "nmi") : "return-from-interrupt";
    const windows = (synchronizes: readonly string[]): ReadonlySet<string> => {
      const of = scenario(
        strategy((flip) => [write(flip)]),
        { sites, interrupts: { [interrupt]: true } },
      );
      const machine = createSimulation({ architecture: toy({ cpu: { synchronizes } }) }).machine(of);
      return everSeen(machine, observed, (_, { effect }) =>
        Object.keys(effect.set.cpu?.stale ?? {}).length > 0 ? "stale" : "fresh",
      );
    };
    expect(windows([event])).toEqual(new Set(["fresh"]));
    expect(windows([])).toEqual(new Set(["fresh", "stale"]));
    const other = ["irq-entry", "irq-return", "nmi-entry", "nmi-return"].filter((name) => name !== event);
    expect(windows(other.filter((name) => !name.startsWith(interrupt)))).toEqual(new Set(["fresh", "stale"]));
  });
});

describe("R11: an interrupt to all CPUs", () => {
  const done = (lines: (flip: Flip) => readonly Line[], cpus = 3) =>
    check(scenario(strategy(lines), { sites, cpus, ...only("done") }));
  const core = syncCore("core");

  it("reaches every other CPU, and the sender waits until each has acknowledged", async () => {
    expect(answer(await done((flip) => [write(flip), sendIpi("poke", [core]), waitIpi("wait", "poke")]))).toBe("safe");
  });

  it("is of no use to a sender that does not wait", async () => {
    expect(answer(await done((flip) => [write(flip), sendIpi("poke", [core])]))).toBe("unsafe: done");
  });

  it("counts as acknowledged where its handler says so, whatever comes behind", async () => {
    const cpu = { synchronizes: [] };
    const order = async (handler: readonly Line[], nmi: boolean): Promise<string> => {
      const patching = strategy((flip) => [
        write(flip),
        syncCore("own"),
        sendIpi("poke", handler),
        waitIpi("wait", "poke"),
      ]);
      return answer(await check(scenario(patching, { sites, interrupts: { nmi }, ...only("done") }), { cpu }));
    };
    expect(await order([core, ack()], true)).toBe("safe");
    expect(await order([maskIrq("first"), core, ack()], true)).toBe("safe");
    // The handler itself runs no patched code, but an NMI that comes after the acknowledgement does.
    expect(await order([ack(), core], false)).toBe("safe");
    expect(await order([ack(), core], true)).toBe("unsafe: done");
  });

  it("does not run on the sender, whose own synchronisation syncCores adds", async () => {
    const cpu = { synchronizes: [] };
    const alone = async (lines: (flip: Flip) => readonly Line[]): Promise<string> => {
      const of = scenario(strategy(lines), { sites, cpus: 1, interrupts: { irq: true }, ...only("done") });
      return answer(await check(of, { cpu }));
    };
    expect(await alone((flip) => [write(flip), sendIpi("poke", [core]), waitIpi("wait", "poke")])).toBe("unsafe: done");
    expect(await alone((flip) => [write(flip), syncCores("sync")])).toBe("safe");
  });

  it("is taken once each time it is sent and waited for", () => {
    const twice = strategy(() => [syncCores("one"), syncCores("two")]);
    const machine = createSimulation({ architecture: toy() }).machine(scenario(twice, { sites }));
    const { views } = visit(machine, () => true);
    expect(Math.max(...views.flatMap(({ cpus }) => cpus.map(({ pending }) => pending.length)))).toBe(1);
  });

  it("two of them may be on their way at once, and come in either order", async () => {
    const sendBoth = strategy(
      () => [
        sendIpi("one", [set("say-one", "last", 1)]),
        sendIpi("two", [set("say-two", "last", 2)]),
        waitIpi("wait-one", "one"),
        waitIpi("wait-two", "two"),
      ],
      { program: () => ({ words: { last: 0 } }) },
    );
    const { views } = visit(
      createSimulation({ architecture: toy() }).machine(scenario(sendBoth, { sites, executors: [] })),
      () => true,
    );
    const ends = views.filter(({ cpus }) => cpus.every(({ stack }) => stack.length === 0));
    expect(new Set(ends.map(({ services }) => services.words.last))).toEqual(new Set([1, 2]));
  });

  it("waits at a CPU that has masked interrupts", async () => {
    const masked = strategy(() => [maskIrq("mask"), until("wait", "go", 1), unmaskIrq("unmask")], {
      id: "masked",
      program: () => ({ words: { go: 0 } }),
    });
    const sender = (lines: readonly Line[]) =>
      strategy(() => lines, { id: "sender", program: () => ({ words: { go: 0 } }) });
    const pair = (lines: readonly Line[]): Scenario => ({
      name: "masked receiver",
      sites: [site("nop", "ret"), site("nop", "ret", AT + 8n)],
      patchers: [
        { strategy: sender(lines), sites: [0], flips: 1 },
        { strategy: masked, sites: [1], flips: 1 },
      ],
      cpus: 2,
      ...only("progress"),
    });
    expect(answer(await check(pair([set("go", "go", 1), syncCores("sync")])))).toBe("safe");
    expect(answer(await check(pair([syncCores("sync"), set("go", "go", 1)])))).toBe("unsafe: progress");
  });

  it("a wait for an interrupt that nobody sent is no program", async () => {
    await expect(
      check(
        scenario(
          strategy(() => [waitIpi("wait", "nothing")]),
          { sites },
        ),
      ),
    ).rejects.toThrow("Step wait waits for the interrupt of step nothing, which no earlier step sends.");
  });
});
