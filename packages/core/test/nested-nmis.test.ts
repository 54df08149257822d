import { describe, expect, it } from "vitest";
import { type CpuState, NMI_OFF, running } from "../src/contract/state.js";
import {
  claim,
  createSimulation,
  eq,
  free,
  type InterruptHandler,
  type Line,
  load,
  local,
  restartNmi,
  type Scenario,
  sendIpi,
  set,
  stopNmi,
  until,
  waitIpi,
  when,
} from "../src/index.js";
import { everSeen } from "./naive.js";
import { toy } from "./toy/architecture.js";
import { answer, check, only, scenario, site, strategy } from "./toy/scenario.js";

const TRAPPING = 0x1200n;
const PLAIN = 0x1300n;
const SERIALISING = 0x1400n;
const cpu = { unblocksNmis: ["trap-return", "serialise"] };

/** One CPU that runs plain code and takes NMIs, whose handler runs into a breakpoint of its own, and a patcher. */
const handling = (
  nmi: boolean | InterruptHandler,
  lines: readonly Line[] = [],
  more: Partial<Scenario> & { readonly nestedIret?: "guarded" | "unguarded" } = {},
): Scenario => {
  const { nestedIret, ...rest } = more;
  const patching = strategy(() => lines, {
    program: () => ({ words: { gone: 0 }, traps: { brk: [claim()] } }),
  });
  return scenario(patching, {
    sites: [site("nop", "ret")],
    executors: [{ entries: [PLAIN] }],
    blocks: [
      { address: TRAPPING, code: "trap+ret" },
      { address: PLAIN, code: "nop+ret" },
      { address: SERIALISING, code: "serialise+ret" },
    ],
    interrupts: { nmi, ...(nestedIret === undefined ? {} : { nestedIret }) },
    ...rest,
  });
};

const judged = (of: Scenario, unblocks = cpu.unblocksNmis): Promise<string> =>
  check(of, { cpu: { unblocksNmis: unblocks } }).then(answer);

describe("R49: an NMI inside the handler of another", () => {
  const trapping: InterruptHandler = { entries: [TRAPPING] };

  it("comes after a return or an instruction that lets NMIs in, and overwrites the first one's frame where nothing guards it", async () => {
    expect(await judged(handling(trapping, [], { nestedIret: "unguarded" }))).toBe("unsafe: fault");
    expect(await judged(handling({ entries: [SERIALISING] }, [], { nestedIret: "unguarded" }))).toBe("unsafe: fault");
    // Nothing is patched, so what is not unsafe is no answer either.
    expect(await judged(handling({ entries: [PLAIN] }, [], { nestedIret: "unguarded" }))).toBe("vacuous");
    expect(await judged(handling({ entries: [SERIALISING] }, [], { nestedIret: "unguarded" }), ["trap-return"])).toBe(
      "vacuous",
    );
    expect(await judged(handling({ entries: [PLAIN, TRAPPING] }, [], { nestedIret: "guarded" }))).toBe("vacuous");
  });

  it("and only while NMIs are let in: not between the breakpoint and the return of its handler", () => {
    const machine = createSimulation({ architecture: toy({ cpu }) }).machine(
      handling(trapping, [], { nestedIret: "unguarded" }),
    );
    const where = everSeen(machine, "fault", (_, { before, cpu: at }) => {
      const { stack } = before.cpus[at] as CpuState;
      return stack.map(({ level }) => level).join();
    });
    expect(where).toEqual(new Set(["task,nmi", "nmi"]));
  });

  it("is not what is asked where no NMIs come, or none can nest", async () => {
    await expect(judged(handling(false, [], { nestedIret: "unguarded" }))).rejects.toThrow(
      "Nothing is unguarded where no NMIs come.",
    );
    await expect(judged(handling(trapping, [], { nestedIret: "unguarded" }), [])).rejects.toThrow(
      "No return inside the handler of an NMI lets NMIs in again on toy, so nothing is unguarded there.",
    );
  });

  /**
   * The handler uses something and then traps twice; in the second trap it waits until the patcher has turned NMIs off and freed what it
   * used. One that came in between is noted.
   */
  const twice = (lines: readonly Line[]): Scenario => {
    const patching = strategy(() => lines, {
      program: () => ({
        words: { object: 0, traps: 0, inside: 0, stopped: 0 },
        traps: {
          brk: [
            load("count", "traps", "n"),
            when("first", eq(local("n"), 0), [set("one", "traps", 1)]),
            when("second", eq(local("n"), 1), [
              set("two", "traps", 2),
              set("in", "inside", 1),
              until("wait", "stopped", 1),
            ]),
            claim(),
          ],
        },
      }),
    });
    const nmi: InterruptHandler = { entries: [TRAPPING], program: [load("use", "object", "value")] };
    return scenario(patching, {
      sites: [site("nop", "ret")],
      blocks: [{ address: TRAPPING, code: "trap+trap+ret" }],
      interrupts: { nmi },
      ...only("lifetime"),
    });
  };

  it("is noted where it is guarded: the handler runs once more, though the sources of NMIs are off by then", async () => {
    const freeing = [stopNmi("off"), free("free", "object"), set("stopped", "stopped", 1)];
    const of = twice([until("inside", "inside", 1), ...freeing]);
    expect(await judged(of)).toBe("unsafe: lifetime");
    expect(await judged(of, [])).toBe("safe");
    // An interrupt is taken behind the second run.
    const after = [stopNmi("off"), set("stopped", "stopped", 1), sendIpi("ipi", []), waitIpi("wait-ipi", "ipi")];
    expect(await judged(twice([until("inside", "inside", 1), ...after, free("free", "object")]))).toBe("safe");
  });

  it("one is noted at the most, and none in the second run", () => {
    const machine = createSimulation({ architecture: toy({ cpu }) }).machine(
      handling(trapping, [stopNmi("off"), restartNmi("on")]),
    );
    const seen = everSeen(machine, "note-nmi", (_, { before, cpu: at }) =>
      (before.cpus[at] as CpuState).stack.map(({ nmi }) => nmi).join(),
    );
    expect(seen).toEqual(new Set([",open", "open"]));
    const again = everSeen(machine, "repeat-nmi", (_, { before, effect, cpu: at }) => {
      const off = (before.cpus[at] as CpuState).words[NMI_OFF] === true;
      return `${running(effect.set.cpu as CpuState)?.nmi}, ${off ? "off" : "on"}`;
    });
    expect(again).toEqual(new Set(["again, on", "again, off"]));
  });

  it("is no step of its own where a new one behind the return does the same", () => {
    const machine = createSimulation({ architecture: toy({ cpu }) }).machine(handling(trapping));
    expect(everSeen(machine, "note-nmi", () => "").size).toBe(0);
  });
});

describe("R10: the handler of an interrupt from outside", () => {
  const executed = (of: Scenario, level: string): ReadonlySet<string> =>
    everSeen(
      createSimulation({ architecture: toy({ cpu }) }).machine(of),
      "execute",
      (observation, { before, cpu: at }) =>
        running(before.cpus[at] as CpuState)?.level === level ? `0x${(observation.detail.at).toString(16)}` : "-",
    );

  it.each(["irq", "nmi"] as const)("calls the patched code, or is what the scenario says: %s", (level) => {
    const own = (handler: true | InterruptHandler): Scenario => ({
      ...handling(false, [set("mark", "gone", 1)]),
      executors: [{}],
      interrupts: { [level]: handler },
    });
    expect(executed(own(true), level)).toEqual(new Set(["-", "0x1010", "0x1011"]));
    expect(executed(own({ entries: [PLAIN] }), level)).toEqual(new Set(["-", "0x1300", "0x1301"]));
    expect(executed(own({ notrace: true }), level)).toEqual(new Set(["-"]));
  });

  it("runs its own program first, which declares its words, and then the patched code unless it is notrace", async () => {
    const program = [load("look", "seen", "value"), set("say", "seen", 1)];
    const with_ = (handler: InterruptHandler): Scenario => ({
      ...handling(false),
      interrupts: { irq: handler },
      executors: [{}],
    });
    const machine = (handler: InterruptHandler) =>
      createSimulation({ architecture: toy() }).machine(with_({ program, words: { seen: 0 }, ...handler }));
    const levels = (handler: InterruptHandler, what: "set" | "call-patched") =>
      everSeen(machine(handler), what, (_, { before, cpu: at }) => running(before.cpus[at] as CpuState)?.level ?? "");
    expect(levels({}, "set")).toEqual(new Set(["irq"]));
    expect(levels({}, "call-patched")).toEqual(new Set(["irq"]));
    expect(levels({ notrace: true }, "set")).toEqual(new Set(["irq"]));
    expect(levels({ notrace: true }, "call-patched")).toEqual(new Set());
  });

  it("starts where code lies, and has none where it calls nothing that is patched", async () => {
    const asked = (irq: InterruptHandler) => check({ ...handling(false), interrupts: { irq } });
    await expect(asked({ entries: [0x9000n] })).rejects.toThrow("No code lies at 0x9000, where a handler starts.");
    await expect(asked({ entries: [PLAIN], notrace: true })).rejects.toThrow(
      "A handler that calls nothing that is patched has no machine code, so no entries.",
    );
    await expect(asked({ words: { gone: 5 } })).rejects.toThrow(
      "The handler of the irq declares the word gone with another initial value than its neighbour.",
    );
  });
});
