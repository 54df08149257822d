import { expect, test } from "vitest";
import { type Architecture, differenceOf } from "./axioms/compare.js";
import { PAIRS } from "./axioms/random.js";

/*
 * Loads, stores and atomic accesses of every size, with dependencies and barriers between: random programs have the final states of the
 * axioms of Arm and of RVWMO.
 */

const BATCH = 100;
const batches = (["AArch64", "RISCV"] as const).flatMap((architecture): readonly (readonly [Architecture, number])[] =>
  [0, PAIRS].flatMap((first) =>
    Array.from(
      { length: architecture === "AArch64" ? 5 : 3 },
      (_, batch) => [architecture, first + batch * BATCH] as const,
    ),
  ),
);

test.each(batches)(
  "%s: random programs have the states of the axioms, from seed %i on",
  { timeout: 120_000 },
  (architecture, from) => {
    const differing = Array.from({ length: BATCH }, (_, i) => from + i).flatMap(
      (seed) => differenceOf(seed, architecture) ?? [],
    );
    expect(differing.join("\n")).toBe("");
  },
);
