import { describe, expect, it } from "vitest";
import { onlyInLess, pairsOf } from "../../../../tooling/oracle/metamorphic.js";
import { type ArchitectureId, architectures, randomScenario } from "../../../../tooling/oracle/scenarios.js";

const ids = Object.keys(architectures) as readonly ArchitectureId[];

const BATCH = 50;

/**
 * Who can do more breaks no less: more CPUs, interrupts, preemption, a weaker fetch model, a synchronisation fewer never make what is
 * unsafe safe. `states`: more than that are not looked at in the scenario that can do less; `compared`: pairs that are left at least.
 */
export const moreBreaksNoLess = (seeds: number, states: number, compared: number): void => {
  const kinds = new Map<string, number>();

  describe.each(ids)("who can do more breaks no less, on %s", (id) => {
    const from = Array.from({ length: Math.ceil(seeds / BATCH) }, (_, i) => i * BATCH);
    it.each(from)("from seed %i on", { timeout: 1_200_000 }, async (first) => {
      for (let seed = first; seed < Math.min(first + BATCH, seeds); seed++) {
        const drawn = randomScenario(id, seed);
        for (const pair of drawn === undefined ? [] : pairsOf(id, drawn, seed)) {
          const lost = await onlyInLess(pair, states);
          if (lost === undefined) continue;
          expect(lost, `seed ${seed}, ${pair.what}: ${drawn?.words}`).toEqual([]);
          kinds.set(pair.kind, (kinds.get(pair.kind) ?? 0) + 1);
        }
      }
    });
  });

  it("in many pairs of every kind", () => {
    for (const kind of ["IRQs", "NMIs", "preemption", "one CPU more", "weaker fetch model", "synchronisation left out"])
      expect(kinds.get(kind) ?? 0, kind).toBeGreaterThanOrEqual(compared);
  });
};
