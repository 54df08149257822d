import { harness } from "@cmodx/vitest";
import { fetchModels, x86 } from "@cmodx/x86";

export { answerOf as answer, brokenBy as allBroken, environments, type FlipOptions as Options } from "@cmodx/vitest";

/** A 64-byte line; the sites of these tests lie in it. */
export const LINE = 0xffff_ffff_8100_0000n;

/** Offset in the line from which five bytes reach into the next. */
export const CROSSING = 0x3e;

export const profiles = fetchModels.map(({ id }) => id);

export const { scenario, check, answers } = harness((fetch: string) => x86({ fetch }), {
  at: LINE,
  site: "nop5:call",
  models: profiles,
});
