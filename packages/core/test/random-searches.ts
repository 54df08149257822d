import { describe, expect, it } from "vitest";
import { running } from "../src/contract/state.js";
import {
  type CheckOptions,
  countedProperties,
  createSimulation,
  eventProperties,
  type Machine,
  type Scenario,
  type SiteOutcome,
  type Verdict,
} from "../src/index.js";
import { naiveCheck, type Visited, visit } from "./naive.js";
import { type ToyOptions, toy } from "./toy/architecture.js";
import { randomProtocol } from "./toy/random.js";

/** Random protocols come in batches, so that a failure names few and a slow machine shows where it is: these many from each seed on. */
const BATCH = { naive: 20, stubborn: 40, outcomes: 15 } as const;

/** In sets every state is looked at; protocols of which a plain search sees more than these many have too many. */
const SETS = 3000;

const seedsFrom = (first: number, size: number): readonly number[] => Array.from({ length: size }, (_, i) => first + i);

/** Ways of searching. Each must agree with the naive explorer; only the plain one visits the same states. */
const searches: readonly CheckOptions[] = [
  { reduce: false },
  { reduce: true },
  { singly: 0 },
  { reduce: { urgent: true } },
  { reduce: { symmetry: true } },
  { reduce: { stubborn: true } },
  { reduce: { symmetry: true, stubborn: true } },
];

/**
 * Compares every way of searching with the naive one, and answers what they say. Stubborn sets are for what single steps break, so all
 * is asked twice: with and without `progress`.
 */
export const compare = async (
  of: Scenario,
  architecture: ToyOptions,
  name: string,
  states?: number,
): Promise<string> => {
  const simulation = createSimulation({ architecture: toy(architecture) });
  const bounds = states === undefined ? {} : { states };
  const plain = await simulation.check(of, { reduce: false, bounds });
  if (plain.verdict === "inconclusive") return "skipped";
  const naive = naiveCheck(simulation.machine(of), eventProperties, countedProperties(of));
  const onlyProgress = naive.properties.has("progress");
  let byOne = 0;
  for (const options of searches) {
    // Sets hold every state that can be reached, however far behind the first violation.
    if (options.singly !== undefined && byOne > SETS) continue;
    const safety = { ...of, ignore: [...(of.ignore ?? []), "progress" as const] };
    for (const asked of typeof options.reduce === "object" ? [safety] : [of, safety]) {
      const verdict = await simulation.check(asked, options);
      if (options.reduce === false) byOne = Math.max(byOne, verdict.states);
      const which = `${name}, ${JSON.stringify(options)}, without ${asked.ignore}`;
      // The naive search does not look for cycles.
      if (verdict.verdict === "unsafe" && verdict.loop !== undefined)
        expect(plain, which).toMatchObject({ loop: verdict.loop });
      else
        expect(nothingBroke(verdict) ? "safe" : verdict.verdict, which).toBe(
          asked !== of && onlyProgress ? "safe" : naive.verdict,
        );
      if (verdict.verdict === "unsafe" && verdict.loop === undefined) {
        expect(verdict.trace.length, `length, ${which}`).toBe(naive.length);
        expect(verdict.shortest, which).toBe(true);
        for (const { property } of verdict.broken) expect(naive.properties, which).toContain(property);
      } else if (options.reduce === false) {
        expect(verdict.states, which).toBe(naive.states);
      }
    }
  }
  return naive.verdict;
};

/** The naive search does not ask whether anything could have broken. */
const nothingBroke = ({ verdict }: Verdict): boolean => verdict === "safe" || verdict === "vacuous";

/** Every way of searching agrees with the naive one. */
export const agreeWithNaive = (from: readonly number[]) =>
  describe("every search agrees with a naive one about protocols that nobody chose", () => {
    const answers = new Map<string, number>();

    it.each(from)("from seed %i on", async (first) => {
      for (const seed of seedsFrom(first, BATCH.naive)) {
        const { scenario, architecture } = randomProtocol(seed);
        const found = await compare(scenario, architecture, `seed ${seed}`, 1000);
        answers.set(found, (answers.get(found) ?? 0) + 1);
      }
    });

    it("and many of them are right, many wrong", () => {
      expect(answers.get("safe")).toBeGreaterThan(from.length);
      expect(answers.get("unsafe")).toBeGreaterThan(6 * from.length);
    });
  });

/** Everything that breaks on some way: the search goes on to the end of what can be reached without breaking anything. */
const whole: CheckOptions = { beyond: Number.MAX_SAFE_INTEGER, shortest: false };

const answered = (verdict: Verdict) => ({
  broken:
    verdict.verdict === "unsafe"
      ? [...new Set([...verdict.broken.map(({ property }) => property), ...verdict.alsoBroken])].sort()
      : verdict.verdict,
  notPromised: verdict.notPromised,
  unused: verdict.unused,
  notJudged: verdict.notJudged,
  notExecuted: verdict.notExecuted,
});

/** Searches with stubborn sets show what those without show. */
export const stubbornSetsAgree = (from: readonly number[]) =>
  describe("stubborn sets leave out states, and nothing that they show", () => {
    const STATES = 8000;
    const seen = { less: 0, unsafe: 0, safe: 0 };

    it.each(from)("from seed %i on", async (first) => {
      for (const seed of seedsFrom(first, BATCH.stubborn)) {
        const { scenario, architecture } = randomProtocol(seed);
        const of: Scenario = { ...scenario, cpus: scenario.cpus + 1, ignore: ["progress"] };
        const { check } = createSimulation({ architecture: toy(architecture) });
        const bounds = { states: STATES };
        const all = await check(of, { ...whole, bounds, reduce: { urgent: true, symmetry: true } });
        if (all.states > STATES) continue;
        const fewer = await check(of, { ...whole, bounds, reduce: true });
        expect(answered(fewer), `seed ${seed}`).toEqual(answered(all));
        const sets = await check(of, { ...whole, singly: 0 });
        expect(answered(sets), `seed ${seed}, in sets`).toEqual(answered(all));
        if (fewer.states < all.states) seen.less++;
        if (all.verdict === "unsafe") seen.unsafe++;
        else seen.safe++;
      }
    });

    it("in many protocols, right and wrong ones", () => {
      expect(seen.less).toBeGreaterThan(6 * from.length);
      expect(seen.safe).toBeGreaterThan(5 * from.length);
      expect(seen.unsafe).toBeGreaterThan(5 * from.length);
    });
  });

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

/** A listing of outcomes is the naive one's. */
export const outcomesAgree = (from: readonly number[]) =>
  describe("every outcome, and no other, is listed for every CPU of protocols that nobody chose", () => {
    let violations = 0;
    let emulations = 0;

    it.each(from)("from seed %i on", async (first) => {
      for (const seed of seedsFrom(first, BATCH.outcomes)) {
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
      expect(violations).toBeGreaterThan(5 * from.length);
      expect(emulations).toBeGreaterThan(from.length);
    });
  });
