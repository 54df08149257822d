import { describe, expect, it } from "vitest";
import { type CpuState, running } from "../src/contract/state.js";
import {
  armTrap,
  claim,
  createSimulation,
  disarmTrap,
  emulate,
  type FetchModel,
  type Flip,
  type Line,
  local,
  lookup,
  ne,
  type PatchProgram,
  publish,
  type Scenario,
  set,
  step,
  store,
  syncCores,
  toHex,
  when,
} from "../src/index.js";
import { everSeen, type Visited, visit } from "./naive.js";
import { granules, type ToyOptions, toy, toyCpu, untilSync } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const sync = (id: string): Line => syncCores(id);
const entries = (flip: Flip): Line =>
  set(
    "fill",
    "entries",
    flip.sites.map(({ address, next }) => ({ address, bytes: toHex(next) })),
  );
const trap = store("trap", AT, [0x02]);
const tail = (flip: Flip): Line => store("tail", AT + 1n, first(flip).next.slice(1));
const head = (flip: Flip): Line => store("head", AT, first(flip).next.slice(0, 1));

const owner: readonly Line[] = [
  lookup("find", "entries", "entry"),
  when("ours", ne(local("entry"), null), [emulate("emulate", local("entry")), claim()]),
];

/** Interrupts of the patcher's CPU, where nobody traps, would make sixteen states of one. */
const isOfExecutors = ({ rule, cpu }: Visited): boolean => cpu !== 0 || (rule !== "irq" && rule !== "nmi");

const program =
  (handler: readonly Line[] = owner) =>
  (): Omit<PatchProgram, "main"> => ({ words: { entries: [] }, traps: { brk: handler } });

/** The breakpoint protocol, right as it stands. */
const protocol = (flip: Flip): readonly Line[] => [
  entries(flip),
  trap,
  sync("sync-1"),
  tail(flip),
  sync("sync-2"),
  head(flip),
  sync("sync-3"),
];

const patched = (
  lines: (flip: Flip) => readonly Line[],
  handler: readonly Line[] = owner,
  more: Partial<Scenario> = {},
  options: ToyOptions = {},
) => check(scenario(strategy(lines, { program: program(handler) }), more), options);

describe("R12: a trap is separate steps", () => {
  const seenBetween = (options: ToyOptions): ReadonlySet<string> => {
    const isTrapped = ({ stack }: CpuState): boolean =>
      stack.some(({ code }) => code.run === "machine" && code.trapped !== null);
    const between = new Set<string>();
    for (const interrupts of [{}, { irq: true }, { nmi: true }]) {
      const { machine } = createSimulation({ architecture: toy(options) });
      const last = "irq" in interrupts || "nmi" in interrupts ? [] : [sync("sync")];
      const patching = strategy((flip) => [entries(flip), trap, ...last], { program: program() });
      visit(machine(scenario(patching, { interrupts })), (step) => {
        const { rule, before, cpu } = step;
        if (["irq", "nmi", "take-ipi", "enter-trap"].includes(rule) && isTrapped(before.cpus[cpu] as CpuState))
          between.add(rule);
        if (rule === "returnCall" && before.cpus.some(isTrapped)) between.add("others go on");
        return isOfExecutors(step);
      });
    }
    return between;
  };

  it("between the fetch of the breakpoint and the entry of its handler that CPU takes no interrupt, and others go on", () => {
    expect(seenBetween({})).toEqual(new Set(["enter-trap", "others go on"]));
  });

  it("with late traps it takes interrupts there too", () => {
    expect(seenBetween({ fetch: { ...untilSync, lateTrap: true } })).toEqual(
      new Set(["enter-trap", "others go on", "irq", "nmi", "take-ipi"]),
    );
  });

  it("late traps break the protocol without a reference count: the handler comes when the patcher has gone on", async () => {
    const lines = (flip: Flip): readonly Line[] => [...protocol(flip), set("clear", "entries", [])];
    const late: FetchModel = { ...untilSync, lateTrap: true };
    expect(answer(await patched(lines))).toBe("safe");
    expect(answer(await patched(lines, owner, only("trap-owned"), { fetch: late }))).toBe("unsafe: trap-owned");
  });

  it("a trap that no handler claims is the patcher's fault when the byte was the patcher's", async () => {
    expect(answer(await patched(protocol, [lookup("find", "entries", "entry")]))).toBe("unsafe: trap-owned");
    expect(answer(await check(scenario(strategy(protocol, { program: () => ({ words: { entries: [] } }) }))))).toBe(
      "unsafe: trap-owned",
    );
  });

  it("and the code's own where it was not", async () => {
    const own = scenario(
      strategy(() => []),
      { executors: [{ entries: [0x1200n] }], blocks: [{ address: 0x1200n, code: "trap" }] },
    );
    expect(answer(await check(own))).toBe("unsafe: fault");
  });

  it("each handler is tried in turn until one claims the trap", async () => {
    const others = strategy(() => [], {
      id: "others",
      program: () => ({ words: { others: [] }, traps: { brk: [lookup("look", "others", "other")] } }),
    });
    const ours = { strategy: strategy(protocol, { program: program() }), sites: [0], flips: 1 };
    const two: Scenario = {
      name: "two owners",
      sites: [site("nop3", "call"), site("nop3", "nop3", AT + 0x20n)],
      patchers: [ours, { strategy: others, sites: [1], flips: 1 }],
      executors: [{ entries: [AT] }],
      cpus: 3,
    };
    expect(answer(await check(two))).toBe("safe");
    expect(answer(await check({ ...two, patchers: [...two.patchers].reverse() }))).toBe("safe");
  });

  it("handlers can be taken out of service, and put back", async () => {
    expect(answer(await patched((flip) => [disarmTrap("disarm", "brk"), ...protocol(flip)]))).toBe(
      "unsafe: trap-owned",
    );
    expect(
      answer(await patched((flip) => [disarmTrap("disarm", "brk"), armTrap("arm", "brk"), ...protocol(flip)])),
    ).toBe("safe");
    expect(answer(await patched((flip) => [disarmTrap("other", "ud"), ...protocol(flip)]))).toBe("safe");
  });

  it("interrupts wait while the handler runs where traps mask them", () => {
    const nested = (trapsMask: boolean): ReadonlySet<string> => {
      const patching = strategy((flip) => [entries(flip), trap], { program: program() });
      const machine = createSimulation({ architecture: toy({ cpu: { trapsMask } }) }).machine(
        scenario(patching, { interrupts: { irq: true } }),
      );
      return everSeen(
        machine,
        "irq",
        (_, { before, cpu }) => running(before.cpus[cpu] as CpuState)?.level ?? "idle",
        isOfExecutors,
      );
    };
    expect(nested(true)).not.toContain("trap");
    expect(nested(false)).toContain("trap");
  });

  it.each(["trap-entry", "trap-return"])("%s synchronises only where the architecture says so", (event) => {
    const observed = event === "trap-entry" ? "enter-trap" : "return-from-trap";
    const windows = (synchronizes: readonly string[]): ReadonlySet<string> => {
      const patching = strategy(protocol, { program: program() });
      const machine = createSimulation({ architecture: toy({ cpu: { synchronizes } }) }).machine(scenario(patching));
      return everSeen(machine, observed, (_, { effect }) =>
        Object.keys(effect.set.cpu?.stale ?? {}).length > 0 ? "stale" : "fresh",
      );
    };
    expect(windows([event])).toEqual(new Set(["fresh"]));
    expect(windows([])).toEqual(new Set(["fresh", "stale"]));
  });
});

describe("R13: a handler gives the interrupted context the effect of one instruction", () => {
  const returns = (handler: readonly Line[], sites = [site("nop3", "call")]): ReadonlySet<string> => {
    const patching = strategy(protocol, { program: program(handler) });
    const machine = createSimulation({ architecture: toy() }).machine(scenario(patching, { sites }));
    return everSeen(
      machine,
      "return-from-trap",
      ({ detail }) => `0x${detail.resumes?.toString(16)} as ${detail.site === null ? "" : detail.matched.join()}`,
    );
  };
  const emulating = (bytes: string): readonly Line[] => [emulate("emulate", bytes), claim()];

  it("of the new one: the call's target is where it goes on, and its link is on the stack", () => {
    expect(returns(owner)).toEqual(new Set(["0x1110 as 1"]));
  });

  it("of the old one, which nobody can tell from the instruction itself", () => {
    expect(returns(emulating("100000"))).toEqual(new Set(["0x1013 as 0"]));
  });

  it("or of another one", () => {
    expect(returns(emulating("112010"))).toEqual(new Set(["0x1020 as "]));
    expect(returns(emulating("130700"))).toEqual(new Set(["0x1013 as "]));
  });

  it("registers count, not only where it goes on", () => {
    const add = [site("add 7", "add 9")];
    expect(returns(emulating("130900"), add)).toEqual(new Set(["0x1013 as 1"]));
    expect(returns(emulating("130800"), add)).toEqual(new Set(["0x1013 as "]));
  });

  it("`emulation` is broken by any other effect", async () => {
    const broken = (handler: readonly Line[], lines = protocol) =>
      patched(lines, handler, only("emulation")).then(answer);
    expect(await broken(owner)).toBe("safe");
    expect(await broken(emulating("100000"))).toBe("safe");
    expect(await broken(emulating("112010"))).toBe("unsafe: emulation");
    // Without an emulation the context would go on behind the breakpoint, in the middle of the instruction.
    expect(await broken([claim()])).toBe("unsafe: emulation");
  });

  it("and by the old one once the new one is published", async () => {
    const declared = (flip: Flip): readonly Line[] => [publish("publish"), ...protocol(flip)];
    const late = (flip: Flip): readonly Line[] => [...protocol(flip).slice(0, -1), publish("publish"), sync("sync-3")];
    const broken = (handler: readonly Line[], lines: typeof protocol) =>
      patched(lines, handler, only("emulation")).then(answer);
    expect(await broken(owner, declared)).toBe("safe");
    expect(await broken(emulating("100000"), declared)).toBe("unsafe: emulation");
    expect(await broken(emulating("100000"), late)).toBe("unsafe: emulation");
  });

  it("a handler may restart instead, to run whatever is there now", async () => {
    const restart: readonly Line[] = [step("restart", "restart"), claim()];
    expect(answer(await patched(protocol, restart, only("emulation", "old-or-new", "trap-owned")))).toBe("safe");
  });

  it("the old effect after the patch call returned breaks `done`, for a breakpoint that was fetched after it", async () => {
    // Nobody synchronises, so the breakpoint stays fetchable for ever.
    const stale = (bytes: string) =>
      check(
        scenario(
          strategy((flip) => [trap, head(flip)], {
            program: () => ({ traps: { brk: [emulate("emulate", bytes), claim()] } }),
          }),
          { sites: [site("nop3 0x7", "add 0x7")], ...only("done") },
        ),
      );
    const [old, next] = [await stale("100700"), await stale("130700")];
    expect(old.verdict === "unsafe" && [old.why, next.verdict === "unsafe" && next.why]).toEqual([
      expect.stringContaining("executed the old nop3"),
      expect.stringContaining("executed the old nop3"),
    ]);
    // With an interrupt to all CPUs between the two, only the breakpoint is left beside the new code.
    const settled = (bytes: string) =>
      check(
        scenario(
          strategy((flip) => [trap, sync("sync"), head(flip)], {
            program: () => ({ traps: { brk: [emulate("emulate", bytes), claim()] } }),
          }),
          { sites: [site("nop3 0x7", "add 0x7")], ...only("done") },
        ),
      );
    const late = await settled("100700");
    expect(late.verdict === "unsafe" && late.why).toContain(
      "The trap at 0x1010 was given the old instruction's effect",
    );
    expect(answer(await settled("130700"))).toBe("safe");
  });

  it("it is judged by the call under way when the breakpoint was fetched, not by one that begins before the handler returns", async () => {
    // The breakpoint stays and stands for the new code; the way back puts the old byte back.
    const standing = strategy((flip) => [first(flip).next[0] === 0x13 ? trap : store("back", AT, [0x10])], {
      program: () => ({ traps: { brk: [emulate("emulate", "130700"), claim()] } }),
    });
    const back = scenario(standing, { sites: [site("nop3 0x7", "add 0x7")], patcher: { flips: 2 }, ...only("done") });
    expect(answer(await check(back, { fetch: granules }))).toBe("safe");
  });

  it("traps may come inside an interrupt, over the handler of another trap", async () => {
    expect(answer(await patched(protocol, owner, { interrupts: { nmi: true } }))).toBe("safe");
    const patching = strategy((flip) => [entries(flip), trap], { program: program() });
    const machine = createSimulation({ architecture: toy() }).machine(
      scenario(patching, { interrupts: { nmi: true } }),
    );
    const below = everSeen(
      machine,
      "enter-trap",
      (_, { before, cpu }) => (before.cpus[cpu] as CpuState).stack.map(({ level }) => level).join(" "),
      isOfExecutors,
    );
    expect(below).toContain("task trap nmi");
  });

  it("granules are no different", async () => {
    expect(
      answer(await patched(protocol, owner, {}, { fetch: granules, cpu: { synchronizes: toyCpu.synchronizes } })),
    ).toBe("safe");
  });
});
