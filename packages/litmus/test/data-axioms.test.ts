import { expect, test } from "vitest";
import { differenceOf } from "./axioms/compare.js";

/*
 * Some of the random programs of data-axioms.slow.ts: those that once told a wrong rule from a right one, and a few that were not chosen.
 */

test.each([
  ["AArch64", [145, 245]],
  ["AArch64", [2, 3, 5, 7, 11, 13, 17, 19]],
  ["AArch64", [10_000, 10_001, 10_002, 10_003, 10_004, 10_005]],
  ["RISCV", [2, 3, 5, 7, 11, 13, 17, 19]],
  ["RISCV", [10_000, 10_001, 10_002, 10_003, 10_004, 10_005]],
] as const)("%s: random programs have the states of the axioms, %j", (architecture, seeds) => {
  expect(seeds.flatMap((seed) => differenceOf(seed, architecture) ?? []).join("\n")).toBe("");
});
