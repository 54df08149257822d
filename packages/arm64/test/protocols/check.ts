import { type Arm64Options, arm64 } from "@cmodx/arm64";
import { createSimulation, type PatchStrategy } from "@cmodx/core";
import { answerOf, harness } from "@cmodx/vitest";
import { expect } from "vitest";

export { answerOf as answer, brokenBy as allBroken, environments, type FlipOptions as Options } from "@cmodx/vitest";

/** Where the sites of these tests lie. */
export const AT = arm64().base;

/** The cache types that the architecture knows, the weakest first. */
export const cacheTypes = ["none", "idc", "idc+dic"] as const;

/** All fetch models, that of the erratum among them. */
export const profiles = arm64().fetchModels.map(({ id }) => id);

export const { scenario, check, answers, everywhere } = harness(
  (fetch: string | Arm64Options) => arm64(typeof fetch === "string" ? { fetch } : fetch),
  { at: AT, models: profiles },
);

/** A strategy touches no more than it declares, and is judged the same without reductions. */
export const expectSameWithoutReductions = async (strategy: PatchStrategy): Promise<void> => {
  for (const fetch of ["none", "idc+dic"]) {
    const simulation = createSimulation({ architecture: arm64({ fetch }), development: true });
    const asked = scenario(strategy, { interrupts: { irq: true }, patcher: { flips: 1 } });
    const [reduced, full] = [await simulation.check(asked), await simulation.check(asked, { reduce: false })];
    expect(answerOf(reduced), `${strategy.id} ${fetch}`).toBe(answerOf(full));
  }
};
