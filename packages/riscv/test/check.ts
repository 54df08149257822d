import type { Verdict } from "@cmodx/core";
import { fetchModels, riscv } from "@cmodx/riscv";
import { harness } from "@cmodx/vitest";

export { answerOf as answer } from "@cmodx/vitest";

/** A 64-byte line; the sites of these tests lie in it. */
export const LINE = 0xffff_ffff_8020_0000n;

export const profiles = fetchModels.map(({ id }) => id);

export const { scenario, check, answers, everywhere } = harness((fetch: string) => riscv({ fetch }), {
  at: LINE,
  models: profiles,
});

/** Everything that broke in the last step. */
export const brokenIn = (verdict: Verdict): readonly string[] =>
  verdict.verdict === "unsafe" ? verdict.broken.map(({ property }) => property) : [];
