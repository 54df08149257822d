import { armv7 } from "@cmodx/armv7";
import { createSimulation } from "@cmodx/core";
import { harness } from "@cmodx/vitest";

export { answerOf as answer, brokenBy as allBroken, environments, type FlipOptions as Options } from "@cmodx/vitest";

export type State = "a32" | "t32";

/** A 64-byte line; the sites of these tests lie in it. */
export const LINE = armv7().base;

export const simulation = (state: State) => createSimulation({ architecture: armv7({ fetch: state }) });

export const { scenario, check } = harness((state: State) => armv7({ fetch: state }), {
  at: LINE,
  site: "nop:b",
  models: ["a32", "t32"],
});
