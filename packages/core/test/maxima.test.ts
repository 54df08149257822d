import { describe, expect, it } from "vitest";
import {
  createSimulation,
  type Data,
  eq,
  InputError,
  type Line,
  local,
  type Scenario,
  set,
  step,
  store,
  when,
} from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { AT, scenario, site, strategy } from "./toy/scenario.js";

const { machine } = createSimulation({ architecture: toy() });
const nothing = strategy(() => []);

const refused = (of: Scenario, message: RegExp | string): void => {
  let thrown: unknown;
  try {
    machine(of);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InputError);
  expect((thrown as InputError).message).toMatch(message);
};

const DEEP = 20_000;

const deep = (inmost: Data): Data => {
  let value = inmost;
  for (let i = 0; i < DEEP; i++) value = [value];
  return value;
};

describe("what is more than a scenario can have is refused before it is laid out", () => {
  it.each([1001, 20_000, 1e308])("%d flips", (flips) =>
    refused(
      scenario(nothing, { patcher: { flips } }),
      "scenario.patchers[0].flips has to be a whole number from 1 to 1000",
    ),
  );

  it("lists of many thousand entries", () => {
    const many = Array.from({ length: 4097 }, (_, i) => i);
    refused(
      scenario(nothing, { blocks: many.map((i) => ({ address: 0x10_0000n + BigInt(i), code: "ret" })) }),
      "A scenario holds a list of 4097 entries, more than 4096.",
    );
    const long = strategy(() => many.map((i) => set(`set-${i}`, "word", i)), {
      program: () => ({ words: { word: 0 } }),
    });
    refused(scenario(long), /plans holds a list of 4097 entries, more than 4096\.$/);
    expect(
      machine(
        scenario(
          strategy(() => [store("write", AT, [0])]),
          { data: [{ address: 0x10_0000n, bytes: many.map(() => 0) }] },
        ),
      ).layout,
    ).toBeDefined();
  });

  it("a thousand flips are planned twice, there and back", () => {
    const asked: number[] = [];
    const counting = strategy(({ sites }) => {
      asked.push(sites[0]?.next[0] ?? -1);
      return [store("write", AT, sites[0]?.next ?? [])];
    });
    const { layout } = machine(scenario(counting, { patcher: { flips: 1000 } }));
    expect(new Set(asked).size).toBe(2);
    expect(asked).toHaveLength(2);
    const code = layout.programs.get("patcher 0")?.code ?? [];
    expect(code.filter((entry) => entry.kind === "op" && entry.op === "returnCall")).toHaveLength(1000);
  });

  it("a billion executors, and 1,025 in all", () => {
    refused(scenario(nothing, { preempt: true, executors: [{ count: 1e9 }] }), "executors[0].count has to be");
    refused(
      scenario(nothing, { preempt: true, executors: [{ count: 1000 }, { count: 25 }] }),
      "A scenario has at most 1024 executors, not 1025.",
    );
  });

  it("lines and arguments that are nested without end", () => {
    let lines: readonly Line[] = [];
    for (let i = 0; i < DEEP; i++) lines = [when(`when ${i}`, eq(0, 0), lines)];
    const more = /more than 100 deep/;
    refused(scenario(strategy(() => lines)), more);
    refused(scenario(strategy(() => [set("set", "word", deep(0))])), more);
    const itself: { id: string; when: unknown; lines: unknown[] } = { id: "a", when: eq(0, 0), lines: [] };
    itself.lines.push(itself);
    refused(scenario(strategy(() => [itself as unknown as Line])), more);
    refused(scenario(nothing, { patcher: { add: [{ after: null, line: set("a", "word", deep(0)) }] } }), more);
  });

  it("code and data without end", () => {
    const long = "nop\n".repeat(DEEP);
    refused(scenario(nothing, { sites: [site(long, long)] }), /a text of 80000 characters, more than 65536/);
    const bytes = Array.from({ length: 70_000 }, () => 0);
    refused(scenario(nothing, { sites: [site(bytes, bytes)] }), /The site at 0x1010 has 70000 bytes, more than 65536/);
    refused(scenario(nothing, { blocks: [{ address: 0x5000n, code: bytes }] }), /Code at 0x5000 has 70000 bytes/);
    refused(scenario(nothing, { data: [{ address: 0x5000n, bytes }] }), /Data at 0x5000 has 70000 bytes/);
  });

  it("code and data that wrap past the last address", () => {
    const last = (1n << 64n) - 1n;
    refused(
      scenario(nothing, { sites: [site("nop3", "nop3", last - 1n)] }),
      "The site at 0xfffffffffffffffe, of length 3, does not end below 2^64, where addresses do.",
    );
    // What follows the site wraps, too.
    refused(scenario(nothing, { sites: [site("nop3", "nop3", last - 2n)] }), /Code at 0x10000000000000000/);
    refused(scenario(nothing, { blocks: [{ address: last, code: [0, 0] }] }), /Code at 0xffffffffffffffff/);
    refused(scenario(nothing, { data: [{ address: last, bytes: [0, 0] }] }), /Data at 0xffffffffffffffff/);
  });
});

describe("a step that others need cannot be left out", () => {
  const uses = strategy(() => [
    step("get", "load", { word: "w", into: "found" }),
    set("use", "v", local("found")),
    when("if", eq(local("found"), 0), [set("then", "v", 1)]),
  ]);

  it("one that sets a local which a step, or a condition, looks at", () => {
    refused(
      scenario(uses, { patcher: { drop: ["get"] } }),
      "The step use of patcher 0 looks at found, which no step sets; a step that others need cannot be left out.",
    );
    refused(scenario(uses, { patcher: { drop: ["get", "use"] } }), "A condition of patcher 0 looks at found");
    expect(() => machine(scenario(uses, { patcher: { drop: ["get", "use", "if"] } }))).not.toThrow();
  });

  it("one that sets it on the way that is taken", async () => {
    const sometimes = strategy(
      () => [
        when("never", eq(0, 1), [step("get", "load", { word: "w", into: "found" })]),
        set("use", "v", local("found")),
      ],
      { program: () => ({ words: { w: 0, v: 0 } }) },
    );
    await expect(createSimulation({ architecture: toy() }).check(scenario(sometimes))).rejects.toThrow(
      "The step use of patcher 0 looks at found, which no step before it sets; the step that sets it cannot be left out.",
    );
  });
});
