import { describe, expect, it } from "vitest";
import { claim, createSimulation, emulate, emulateAll, type Line, set, store, syncCores, toHex } from "../src/index.js";
import { everSeen } from "./naive.js";
import { type ToyOptions, toy } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

/* What strategies bring and ask for beside the steps of one site. */

describe("a handler that stands for several instructions", () => {
  const trapped = (handler: (old: string) => Line) =>
    strategy(
      (flip) => [
        store("break", first(flip).address, [0x02]),
        syncCores("sync-1"),
        store("back", first(flip).address, first(flip).old.slice(0, 1)),
        syncCores("sync-2"),
      ],
      { program: (flip) => ({ traps: { brk: [handler(toHex(first(flip).old)), claim()] } }) },
    );
  const sites = [site("add 0x1+add 0x2", "add 0x1+add 0x3")];

  it("emulate stands for the first, emulateAll for all", async () => {
    const where = (handler: (old: string) => Line): readonly string[] => {
      const machine = createSimulation({ architecture: toy() }).machine(scenario(trapped(handler), { sites }));
      return [...everSeen(machine, "return-from-trap", ({ detail }) => String(detail.resumes))];
    };
    expect(where((old) => emulate("emulate", old))).toEqual([String(AT + 3n)]);
    expect(where((old) => emulateAll("emulate", old))).toEqual([String(AT + 6n)]);
  });

  it("both are the effect of the code; half of one and half of another is not", async () => {
    const counted = { sites, ...only("emulation", "mid-sequence", "old-or-new") };
    for (const handler of [emulate, emulateAll])
      expect(
        answer(
          await check(
            scenario(
              trapped((old) => handler("emulate", old)),
              counted,
            ),
          ),
        ),
      ).toBe("safe");
    const other = trapped(() => emulateAll("emulate", "130500130200"));
    expect(answer(await check(scenario(other, counted)))).toBe("unsafe: emulation");
  });
});

describe("what is done in the switch to a task", () => {
  const lines = strategy(() => [set("go", "x", 1)], {
    program: () => ({ words: { x: 0, switched: 0 }, traps: { switch: [set("switch", "switched", 1)] } }),
  });
  const switched = (more: object, options: ToyOptions = {}): boolean => {
    const machine = createSimulation({ architecture: toy(options), development: true }).machine(scenario(lines, more));
    return everSeen(machine, "set", ({ detail }) => String(detail.word)).has("switched");
  };

  it("comes before a preempted task goes on, and not elsewhere", () => {
    expect(switched({ preempt: true, properties: [] })).toBe(true);
    expect(switched({})).toBe(false);
  });
});

describe("two calls for the same version", () => {
  it("the second finds the change of the first still under way", async () => {
    const slow = strategy((flip) => [store("write", first(flip).address, first(flip).next), syncCores("sync")]);
    const twice = {
      ...scenario(slow),
      patchers: [0, 1].map(() => ({ strategy: slow, sites: [0], flips: 1 })),
      cpus: 3,
      executors: [{ count: 1 }],
      sites: [site("nop", "ret")],
    };
    expect(answer(await check({ ...twice, ...only("old-or-new") }))).toBe("safe");
    const quick = strategy(() => [], { id: "quick" });
    const early = { ...twice, patchers: [slow, quick].map((each) => ({ strategy: each, sites: [0], flips: 1 })) };
    expect(answer(await check({ ...early, ...only("old-or-new", "done") }))).toBe("unsafe: done");
  });
});

describe("code of a site that needs what comes before", () => {
  it("a branch without a target may have other operands", () => {
    const architecture = { ...toy(), branches: { "call  me": "callee" as const, call: "callee" as const } };
    const machine = createSimulation({ architecture }).machine(scenario(strategy(() => [])));
    expect(machine.layout.sites[0]?.callees).toEqual([{ address: AT + 0x100n, mode: "" }]);
  });
});
