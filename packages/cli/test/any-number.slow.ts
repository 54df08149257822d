import { expect, it } from "vitest";
import { requestsOf } from "../src/ask.js";
import { loadCatalogue } from "../src/catalogue.js";
import { subjectOf } from "../src/subject.js";

/** Reasons why it is not known of strategies here. */
const REASONS = [
  /^The rule queueStop asks how many CPUs there are\.$/,
  /^The strategy (stop-machine|event-switch) asks how many CPUs there are, and plans for as many\.$/,
];

it.each([
  ["x86", 7],
  ["arm64", 6],
  ["armv7", 5],
  ["riscv", 1],
])("%s: what is said of any number of CPUs is said of 2, 3 and 4", async (architecture, least) => {
  const catalogue = await loadCatalogue([], ".");
  for (const environment of [{}, { irq: true }, { nmi: true }]) {
    let known = 0;
    for (const { id: strategy } of catalogue.strategiesFor(architecture)) {
      const asked = { arch: architecture, strategy, flips: 1, ...environment };
      const [request] = await requestsOf(asked, catalogue, ".");
      if (request === undefined) throw new Error("One site is asked about.");
      const { simulation, scenario } = await subjectOf(request, catalogue, ".");
      const about = `${strategy} ${Object.keys(environment)}`;
      const { verdict, numbers } = await simulation.check(scenario, { cpus: "any" });
      const fewer = await simulation.check({ ...scenario, cpus: numbers?.to ?? 0 });
      expect(fewer.verdict, about).toBe(verdict === "inconclusive" ? "safe" : verdict);
      if (verdict === "unsafe") continue;
      expect(numbers, about).toMatchObject({ from: 2, to: 3 });
      if (numbers?.beyond === true) {
        known++;
        expect((await simulation.check({ ...scenario, cpus: 4 })).verdict, about).toBe(verdict);
      } else {
        expect(
          REASONS.some((reason) => reason.test(numbers?.why ?? "")),
          `${about}: ${numbers?.why}`,
        ).toBe(true);
      }
    }
    expect(known, Object.keys(environment).join()).toBeGreaterThanOrEqual(least);
  }
});
