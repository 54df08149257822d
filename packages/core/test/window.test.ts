import { describe, expect, it } from "vitest";
import {
  type CpuState,
  claim,
  createSimulation,
  type FetchModel,
  fence,
  fetchChoices,
  type Line,
  load,
  maintain,
  publishEvent,
  running,
  type Scenario,
  store,
  storeData,
  syncCores,
  toHex,
  type WindowModel,
  windowOfCpu,
} from "../src/index.js";
import { everSeen, visit } from "./naive.js";
import { granules, strict, type ToyOptions, untilMaintenance, untilSync } from "./toy/architecture.js";
import { AT, answer, first, only, scenario, site, strategy } from "./toy/scenario.js";
import { windowed } from "./toy/window.js";

const simulation = (options: ToyOptions, model: Partial<WindowModel> = {}) =>
  createSimulation({ architecture: windowed(model, options), development: true });

const architectural = { memory: "architectural" } as const;

const verdict = async (of: Scenario, options: ToyOptions, model: Partial<WindowModel> = {}): Promise<string> =>
  answer(await simulation(options, model).check({ ...architectural, ...of }));

const one = { sites: [site("nop", "ret")] };
const write: Parameters<typeof strategy>[0] = (flip) => [store("write", AT, first(flip).next)];

describe("whether an instruction may be executed is judged when it is fetched", () => {
  const modified = scenario(strategy(write), { ...one, ...only("rule") });

  it("by the fetch model, where the order has no list of what may race", async () => {
    expect(await verdict(modified, { fetch: strict })).toBe("unsafe: rule");
    expect(await verdict(modified, { fetch: untilSync })).toBe("safe");
  });

  it("else by that list", async () => {
    const races = (allowed: boolean) => ({ races: { allowed: () => allowed, why: "this test says so" } });
    expect(await verdict(modified, { fetch: strict }, races(true))).toBe("safe");
    expect(await verdict(modified, { fetch: untilSync }, races(false))).toBe("unsafe: rule");
  });
});

describe("an instruction is fetched cell by cell", () => {
  it("each may be of another moment", () => {
    // Four-byte cells: the instruction lies in two.
    const place = AT + 2n;
    const machine = simulation({ fetch: { ...untilSync, unit: 4 } }).machine(
      scenario(
        strategy((flip) => [store("write", place, first(flip).next, { width: 4 })]),
        { ...architectural, sites: [site("nop3 0x1111", "nop3 0x2222", place)] },
      ),
    );
    const texts = everSeen(machine, "execute", ({ detail }) => (detail.site === null ? "" : String(detail.text)));
    expect([...texts].sort()).toEqual(["", "nop3 0x1111", "nop3 0x1122", "nop3 0x2211", "nop3 0x2222"]);
  });
});

describe("invalidations that were completed", () => {
  /** What CPUs that run machine code can fetch once the change was made and its maintenance is complete. */
  const fetched = (options: Partial<Scenario>, cpu: ToyOptions["cpu"] = {}): readonly string[] => {
    const lines = (next: readonly number[]): readonly Line[] => [
      store("write", AT, next),
      maintain("clean", "clean", AT),
      fence("cleaned", "finish"),
      maintain("invalidate", "invalidate", AT),
      fence("invalidated", "finish"),
    ];
    const machine = simulation({ fetch: untilMaintenance, cpu }).machine(
      scenario(
        strategy((flip) => lines(first(flip).next), {
          program: () => ({ words: { x: 0 }, traps: { irq: [load("look", "x", "seen")] } }),
        }),
        { ...one, ...architectural, ...options },
      ),
    );
    const found = new Set<string>();
    visit(machine, ({ before }) => {
      const [patcher, other] = before.cpus as [CpuState, CpuState];
      if (patcher.stack.length > 0 || windowOfCpu(patcher).posted.length > 0) return true;
      const context = running(other);
      if (context?.code.run === "machine")
        for (const { bytes } of fetchChoices(other, before.memory, AT, "", machine))
          found.add(`${context.level} ${toHex(bytes)}`);
      return true;
    });
    return [...found].sort();
  };

  it("bind a CPU that runs machine code", () => {
    expect(fetched({})).toEqual(["task 01"]);
  });

  it("and one that runs a program from its next context synchronisation on", () => {
    const interrupts = { irq: true };
    expect(fetched({ interrupts }, { synchronizes: [] })).toEqual(["irq 00", "irq 01", "task 00", "task 01"]);
    expect(fetched({ interrupts }, { synchronizes: ["irq-return"] })).toEqual(["irq 00", "irq 01", "task 01"]);
  });
});

describe("an instruction of a site leaves the window later than it was fetched", () => {
  // Fetches see every store.
  const fetch = granules;

  it("and is judged by how the site stands then; a trap by how it stood when it was fetched", async () => {
    const slow = 0x1100n;
    const change = (old: string, next: string) =>
      scenario(
        strategy(
          (flip) => [storeData("data", 0x9000n, [1]), store("write", AT, first(flip).next), fence("barrier", "mb")],
          { program: () => ({ traps: { brk: [claim()] } }) },
        ),
        {
          sites: [site(old, next)],
          blocks: [{ address: slow, code: `load 0x9000+jump 0x${AT.toString(16)}` }],
          executors: [{ entries: [slow] }],
          ...only("done"),
        },
      );
    expect(await verdict({ ...change("nop", "ret"), memory: "sequential" }, { fetch })).toBe("safe");
    expect(await verdict(change("nop", "ret"), { fetch })).toBe("unsafe: done");
    expect(await verdict(change("trap", "ret"), { fetch })).toBe("safe");
  });

  it("so that a trace may have an event in between", async () => {
    const changes = (sync: readonly Line[]) =>
      scenario(
        strategy((flip) => [
          publishEvent("begins", first(flip), { begins: true }),
          store("write", AT, first(flip).next),
          fence("barrier", "mb"),
          ...sync,
          publishEvent("ends", first(flip)),
        ]),
        { ...one, ...only("trace") },
      );
    expect(await verdict({ ...changes([]), memory: "sequential" }, { fetch })).toBe("safe");
    expect(await verdict(changes([]), { fetch })).toBe("unsafe: trace");
    expect(await verdict(changes([syncCores("sync")]), { fetch })).toBe("safe");
  });
});

describe("fetches that see the stores in their order, late", () => {
  const inOrder: FetchModel = { ...untilSync, id: "in-order", stale: "in-order" };

  /** What the other CPU can add up: it runs the site that is written later first. */
  const sums = (fetch: FetchModel, between: readonly Line[]): readonly string[] => {
    const later = AT + 0x10n;
    const sites = [
      { ...site("add 1", "add 2"), after: "store 0x9000+ret" },
      { ...site("add 0x10", "add 0x20", later), after: `jump 0x${AT.toString(16)}` },
    ];
    const machine = simulation({ fetch }).machine(
      scenario(
        strategy(() => [store("write", AT + 1n, [2]), ...between, store("write-later", later + 1n, [0x20])]),
        { ...architectural, sites, executors: [{ entries: [later], once: true }] },
      ),
    );
    const stored = everSeen(machine, "window-store", ({ detail }) => detail.value.toString(16));
    return [...stored].sort();
  };

  it("find no later store without the earlier one", () => {
    const apart = [fence("apart", "wmb")];
    expect(sums(inOrder, apart)).toEqual(["11", "12", "22"]);
    expect(sums(inOrder, [])).toEqual(["11", "12", "21", "22"]);
    expect(sums(untilSync, apart)).toEqual(["11", "12", "21", "22"]);
  });

  it("and behind a synchronisation what others stored before it", () => {
    const machine = simulation({ fetch: inOrder, cpu: { synchronizes: ["irq-entry"] } }).machine(
      scenario(strategy(write), { ...one, ...architectural, interrupts: { irq: true } }),
    );
    const behind = everSeen(machine, "irq", (_, { effect }) => String("behind" in (effect.set.cpu as CpuState)));
    expect([...behind]).toEqual(["false"]);
  });
});
