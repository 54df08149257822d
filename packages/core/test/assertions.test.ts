import { describe, expect, it } from "vitest";
import {
  assert,
  createSimulation,
  eq,
  expectText,
  type Line,
  load,
  local,
  lt,
  MOST_PROPERTIES,
  type Observation,
  type Plugin,
  PROPERTIES,
  type Property,
  type Scenario,
  set,
  store,
  syncCores,
} from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { AT, answer, check, first, scenario, site, strategy } from "./toy/scenario.js";
import { windowed } from "./toy/window.js";

const assertion = { properties: ["assertion"] } as const;
const program = (lines: readonly Line[]) => strategy(() => lines, { program: () => ({ words: { x: 0 } }) });

describe("a step that asserts", () => {
  const counting = (most: number) =>
    scenario(
      program([
        set("set", "x", 1),
        load("load", "x", "seen"),
        assert("few", lt(local("seen"), most), "there are too many"),
      ]),
      assertion,
    );

  it("breaks assertion where its condition does not hold", async () => {
    expect(answer(await check(counting(2)))).toBe("safe");
    expect(await check(counting(1))).toMatchObject({
      verdict: "unsafe",
      property: "assertion",
      why: "The assertion few does not hold: there are too many",
    });
  });

  it("counts whatever a strategy promises, and can be left out", async () => {
    const of = scenario(
      strategy(() => [assert("never", eq(0, 1), "it never holds")], { promises: [] }),
      { sites: [site("nop3", "call")] },
    );
    expect(answer(await check(of))).toBe("unsafe: assertion");
    const without = await check({ ...of, ignore: ["assertion"] });
    expect(without).toMatchObject({ verdict: "vacuous", notPromised: ["done", "assertion"] });
  });
});

describe("a step that expects text", () => {
  const one = { sites: [site("nop", "ret")], executors: [] as const };
  const of = (...lines: readonly Line[]): Scenario => scenario(program(lines), { ...one, ...assertion });

  it("compares what memory holds", async () => {
    expect(answer(await check(of(expectText("old", AT, [0x00]))))).toBe("safe");
    expect(await check(of(expectText("old", AT, [0x05])))).toMatchObject({
      property: "assertion",
      why: "The program expected 05 at 0x1010, and memory held 00 there.",
    });
    expect(await check(of(expectText("old", 0x8000n, [0x00])))).toMatchObject({
      why: "The program expected 00 at 0x8000, and memory held no code there.",
    });
  });

  it.each([
    ["sequential", toy()],
    ["architectural", toy()],
    ["architectural", windowed()],
  ] as const)("as this CPU's own loads find it, in the %s order", async (memory, architecture) => {
    const { check } = createSimulation({ architecture, development: true });
    const own = of(store("write", AT, [0x01]), expectText("mine", AT, [0x01]));
    expect(answer(await check({ ...own, memory }))).toBe("safe");
  });

  it("and finds what another patcher left there", async () => {
    const other = strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")], { id: "other" });
    const expecting = strategy(() => [expectText("unchanged", AT, [0x00])], { id: "expecting" });
    const of: Scenario = {
      name: "two patchers",
      sites: [site("nop", "ret")],
      patchers: [other, expecting].map((each) => ({ strategy: each, sites: [0], flips: 1 })),
      cpus: 2,
      executors: [],
      ...assertion,
    };
    expect(answer(await check(of))).toBe("unsafe: assertion");
  });
});

describe("a forbidden block", () => {
  const of = (target: string): Scenario =>
    scenario(
      strategy((flip) => [store("write", AT, first(flip).next, { width: 4 }), syncCores("sync")]),
      {
        sites: [site("nop3", `jump ${target}`)],
        blocks: [
          { address: 0x2000n, code: "ret" },
          { address: 0x3000n, code: "nop+ret", forbidden: "it belongs to another module." },
        ],
        ...assertion,
      },
    );

  it.each([
    ["sequential", toy()],
    ["architectural", toy()],
    ["architectural", windowed({ alternatives: () => [] })],
  ] as const)(
    "breaks assertion when an instruction takes effect there, in the %s order",
    async (memory, architecture) => {
      const { check } = createSimulation({ architecture, development: true });
      expect(answer(await check({ ...of("0x2000"), memory }))).toBe("safe");
      const wrong = await check({ ...of("0x3000"), memory });
      expect(wrong).toMatchObject({
        property: "assertion",
        why: "The CPU executed nop at 0x3000, where nobody may get: it belongs to another module.",
      });
    },
  );
});

describe("properties under ids of their own", () => {
  const returns = (id: string): Property => ({
    id,
    breaksWhen: "anybody returns",
    judge: ({ what, detail }: Observation) =>
      what === "execute" && detail.text === "ret" ? "Somebody returned." : undefined,
  });
  const quiet = strategy(() => [], { promises: [] });
  const of = (more: Partial<Scenario>): Scenario => scenario(quiet, { sites: [site("nop3", "nop3 0x101")], ...more });
  const brings = (...list: readonly Property[]): Plugin => ({
    id: "judges",
    install: (binder) => {
      for (const each of list) binder.add(PROPERTIES, each);
    },
  });

  it("of a scenario count, whatever the strategies promise", async () => {
    const { check } = createSimulation({ architecture: toy() });
    const judges = [returns("no-returns")];
    expect(await check(of({ judges }))).toMatchObject({ property: "no-returns", why: "Somebody returned." });
    expect(answer(await check(of({ judges, ignore: ["no-returns"] })))).toBe("vacuous");
    expect(answer(await check(of({ judges, properties: ["fault"] })))).toBe("safe");
    const own = (id: string) => of({ judges: [{ id, breaksWhen: "never", judge: () => undefined }] });
    const verdict = await check(own("constructor"));
    expect(verdict.notJudged.map(({ property }) => property)).not.toContain("constructor");
    await expect(check(own("__proto__"))).rejects.toThrow("lower-case words joined by -");
  });

  it("of a plugin do too", async () => {
    const { check, properties } = createSimulation({ architecture: toy(), plugins: [brings(returns("no-returns"))] });
    expect(answer(await check(of({})))).toBe("unsafe: no-returns");
    expect(answer(await check(of({ ignore: ["no-returns"] })))).toBe("vacuous");
    expect(properties(of({})).map(({ id }) => id)).toContain("no-returns");
  });

  it("are reported behind core's", async () => {
    const { check } = createSimulation({ architecture: toy(), plugins: [brings(returns("a-first"))] });
    const verdict = await check(
      of({
        blocks: [{ address: AT + 3n, code: "ret", forbidden: "nobody returns here." }],
        sites: [{ ...site("nop3", "nop3"), after: [] }],
      }),
    );
    if (verdict.verdict !== "unsafe") throw new Error("Both are to break.");
    expect(verdict.broken.map(({ property }) => property)).toEqual(["assertion", "a-first"]);
  });

  it("have ids that differ, and are not too many", async () => {
    const { check } = createSimulation({ architecture: toy(), plugins: [brings(returns("twice"))] });
    await expect(check(of({ judges: [returns("twice")] }))).rejects.toThrow("Two properties have the id twice");
    const many = Array.from({ length: MOST_PROPERTIES }, (_, i) => returns(`own-${i}`));
    await expect(createSimulation({ architecture: toy() }).check(of({ judges: many }))).rejects.toThrow(
      `at most ${MOST_PROPERTIES} properties`,
    );
  });

  it("are known when they are asked for", async () => {
    const { check } = createSimulation({ architecture: toy() });
    await expect(check(of({ properties: ["no-returns"] }))).rejects.toThrow(
      'scenario.properties[0] cannot be "no-returns"',
    );
    await expect(check(of({ ignore: ["don"] }))).rejects.toThrow(
      'scenario.ignore[0] cannot be "don"; did you mean done?',
    );
  });
});
