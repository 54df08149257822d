import { describe, expect, it } from "vitest";
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
  type PropertyId,
  propertyIds,
  publish,
  type Scenario,
  set,
  step,
  store,
  syncCores,
  toHex,
  when,
} from "../src/index.js";
import { type CpuState, running } from "../src/state.js";
import { everSeen } from "./naive.js";
import { granules, toy, type ToyOptions, toyCpu, untilSync } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const sync = (id: string): Line => syncCores(id);
const entries = (flip: Flip): Line => set("fill", "entries", flip.sites.map(({ address, next }) => ({ address, bytes: toHex(next) })));
const trap = store("trap", AT, [0x02]);
const tail = (flip: Flip): Line => store("tail", AT + 1n, first(flip).next.slice(1));
const head = (flip: Flip): Line => store("head", AT, first(flip).next.slice(0, 1));

const owner: readonly Line[] = [lookup("find", "entries", "entry"), when("ours", ne(local("entry"), null), [emulate("emulate", local("entry")), claim()])];

const program = (handler: readonly Line[] = owner) => (): Omit<PatchProgram, "main"> => ({ words: { entries: [] }, traps: { brk: handler } });

/** The breakpoint protocol, right as it stands. */
const protocol = (flip: Flip): readonly Line[] => [entries(flip), trap, sync("sync-1"), tail(flip), sync("sync-2"), head(flip), sync("sync-3")];

const patched = (lines: (flip: Flip) => readonly Line[], handler: readonly Line[] = owner, more: Partial<Scenario> = {}, options: ToyOptions = {}) =>
  check(scenario(strategy(lines, { program: program(handler) }), more), options);

describe("R12: a trap is separate steps", () => {
  const seenBetween = (options: ToyOptions): ReadonlySet<string> => {
    const patching = strategy(protocol, { program: program() });
    const of = scenario(patching, { interrupts: { irq: true, nmi: true } });
    const machine = createSimulation({ architecture: toy(options) }).machine(of);
    const between = new Set<string>();
    for (const what of ["irq", "nmi", "take-ipi", "store", "enter-trap"]) {
      for (const text of everSeen(machine, what, (_, { before, cpu }) =>
        before.cpus.some(({ stack }, other) => stack.some(({ code }) => code.run === "machine" && code.trapped !== null) && (what === "store" || other === cpu)) ? what : "",
      )) {
        between.add(text);
      }
    }
    between.delete("");
    return between;
  };

  it("between the fetch of the breakpoint and the entry of its handler that CPU takes no interrupt, and others go on", () => {
    expect(seenBetween({})).toEqual(new Set(["store", "enter-trap"]));
  });

  it("with late traps it takes interrupts there too", () => {
    expect(seenBetween({ fetch: { ...untilSync, lateTrap: true } })).toEqual(new Set(["store", "enter-trap", "irq", "nmi", "take-ipi"]));
  });

  it("late traps break the protocol without a reference count: the handler comes when the patcher has gone on", async () => {
    const lines = (flip: Flip): readonly Line[] => [...protocol(flip), set("clear", "entries", [])];
    const late: FetchModel = { ...untilSync, lateTrap: true };
    expect(answer(await patched(lines))).toBe("safe");
    expect(answer(await patched(lines, owner, only("trap-owned"), { fetch: late }))).toBe("unsafe: trap-owned");
  });

  it("a trap that no handler claims is the patcher's fault when the byte was the patcher's", async () => {
    expect(answer(await patched(protocol, [lookup("find", "entries", "entry")]))).toBe("unsafe: trap-owned");
    expect(answer(await check(scenario(strategy(protocol, { program: () => ({ words: { entries: [] } }) }))))).toBe("unsafe: trap-owned");
  });

  it("and of no interest when it was not", async () => {
    const own = scenario(strategy(() => []), { executors: [{ entries: [0x1200n] }], blocks: [{ address: 0x1200n, code: "trap" }] });
    expect(answer(await check(own))).toBe("safe");
  });

  it("each handler is tried in turn until one claims the trap", async () => {
    const two: Scenario = {
      ...scenario(strategy(protocol, { program: program() }), { sites: [site("nop3", "call"), site("nop3", "call", AT + 0x20n)], cpus: 2 }),
      patchers: [
        { strategy: strategy(protocol, { id: "one", program: program() }), sites: [0], flips: 1 },
        { strategy: strategy(() => [], { id: "two", program: () => ({ words: { others: [] }, traps: { brk: [lookup("look", "others", "other")] } }) }), sites: [1], flips: 1 },
      ],
      cpus: 3,
    };
    expect(answer(await check(two))).toBe("safe");
    expect(answer(await check({ ...two, patchers: [...two.patchers].reverse().map((patcher, cpu) => ({ ...patcher, cpu })) }))).toBe("safe");
  });

  it("handlers can be taken out of service, and put back", async () => {
    expect(answer(await patched((flip) => [disarmTrap("disarm", "brk"), ...protocol(flip)]))).toBe("unsafe: trap-owned");
    expect(answer(await patched((flip) => [disarmTrap("disarm", "brk"), armTrap("arm", "brk"), ...protocol(flip)]))).toBe("safe");
    expect(answer(await patched((flip) => [disarmTrap("other", "ud"), ...protocol(flip)]))).toBe("safe");
  });

  it("interrupts wait while the handler runs where traps mask them", () => {
    const nested = (trapsMask: boolean): ReadonlySet<string> => {
      const patching = strategy(protocol, { program: program() });
      const machine = createSimulation({ architecture: toy({ cpu: { trapsMask } }) }).machine(scenario(patching, { interrupts: { irq: true } }));
      return everSeen(machine, "irq", (_, { before, cpu }) => running(before.cpus[cpu] as CpuState)?.level ?? "idle");
    };
    expect(nested(true)).not.toContain("trap");
    expect(nested(false)).toContain("trap");
  });

  it.each(["trap-entry", "trap-return"])("%s synchronises only where the architecture says so", (event) => {
    const observed = event === "trap-entry" ? "enter-trap" : "return-from-trap";
    const windows = (synchronizes: readonly string[]): ReadonlySet<string> => {
      const patching = strategy(protocol, { program: program() });
      const machine = createSimulation({ architecture: toy({ cpu: { synchronizes } }) }).machine(scenario(patching));
      return everSeen(machine, observed, (_, { effect }) => (Object.keys(effect.set.cpu?.stale ?? {}).length > 0 ? "stale" : "fresh"));
    };
    expect(windows([event])).toEqual(new Set(["fresh"]));
    expect(windows([])).toEqual(new Set(["fresh", "stale"]));
  });
});

describe("R13: a handler gives the interrupted context the effect of one instruction", () => {
  const returns = (handler: readonly Line[], sites = [site("nop3", "call")]): ReadonlySet<string> => {
    const patching = strategy(protocol, { program: program(handler) });
    const machine = createSimulation({ architecture: toy() }).machine(scenario(patching, { sites }));
    return everSeen(machine, "return-from-trap", ({ detail }) => `0x${(detail["resumes"] as bigint).toString(16)} as ${(detail["matched"] as readonly number[]).join()}`);
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
    const broken = (handler: readonly Line[], lines = protocol) => patched(lines, handler, only("emulation")).then(answer);
    expect(await broken(owner)).toBe("safe");
    expect(await broken(emulating("100000"))).toBe("safe");
    expect(await broken(emulating("112010"))).toBe("unsafe: emulation");
    // Without an emulation the context would go on behind the breakpoint, in the middle of the instruction.
    expect(await broken([claim()])).toBe("unsafe: emulation");
  });

  it("and by the old one once the new one is published", async () => {
    const declared = (flip: Flip): readonly Line[] => [publish("publish"), ...protocol(flip)];
    const late = (flip: Flip): readonly Line[] => [...protocol(flip).slice(0, -1), publish("publish"), sync("sync-3")];
    const broken = (handler: readonly Line[], lines: typeof protocol) => patched(lines, handler, only("emulation")).then(answer);
    expect(await broken(owner, declared)).toBe("safe");
    expect(await broken(emulating("100000"), declared)).toBe("unsafe: emulation");
    expect(await broken(emulating("100000"), late)).toBe("unsafe: emulation");
  });

  it("a handler may restart instead, to run whatever is there now", async () => {
    const restart: readonly Line[] = [step("restart", "restart"), claim()];
    expect(answer(await patched(protocol, restart, only("emulation", "old-or-new", "trap-owned")))).toBe("safe");
  });

  it("emulating a call and returning from it is one passage", async () => {
    const after = { sites: [{ ...site("nop+nop+nop", "call"), after: "nop+ret" }] };
    const promised = propertyIds.filter((id): id is PropertyId => id !== "mid-sequence");
    expect(answer(await patched(protocol, owner, { ...after, properties: promised }))).toBe("safe");
    expect(answer(await patched(protocol, owner, after))).toBe("unsafe: mid-sequence");
  });

  it("traps may come inside an interrupt, over the handler of another trap", async () => {
    expect(answer(await patched(protocol, owner, { interrupts: { nmi: true } }))).toBe("safe");
    const patching = strategy(protocol, { program: program() });
    const machine = createSimulation({ architecture: toy() }).machine(scenario(patching, { interrupts: { nmi: true } }));
    const below = everSeen(machine, "enter-trap", (_, { before, cpu }) => (before.cpus[cpu] as CpuState).stack.map(({ level }) => level).join(" "));
    expect(below).toContain("task trap nmi");
  });

  it("granules are no different", async () => {
    expect(answer(await patched(protocol, owner, {}, { fetch: granules, cpu: { synchronizes: toyCpu.synchronizes } }))).toBe("safe");
  });
});
