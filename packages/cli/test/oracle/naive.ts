import { describe, expect, it } from "vitest";
import { compareWithNaive } from "../../../../tooling/oracle/compare.js";
import { type ArchitectureId, architectures, randomScenario } from "../../../../tooling/oracle/scenarios.js";

const ids = Object.keys(architectures) as readonly ArchitectureId[];

/** Seeds come in batches, so that a failure names few and a slow machine shows where it is. */
const BATCH = 50;

/**
 * The explorer and a naive search agree about scenarios that nobody chose: the first so many seeds of each architecture. Those with more
 * than `states` states are left out; at least `compared` are left in all.
 */
export const explorerAgrees = (seeds: number, states: number, compared: number): void => {
  const answers = new Map<string, number>();
  const count = (answer: string): number => answers.get(answer) ?? 0;

  describe.each(ids)("the explorer agrees with a naive search about scenarios of %s that nobody chose", (id) => {
    const from = Array.from({ length: Math.ceil(seeds / BATCH) }, (_, i) => i * BATCH);
    it.each(from)("from seed %i on", { timeout: 1_200_000 }, async (first) => {
      for (let seed = first; seed < Math.min(first + BATCH, seeds); seed++) {
        const drawn = randomScenario(id, seed);
        const found = drawn === undefined ? undefined : await compareWithNaive(drawn, states);
        if (found === undefined) continue;
        expect(found.differences, `seed ${seed}: ${drawn?.words}`).toEqual([]);
        for (const key of ["all", found.answer]) answers.set(key, count(key) + 1);
      }
    });
  });

  it("and many of them are right, and many wrong for many reasons", () => {
    expect(count("all")).toBeGreaterThanOrEqual(compared);
    expect(count("safe")).toBeGreaterThan(compared / 5);
    for (const property of ["old-or-new", "done", "trap-owned", "progress"])
      expect(count(`unsafe: ${property}`), property).toBeGreaterThan(compared / 100);
  });
};
