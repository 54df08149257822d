import { type Architecture, type CheckOptions, createSimulation, type Scenario } from "@cmodx/core";
import { verdictText } from "@cmodx/view";
import { expect } from "vitest";

declare module "vitest" {
  interface Matchers<T> {
    /** Every interleaving of the scenario is safe on this architecture, and somebody executed a site while it changed. */
    toBeSafeOn(architecture: Architecture, options?: CheckOptions): Promise<T>;
  }
}

expect.extend({
  async toBeSafeOn(scenario: Scenario, architecture: Architecture, options?: CheckOptions) {
    const simulation = createSimulation({ architecture });
    const verdict = await simulation.check(scenario, options);
    const subject = `${scenario.name} on ${architecture.id}, fetch model ${architecture.fetch.id}`;
    if (verdict.verdict === "safe")
      return { pass: true, message: () => `${subject} is safe: ${verdict.states} states.` };
    // What says nothing passes neither this expectation nor its opposite.
    if (verdict.verdict === "vacuous") return { pass: this.isNot, message: () => `${subject}: ${verdict.reason}` };
    if (verdict.verdict === "inconclusive")
      return { pass: this.isNot, message: () => `${subject} is undecided: ${verdict.limit} ended the search.` };
    return {
      pass: false,
      message: () =>
        `${subject} breaks ${verdict.property} in ${verdict.trace.length} steps.\n${verdictText(simulation.machine(scenario), verdict)}`,
    };
  },
});
