import { describe, expect, it } from "vitest";
import { Random } from "../../../tooling/oracle/random.js";
import { addressKey, type CpuState, type MemoryState } from "../src/contract/state.js";
import { ageWindow, synchronize, windowOf, withChanges } from "../src/fetch/stale-code.js";
import {
  type Cell,
  createSimulation,
  type FetchModel,
  type Flip,
  type Line,
  rule,
  sendIpi,
  step,
  store,
  syncCore,
  syncCores,
  waitIpi,
} from "../src/index.js";
import { everSeen, executedAtSite } from "./naive.js";
import {
  granules,
  operations,
  ordered,
  type ToyOptions,
  toy,
  untilMaintenance,
  untilSync,
} from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

/** What executors can run at a site, in an architecture, while a program patches it. */
const outcomes = (
  lines: (flip: Flip) => readonly Line[],
  options: ToyOptions = {},
  sites = [site("nop", "ret")],
): readonly string[] => {
  const { machine } = createSimulation({ architecture: toy(options) });
  return [...executedAtSite(machine(scenario(strategy(lines), { sites })))].filter((text) => text !== "").sort();
};

const write = (flip: Flip): Line => store("write", first(flip).address, first(flip).next, { width: 4 });

describe("R1: a fetch returns any value of the window", () => {
  it("the old instruction and the new one, each whole, when they lie in one cell", () => {
    expect(outcomes((flip) => [write(flip)])).toEqual(["nop", "ret"]);
  });

  it("and every mix of cells", () => {
    const three = [site("nop3 0x100", "call 0x302")];
    expect(outcomes((flip) => [write(flip)], {}, three)).toEqual(
      [
        "call 0x100",
        "call 0x102",
        "call 0x300",
        "call 0x302",
        "nop3 0x100",
        "nop3 0x102",
        "nop3 0x300",
        "nop3 0x302",
      ].sort(),
    );
  });

  it("of the cell size that the fetch model names, and no finer", () => {
    const three = [site("nop3 0x100", "call 0x302")];
    const wide: FetchModel = { ...untilSync, unit: 4 };
    expect(outcomes((flip) => [write(flip)], { fetch: wide }, three)).toEqual(["call 0x302", "nop3 0x100"]);
  });

  it("and may go backwards: new, then old again", async () => {
    const verdict = await check(
      scenario(
        strategy((flip) => [write(flip)]),
        { sites: [site("nop", "ret")], ...only("done") },
      ),
    );
    expect(answer(verdict)).toBe("unsafe: done");
  });
});

describe("R2: what was overwritten goes on being fetchable", () => {
  it("on every CPU, the one that stores included", async () => {
    const alone = scenario(
      strategy((flip) => [write(flip)]),
      { sites: [site("nop", "ret")], cpus: 1, interrupts: { irq: true }, ...only("done") },
    );
    expect(answer(await check(alone))).toBe("unsafe: done");
  });

  it("each of several values that came one after the other", () => {
    const sites = [site("nop", "ret")];
    const seen = outcomes((flip) => [store("through", AT, [0x06]), write(flip)], {}, sites);
    expect(seen).toEqual(["isb", "nop", "ret"]);
  });

  it("not where fetches see every store", async () => {
    const coherent = await check(
      scenario(
        strategy((flip) => [write(flip)]),
        { sites: [site("nop", "ret")], ...only("done") },
      ),
      { fetch: granules },
    );
    expect(answer(coherent)).toBe("safe");
  });
});

describe("R3: a store that leaves the value as it is appends nothing", () => {
  const strict: FetchModel = {
    ...untilSync,
    admits: (window) => (window.some((byte) => byte.length > 1) ? { breaks: "rule", why: "two versions" } : "run"),
  };

  it("and a byte that both values of a cell share has one", async () => {
    const stableTail: FetchModel = {
      ...strict,
      unit: 4,
      admits: ([_, ...tail], ...rest) => strict.admits(tail, ...rest),
    };
    const asked = scenario(
      strategy((flip) => [write(flip)]),
      { sites: [site("nop3 0x100", "add 0x100")], ...only("rule") },
    );
    expect(answer(await check(asked, { fetch: stableTail }))).toBe("safe");
    expect(answer(await check(asked, { fetch: { ...strict, unit: 4 } }))).toBe("unsafe: rule");
  });

  it("so that nobody runs a byte with two versions", async () => {
    const rewrite = strategy((flip) => [store("again", AT, first(flip).old)]);
    expect(
      answer(await check(scenario(rewrite, { sites: [site("nop", "ret")], ...only("rule") }), { fetch: strict })),
    ).toBe("vacuous");
  });

  it("while a store of another value does", async () => {
    const change = strategy((flip) => [write(flip)]);
    expect(
      answer(await check(scenario(change, { sites: [site("nop", "ret")], ...only("rule") }), { fetch: strict })),
    ).toBe("unsafe: rule");
  });

  it("a byte that was rewritten as it is together with others has one value", async () => {
    const wide: FetchModel = { ...strict, unit: 4 };
    const half = (old: string, next: string) =>
      check(
        scenario(
          strategy((flip) => [write(flip)]),
          { sites: [site(old, next)], executors: [{ entries: [AT] }], ...only("rule") },
        ),
        { fetch: wide },
      );
    expect(answer(await half("ret+nop", "ret+isb"))).toBe("safe");
    expect(answer(await half("nop+ret", "isb+ret"))).toBe("unsafe: rule");
  });

  it("and the window counts distinct values: there and back again leaves two, not three", () => {
    const { machine } = createSimulation({ architecture: toy() });
    const made = machine(
      scenario(
        strategy((flip) => [write(flip)]),
        { sites: [site("nop", "ret")] },
      ),
    );
    const key = addressKey(AT);
    const [, cpu] = made.initial().cpus;
    const there = ageWindow(cpu as CpuState, [{ key, old: "00", value: "01" }], made);
    const back = ageWindow(there, [{ key, old: "01", value: "00" }], made);
    expect(back.stale).toEqual({ [key]: ["01"] });
  });
});

describe("R5: a context synchronisation narrows the window of the CPU it happens on", () => {
  const done = (lines: (flip: Flip) => readonly Line[], cpus = 2, options: ToyOptions = {}) =>
    check(scenario(strategy(lines), { sites: [site("nop", "ret")], cpus, ...only("done") }), options);

  it("after which the old code is gone there", async () => {
    expect(answer(await done((flip) => [write(flip), syncCores("sync")]))).toBe("safe");
  });

  it("and on no other: the patcher's own does nothing for the executors", async () => {
    expect(answer(await done((flip) => [write(flip), syncCore("sync")]))).toBe("unsafe: done");
  });

  it("the interrupts of syncCores reach every other CPU", async () => {
    expect(answer(await done((flip) => [write(flip), syncCores("sync")], 3))).toBe("safe");
  });

  it("an interrupt synchronises only as far as its entry, handler and return do", async () => {
    const empty = (flip: Flip): readonly Line[] => [write(flip), sendIpi("poke", []), waitIpi("wait", "poke")];
    const events = ["irq-entry", "irq-return"];
    const verdicts = await Promise.all([
      done(empty, 2, { cpu: { synchronizes: [] } }),
      done(empty, 2, { cpu: { synchronizes: events.slice(0, 1) } }),
      // The acknowledgement comes before the return, so the old code can still run between the two.
      done(empty, 2, { cpu: { synchronizes: events.slice(1) } }),
      done((flip) => [write(flip), sendIpi("poke", [syncCore("core")]), waitIpi("wait", "poke")], 2, {
        cpu: { synchronizes: [] },
      }),
    ]);
    expect(verdicts.map(answer)).toEqual(["unsafe: done", "safe", "safe", "safe"]);
  });

  it("so does a serialising instruction of the victim's own, and no other", () => {
    const { machine } = createSimulation({ architecture: toy() });
    const blocks = [{ address: 0x1200n, code: "nop+serialise+jump 0x1010" }];
    const own = scenario(
      strategy((flip) => [write(flip)]),
      { sites: [site("nop", "ret")], executors: [{ entries: [0x1200n] }], blocks },
    );
    const left = everSeen(
      machine(own),
      "execute",
      ({ detail }, { effect }) => `${detail.text} leaves ${Object.keys(effect.set.cpu?.stale ?? {}).length}`,
    );
    expect([...left]).toEqual(expect.arrayContaining(["nop leaves 0", "nop leaves 1", "serialise leaves 0"]));
    expect(left).not.toContain("serialise leaves 1");
  });
});

describe("R6: cache maintenance raises the floor, and a synchronisation copies it", () => {
  const operation = (id: string) =>
    rule({
      id,
      source: "the toy's manual",
      reads: ["cpu", "memory"],
      writes: ["cpu", "memory"],
      apply({ cpu, memory }, _args, machine) {
        const operate = machine.cache.operations[id] as (cell: Cell) => Cell;
        const cells = Object.fromEntries(Object.entries(memory.cells).map(([key, cell]) => [key, operate(cell)]));
        return [{ set: { cpu: machine.advance(cpu), memory: { ...memory, cells } } }];
      },
    });
  const rules = [operation("clean"), operation("invalidate")];
  const clean = step("clean", "clean" as "ack");
  const invalidate = step("invalidate", "invalidate" as "ack");
  const patched = async (...lines: readonly Line[]): Promise<string> =>
    answer(
      await check(
        scenario(
          strategy((flip) => [write(flip), ...lines], { rules }),
          { sites: [site("nop", "ret")], ...only("done") },
        ),
        { fetch: untilMaintenance },
      ),
    );
  const sync = syncCores("sync");

  it("clean, invalidate, synchronise: the new code alone", async () => {
    expect(await patched(clean, invalidate, sync)).toBe("safe");
  });

  it.each([
    ["without the clean", [invalidate, sync]],
    ["without the invalidate", [clean, sync]],
    ["in the wrong order", [invalidate, clean, sync]],
    ["without the synchronisation", [clean, invalidate]],
    ["with the synchronisation before the maintenance", [sync, clean, invalidate]],
    ["with the synchronisation between", [clean, sync, invalidate]],
    ["with the patcher's synchronisation alone", [clean, invalidate, syncCore("own")]],
  ])("%s the old code can run on", async (_, lines) => {
    expect(await patched(...lines)).toBe("unsafe: done");
  });

  it("instructions of the victim maintain the caches as well", () => {
    const { machine } = createSimulation({ architecture: toy({ fetch: untilMaintenance }) });
    const blocks = [{ address: 0x1200n, code: "clean+invalidate+isb+jump 0x1010" }];
    const own = scenario(
      strategy((flip) => [write(flip)]),
      { sites: [site("nop", "ret")], executors: [{ entries: [0x1200n] }], blocks },
    );
    const left = everSeen(machine(own), "execute", ({ detail }, { effect, before }) => {
      const cell = (effect.set.memory ?? before.memory).cells[addressKey(AT)];
      return `${detail.text}: ${cell?.sinceClean.length} since the clean, ${cell?.sinceFloor.length} since the floor`;
    });
    expect([...left].filter((text) => text.startsWith("clean"))).toEqual([
      "clean: 0 since the clean, 0 since the floor",
      "clean: 0 since the clean, 1 since the floor",
    ]);
    expect([...left].filter((text) => text.startsWith("invalidate"))).toEqual(
      expect.arrayContaining(["invalidate: 0 since the clean, 0 since the floor"]),
    );
  });

  it("maintenance before the store is of no use to it", async () => {
    const early = strategy((flip) => [clean, invalidate, write(flip), sync], { rules });
    expect(
      answer(
        await check(scenario(early, { sites: [site("nop", "ret")], ...only("done") }), { fetch: untilMaintenance }),
      ),
    ).toBe("unsafe: done");
  });
});

describe("R9: what replaces a synchronised breakpoint is never fetched with an older rest", () => {
  const patched = (steps: (flip: Flip) => readonly Line[], fetch: FetchModel) =>
    outcomes(steps, { fetch }, [site("nop3 0x100", "add 0x302")]);
  const trap = store("trap", AT, [0x02]);
  const tail = (flip: Flip): Line => store("tail", AT + 1n, first(flip).next.slice(1));
  const head = (flip: Flip): Line => store("head", AT, first(flip).next.slice(0, 1));
  const torn = ["add 0x100", "add 0x102", "add 0x300"];

  it("so the second synchronisation is not needed", () => {
    const protocol = (flip: Flip) => [trap, syncCores("sync"), tail(flip), head(flip)];
    expect(patched(protocol, ordered)).toEqual(["add 0x302", "nop3 0x100", "trap"]);
    expect(patched(protocol, untilSync)).toEqual(expect.arrayContaining(torn));
  });

  it("and an instruction is judged by what is left to fetch beside its first byte", async () => {
    const stableTail = (fetch: FetchModel): FetchModel => ({
      ...fetch,
      admits: ([_, ...rest]) =>
        rest.some((byte) => byte.length > 1) ? { breaks: "rule", why: "the rest was modified" } : "run",
    });
    const protocol = strategy((flip) => [trap, syncCores("sync"), tail(flip), head(flip)]);
    const asked = scenario(protocol, { sites: [site("nop3 0x100", "add 0x302")], ...only("rule") });
    expect(answer(await check(asked, { fetch: stableTail(ordered) }))).toBe("safe");
    expect(answer(await check(asked, { fetch: stableTail(untilSync) }))).toBe("unsafe: rule");
  });

  it("but the first one is: the breakpoint has to be all that can be fetched", () => {
    expect(patched((flip) => [trap, tail(flip), head(flip)], ordered)).toEqual(expect.arrayContaining(torn));
  });

  it("and it holds for what was overwritten before, not for what comes after", () => {
    const protocol = (flip: Flip) => [trap, syncCores("sync"), head(flip), tail(flip)];
    expect(patched(protocol, ordered)).toEqual(expect.arrayContaining(torn));
  });
});

/*
 * The state keeps sets of values, not histories. Here are the histories: per cell a list of versions with the indices of the last
 * clean and of the floor, per CPU and cell the index from which it may fetch.
 */

type Version = { readonly value: string; readonly at: number };

class History {
  readonly versions: Version[][];
  readonly #clean: number[];
  readonly #floor: number[];
  readonly #from: number[][];
  /** Versions that are not fetched by a CPU together with what other cells held before that moment. */
  readonly #bound: Map<string, number>[];
  readonly #stale: FetchModel["stale"];
  readonly #ordered: string | undefined;
  #now = 0;

  constructor(cells: readonly string[], cpus: number, { stale, orderedAfter }: FetchModel) {
    this.versions = cells.map((value) => [{ value, at: 0 }]);
    this.#clean = cells.map(() => 0);
    this.#floor = cells.map(() => 0);
    this.#from = Array.from({ length: cpus }, () => cells.map(() => 0));
    this.#bound = Array.from({ length: cpus }, () => new Map());
    this.#stale = stale;
    this.#ordered = orderedAfter;
  }

  #last(cell: number): number {
    return (this.versions[cell] as Version[]).length - 1;
  }

  /** One store, of a value into each of some cells. */
  store(values: ReadonlyMap<number, string>): void {
    this.#now++;
    for (const [cell, value] of values) {
      const list = this.versions[cell] as Version[];
      if (list[list.length - 1]?.value === value) continue;
      this.#from.forEach((from, cpu) => {
        const window = list.slice(from[cell] as number);
        if (window.every((version) => version.value === this.#ordered))
          this.#bound[cpu]?.set(`${cell} ${list.length}`, this.#now);
      });
      list.push({ value, at: this.#now });
    }
  }

  clean(): void {
    this.#clean.forEach((_, cell) => {
      this.#clean[cell] = this.#last(cell);
    });
  }

  invalidate(): void {
    this.#floor.forEach((floor, cell) => {
      this.#floor[cell] = Math.max(floor, this.#clean[cell] as number);
    });
  }

  synchronize(cpu: number): void {
    const from = this.#from[cpu] as number[];
    from.forEach((index, cell) => {
      from[cell] =
        this.#stale === "until-maintenance" ? Math.max(index, this.#floor[cell] as number) : this.#last(cell);
    });
  }

  /** Values that one fetch of a CPU may take from each cell, as combinations. */
  fetchable(cpu: number): ReadonlySet<string> {
    const from = this.#from[cpu] as number[];
    let combinations: number[][] = [[]];
    this.versions.forEach((list, cell) => {
      const window = list.map((_, index) => index).slice(this.#stale === "never" ? -1 : from[cell]);
      combinations = combinations.flatMap((chosen) => window.map((index) => [...chosen, index]));
    });
    const fits = (chosen: readonly number[]): boolean =>
      chosen.every((index, cell) => {
        const moment = this.#bound[cpu]?.get(`${cell} ${index}`);
        if (moment === undefined) return true;
        return chosen.every((other, j) => {
          const overwritten = this.versions[j]?.[other + 1];
          return j === cell || overwritten === undefined || overwritten.at > moment;
        });
      });
    return new Set(
      combinations
        .filter(fits)
        .map((chosen) => chosen.map((index, cell) => this.versions[cell]?.[index]?.value).join("")),
    );
  }
}

describe("the sets of values in a state say what the histories say", () => {
  const VALUES = ["00", "01", "02", "03", "05"];
  const CPUS = 2;

  const compare = (fetch: FetchModel, seed: number, steps: number): void => {
    const random = new Random(seed);
    const machine = createSimulation({ architecture: toy({ fetch }) }).machine(
      scenario(
        strategy(() => []),
        { sites: [site("nop+nop", "ret+ret")] },
      ),
    );
    const keys = [addressKey(AT), addressKey(AT + 1n)];
    const history = new History(["00", "00"], CPUS, fetch);
    let memory: MemoryState = machine.initial().memory;
    const cpus: CpuState[] = [...machine.initial().cpus];
    const log: string[] = [];
    for (let i = 0; i < steps; i++) {
      const what = random.below(10);
      if (what < 6) {
        const values = new Map([random.below(2), random.below(2)].map((cell) => [cell, random.pick(VALUES)]));
        log.push(`store ${[...values].map(([cell, value]) => `${cell} ${value}`).join(" and ")}`);
        history.store(values);
        const changes = [...values].flatMap(([cell, value]) => {
          const key = keys[cell] as string;
          const old = (memory.cells[key] as Cell).latest;
          return old === value ? [] : [{ key, old, value }];
        });
        cpus.forEach((cpu, c) => {
          cpus[c] = ageWindow(cpu, changes, machine);
        });
        memory = withChanges(memory, changes, machine);
      } else if (what < 8) {
        const cpu = random.below(CPUS);
        log.push(`synchronise ${cpu}`);
        history.synchronize(cpu);
        cpus[cpu] = synchronize(cpus[cpu] as CpuState, memory, machine);
      } else {
        const operation = what === 8 ? "clean" : "invalidate";
        log.push(operation);
        history[operation]();
        const operate = operations[operation] as (cell: Cell) => Cell;
        memory = {
          ...memory,
          cells: Object.fromEntries(Object.entries(memory.cells).map(([key, cell]) => [key, operate(cell)])),
        };
      }
      cpus.forEach((cpu, c) => {
        const found = new Set<string>();
        for (const a of windowOf(cpu, memory, keys[0] as string, machine)) {
          for (const b of windowOf(cpu, memory, keys[1] as string, machine)) {
            if (!isExcluded(cpu, keys, a, b)) found.add(a + b);
          }
        }
        const expected = history.fetchable(c);
        expect([...found].sort(), `${fetch.id}, seed ${seed}, CPU ${c} after ${log.join(", ")}`).toEqual(
          [...expected].sort(),
        );
      });
    }
  };

  const isExcluded = (cpu: CpuState, [one, two]: readonly string[], a: string, b: string): boolean =>
    (cpu.excludes[`${one}=${a}`]?.[two as string]?.includes(b) ?? false) ||
    (cpu.excludes[`${two}=${b}`]?.[one as string]?.includes(a) ?? false);

  it.each([untilSync, untilMaintenance, ordered, { ...granules, unit: 1 }])("$id", (fetch) => {
    for (let seed = 0; seed < 250; seed++) compare(fetch, seed, 14);
  });
});
