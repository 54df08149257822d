import type { PropertyId, Verdict } from "@cmodx/core";

/** A verdict in a word, with the first property that broke: `safe`, `vacuous`, `inconclusive`, `unsafe: done`. */
export const answerOf = (verdict: Verdict): string =>
  verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;

/** All properties that broke, in the last step of the counterexample or on other ways. */
export const brokenBy = (verdict: Verdict): readonly PropertyId[] =>
  verdict.verdict === "unsafe" ? [...verdict.broken.map(({ property }) => property), ...verdict.alsoBroken] : [];
