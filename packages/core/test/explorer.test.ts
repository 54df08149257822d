import { describe, expect, it } from "vitest";
import { type CheckOptions, countedProperties, createSimulation, eventProperties } from "../src/index.js";
import { naiveCheck } from "./naive.js";
import { toy } from "./toy/architecture.js";
import { randomProtocol } from "./toy/random.js";

/*
 * The explorer against the naive one, on protocols that nobody chose: right and wrong ones, with and without interrupts.
 */

const MOST_STATES = 3000;

/** Ways of searching, all of which must agree with the naive one; only the plain search visits the same states. */
const searches: readonly (CheckOptions & { readonly sameStates: boolean })[] = [
  { reduce: false, sameStates: true },
  { reduce: true, sameStates: false },
];

const compare = async (seed: number): Promise<string> => {
  const { scenario, architecture } = randomProtocol(seed);
  const simulation = createSimulation({ architecture: toy(architecture) });
  const plain = await simulation.check(scenario, { reduce: false, bounds: { states: MOST_STATES } });
  if (plain.verdict === "inconclusive") return "skipped";
  const naive = naiveCheck(simulation.machine(scenario), eventProperties, countedProperties(scenario));
  for (const { sameStates, ...options } of searches) {
    const verdict = await simulation.check(scenario, options);
    const which = `seed ${seed}, ${JSON.stringify(options)}`;
    expect(verdict.verdict, which).toBe(naive.verdict);
    if (verdict.verdict === "unsafe") {
      expect(verdict.trace.length, which).toBe(naive.length);
      expect(naive.properties, which).toContain(verdict.property);
    }
    if (sameStates && naive.verdict === "safe") expect(verdict.states, which).toBe(naive.states);
  }
  return naive.verdict;
};

describe("the explorer agrees with a naive one", () => {
  it("FIND", async () => {
    const counts: Record<string, number> = {};
    const t0 = Date.now();
    for (let seed = Number(process.env["FROM"] ?? 0); seed < Number(process.env["SEEDS"] ?? 100); seed++) {
      try {
        const r = await compare(seed);
        counts[r] = (counts[r] ?? 0) + 1;
      } catch (e) {
        counts["FAIL"] = (counts["FAIL"] ?? 0) + 1;
        console.log(seed, (e as Error).message.split("\n").slice(0,4).join(" | "), (e as Error).stack?.split("\n").slice(1,4).join("|"));
      }
    }
    console.log(counts, Date.now() - t0);
  }, 600000);
});
