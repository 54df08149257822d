import { createSimulation, lineIds, type Scenario } from "@cmodx/core";
import { describe, expect, test } from "vitest";
import { siteFromText } from "../src/ask.js";
import { create, defaultSiteOf, loadCatalogue } from "../src/catalogue.js";
import { isInputError } from "../src/errors.js";
import { folder } from "./harness.js";

const catalogue = await loadCatalogue([], folder());

/** States of each check: enough for a trap and its handler. */
const STATES = 400;

describe("without any one step a strategy is checked, or refused in a sentence", () => {
  const all = [...catalogue.architectures.keys()].flatMap((id) =>
    catalogue.strategiesFor(id).map((strategy) => [id, strategy.id] as const),
  );
  test.each(all)("%s %s", async (id, name) => {
    const strategy = catalogue.strategy(name, id);
    const architecture = create(catalogue.architecture(id), undefined);
    const text = defaultSiteOf(strategy, architecture) ?? "";
    const site = { ...siteFromText(text, architecture.base), address: architecture.base };
    const simulation = createSimulation({ architecture });
    const scenario = (flips: number, drop: readonly string[]): Scenario => ({
      name,
      sites: [site],
      patchers: [{ strategy, sites: [0], flips, drop }],
      cpus: 2,
    });
    const whole = simulation.machine(scenario(1, []));
    const ids = whole.layout.plans
      .flat()
      .flatMap(({ main, traps = {} }) => lineIds([...main, ...Object.values(traps).flat()]));
    expect(ids.length).toBeGreaterThan(0);
    for (const dropped of new Set(ids)) {
      try {
        const verdict = await simulation.check(scenario(1, [dropped]), { bounds: { states: STATES }, beyond: 0 });
        expect(["safe", "unsafe", "vacuous", "inconclusive"]).toContain(verdict.verdict);
        simulation.simulate(scenario(1, [dropped]));
      } catch (error) {
        if (!isInputError(error)) throw new Error(`Without ${dropped}: ${error}`, { cause: error });
      }
    }
  });
});
