import { armv7 } from "@cmodx/armv7";
import { createSimulation } from "@cmodx/core";
import { environments as common, harness } from "@cmodx/vitest";

export { answerOf as answer, brokenBy as allBroken, type FlipOptions as Options } from "@cmodx/vitest";

/** The environments in which things can come between: what cannot be masked is a FIQ here. */
export const environments = common.map(([name, more]) => [name === "NMIs" ? "FIQs" : name, more] as const);

export type State = "a32" | "t32";

/** A 64-byte line; the sites of these tests lie in it. */
export const LINE = armv7().base;

export const simulation = (state: State) => createSimulation({ architecture: armv7({ fetch: state }) });

export const { scenario, check } = harness((state: State) => armv7({ fetch: state }), {
  at: LINE,
  site: "nop:b",
  models: ["a32", "t32"],
});
