import { createSimulation, type PatchStrategy, type Telling } from "@cmodx/core";
import { int3Of2010, nmiRedoOf2008, selfJump, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { resumeAtRule, savedIpRule, waitNmisRule } from "../../src/strategies/operations.js";
import { answer, scenario } from "../protocols/check.js";

/** Strategies that bring operations of their own, or use what only few do: broken and whole ones. */
const cases: readonly (readonly [string, PatchStrategy])[] = [
  ["a fix-up", int3Of2010()],
  ["a fix-up that goes too early", int3Of2010({ clearEarly: true })],
  ["a redo buffer", nmiRedoOf2008()],
  ["a redo buffer that waits", nmiRedoOf2008({ waitForNmis: "with-flag", syncInNmi: true })],
  ["NMIs off", nmiRedoOf2008({ disableNmi: true })],
  ["a guard", selfJump({ syncs: true })],
];

describe("operations of the strategies", () => {
  it.each(cases)("touch no more than they declare, and answer the same without reductions: %s", async (_, strategy) => {
    for (const fetch of ["intel-otc", "coherent"]) {
      const { check } = createSimulation({ architecture: x86({ fetch }), development: true });
      const site = strategy.defaultSite as string;
      const asked = scenario(strategy, { site, interrupts: { nmi: true }, patcher: { flips: 1 } });
      const [reduced, full] = [await check(asked, { beyond: 0 }), await check(asked, { reduce: false, beyond: 0 })];
      expect(answer(reduced), fetch).toBe(answer(full));
    }
  });

  it("say in a timeline what they do", () => {
    const place = { place: (address: bigint): string => `<${address}>` } as Telling;
    expect(savedIpRule.says?.["saved-ip"]?.({ ip: 1n }, place)).toBe("reads the saved instruction pointer, <1>");
    expect(resumeAtRule.says?.["resume-at"]?.({ address: 5n }, place)).toBe(
      "sets the saved instruction pointer to <5>",
    );
    expect(waitNmisRule.says?.["wait-nmis"]?.({}, place)).toBe("sees no CPU in an NMI handler");
    expect(waitNmisRule.says?.["wait-nmis"]?.({ word: "flag" }, place)).toBe(
      "sees no CPU in an NMI handler, and sets flag",
    );
  });
});
