import { describe, expect, it } from "vitest";
import {
  createSimulation,
  type Machine,
  type Outcomes,
  type OutcomesOptions,
  outcomesBeyond,
  type Scenario,
  type SiteOutcome,
  store,
  syncCores,
} from "../src/index.js";
import { running } from "../src/state.js";
import { type Visited, visit } from "./naive.js";
import { granules, strict, type ToyOptions, toy, untilSync } from "./toy/architecture.js";
import { randomProtocol } from "./toy/random.js";
import { AT, first, scenario, strategy } from "./toy/scenario.js";

const list = (of: Scenario, architecture: ToyOptions = {}, options: OutcomesOptions = {}): Promise<Outcomes> =>
  createSimulation({ architecture: toy(architecture), development: true }).outcomes(of, options);

type Seen = {
  readonly site: number | null;
  readonly offset: number;
  readonly bytes: string;
  readonly matched: readonly number[];
  readonly calling: boolean;
  readonly from: number;
  readonly to: number;
  readonly stale: boolean;
  readonly refused: string | null;
  readonly owned: boolean;
  readonly restarted: boolean;
  readonly resumes: bigint;
};

/** One fact about one CPU, from one step: what was executed or emulated, in which context, when, and whether it was stale. */
const factsOf = ({ cpu, effect, before }: Visited, machine: Machine): readonly string[] =>
  (effect.observed ?? []).flatMap(({ what, detail }) => {
    const seen = detail as unknown as Seen;
    if (seen.site === null) return [];
    const place = `CPU ${cpu} site ${seen.site} +${seen.offset}`;
    const late = !seen.calling && seen.owned !== true && seen.matched?.includes(seen.from);
    const when = `${seen.calling ? "during" : "outside"}${late && !seen.matched.includes(seen.to) ? " late" : ""}`;
    const level = (state = before.cpus[cpu]) => (state === undefined ? "" : running(state)?.level);
    if (what === "execute") {
      const facts = [when, seen.stale ? "stale" : "fresh", `at ${level()}`, ...(seen.refused ? [seen.refused] : [])];
      return facts.flatMap((fact) => fact.split(/ (?=late)/)).map((fact) => `${place} ${seen.bytes}: ${fact}`);
    }
    if (what === "return-from-trap" && !seen.restarted) {
      const version = machine
        .instructionsAt(seen.site, seen.offset)
        .find((each) => seen.matched.includes(each.version));
      const bytes = version?.bytes ?? `goes on at 0x${seen.resumes.toString(16)}`;
      const facts = [when, `at ${level(effect.set.cpu)}`];
      return facts.flatMap((fact) => fact.split(/ (?=late)/)).map((fact) => `${place} emulated ${bytes}: ${fact}`);
    }
    return [];
  });

/** The same facts, from a listing. */
const factsIn = (outcome: SiteOutcome): readonly string[] =>
  outcome.cpus.flatMap((cpu) => {
    const emulated = outcome.how === "emulated";
    const what = emulated ? `emulated ${outcome.bytes === "" ? outcome.text : outcome.bytes}` : outcome.bytes;
    return [
      ...(outcome.during ? ["during"] : []),
      ...(outcome.outside ? ["outside"] : []),
      ...(outcome.late ? ["late"] : []),
      ...(outcome.fresh && !emulated ? ["fresh"] : []),
      ...(outcome.stale ? ["stale"] : []),
      ...outcome.levels.map((level) => `at ${level}`),
      ...outcome.refused,
    ].map((fact) => `CPU ${cpu} site ${outcome.site} +${outcome.offset} ${what}: ${fact}`);
  });

const sorted = (facts: Iterable<string>): readonly string[] => [...new Set(facts)].sort();

describe("every outcome, and no other, is listed for every CPU of protocols that nobody chose", () => {
  const BATCH = 15;
  let violations = 0;
  let emulations = 0;

  it.each(Array.from({ length: 8 }, (_, batch) => batch * BATCH))("from seed %i on", async (from) => {
    for (let seed = from; seed < from + BATCH; seed++) {
      const { scenario, architecture } = randomProtocol(seed);
      const simulation = createSimulation({ architecture: toy(architecture) });
      const plain = await simulation.outcomes(scenario, { reduce: false, bounds: { states: 2500 } });
      if (plain.limit !== null) continue;
      const machine = simulation.machine(scenario);
      const facts = new Set<string>();
      visit(machine, (step) => {
        for (const fact of factsOf(step, machine)) facts.add(fact);
        return true;
      });
      const reduced = await simulation.outcomes(scenario);
      for (const [how, { outcomes }] of Object.entries({ plain, reduced }))
        expect(sorted(outcomes.flatMap(factsIn)), `seed ${seed}, ${how}`).toEqual(sorted(facts));
      expect(reduced.states).toBeLessThanOrEqual(plain.states);
      violations += plain.outcomes.filter(({ kind }) => kind === "torn").length;
      emulations += plain.outcomes.filter(({ how }) => how === "emulated").length;
    }
  });

  it("and many of them are torn or emulated", () => {
    expect(violations).toBeGreaterThan(40);
    expect(emulations).toBeGreaterThan(20);
  });
});

describe("a listing", () => {
  const inTwo = strategy((flip) => [
    store("tail", AT + 1n, first(flip).next.slice(1)),
    store("first", AT, first(flip).next.slice(0, 1)),
  ]);

  it("goes on behind the first violation", async () => {
    const simulation = createSimulation({ architecture: toy() });
    const of = scenario(inTwo, { patcher: { flips: 2 } });
    const verdict = await simulation.check(of, { beyond: 0 });
    if (verdict.verdict !== "unsafe") throw new Error("Two stores without synchronisation tear.");
    const { outcomes, limit } = await list(of);
    expect(limit).toBeNull();
    const shown = new Set(verdict.trace.flatMap(({ observed }) => observed.map(({ detail }) => detail.bytes)));
    const torn = outcomes.filter(({ kind }) => kind === "torn");
    expect(torn.length).toBeGreaterThan(1);
    expect(torn.some(({ bytes }) => !shown.has(bytes))).toBe(true);
    // What only the second call leads to comes behind any violation of the first.
    expect(outcomes.find(({ kind }) => kind === "old")?.outside).toBe(true);
    expect(outcomes.find(({ kind }) => kind === "new")?.late).toBe(true);
  });

  it("tells stale from fresh, and between two stores from never in memory", async () => {
    const { outcomes } = await list(scenario(inTwo), { fetch: untilSync });
    const torn = outcomes.filter(({ kind }) => kind === "torn");
    expect(torn.some(({ fresh }) => fresh)).toBe(true);
    expect(torn.some(({ fresh, stale }) => stale && !fresh)).toBe(true);
    const whole = strategy((flip) => [store("whole", AT, first(flip).next, { width: 4 })]);
    const coherent = await list(scenario(whole), { fetch: granules });
    expect(coherent.outcomes.map(({ kind, fresh, stale }) => ({ kind, fresh, stale }))).toEqual([
      { kind: "old", fresh: true, stale: false },
      { kind: "new", fresh: true, stale: false },
    ]);
  });

  it("names the CPUs: the patcher's own executes the site in its interrupts alone", async () => {
    const { outcomes } = await list(scenario(inTwo, { cpus: 3, interrupts: { nmi: true } }));
    const [boot, others] = [0, 2].map((cpu) => outcomes.filter(({ cpus }) => cpus.includes(cpu)));
    expect(new Set(boot?.flatMap(({ levels }) => levels))).toEqual(new Set(["nmi"]));
    expect(new Set(others?.flatMap(({ levels }) => levels))).toEqual(new Set(["task", "nmi"]));
    for (const { cpus } of outcomes) expect(cpus.includes(1)).toBe(cpus.includes(2));
    const quiet = await list(scenario(inTwo, { cpus: 3 }));
    expect(new Set(quiet.outcomes.flatMap(({ cpus }) => cpus))).toEqual(new Set([1, 2]));
  });

  it("says what the fetch model refuses", async () => {
    const { outcomes } = await list(scenario(inTwo), { fetch: strict });
    const torn = outcomes.filter(({ kind }) => kind === "torn");
    expect(torn.every(({ refused }) => refused.length > 0)).toBe(true);
  });

  it("is compared with another by place and bytes", async () => {
    const whole = strategy((flip) => [store("whole", AT, first(flip).next, { width: 4 }), syncCores("sync")]);
    const [coherent, bytewise] = await Promise.all([
      list(scenario(whole), { fetch: granules }),
      list(scenario(inTwo), { fetch: untilSync }),
    ]);
    expect(outcomesBeyond(coherent.outcomes, bytewise.outcomes)).toEqual([]);
    const more = outcomesBeyond(bytewise.outcomes, coherent.outcomes);
    expect(more.length).toBeGreaterThan(0);
    expect(more.every(({ kind }) => kind === "torn")).toBe(true);
  });

  it("that a bound or the user cut short says so", async () => {
    expect((await list(scenario(inTwo), {}, { bounds: { states: 3 } })).limit).toBe("states");
    const aborted = await list(
      scenario(inTwo, { cpus: 4, interrupts: { nmi: true, irq: true } }),
      {},
      { signal: AbortSignal.abort() },
    );
    expect(aborted.limit).toBe("interrupted");
  });
});
