import { createSimulation, type Scenario } from "@cmodx/core";
import { fetchModels, x86 } from "@cmodx/x86";
import { describe, expect, test } from "vitest";
import { firstByteLast } from "../index.js";

const scenario: Scenario = {
  name: "first-byte-last",
  sites: [{ address: 0xffffffff81000000n, old: "nop5", new: "call" }],
  patchers: [{ strategy: firstByteLast(), sites: [0], flips: 2 }],
  cpus: 2,
};

describe("a strategy from another package", () => {
  test.each(fetchModels.map(({ id }) => id))(
    "is judged under %s: a CPU runs the old first byte with a new tail",
    async (fetch) => {
      const verdict = await createSimulation({ architecture: x86({ fetch }), development: true }).check(scenario);
      expect(verdict.verdict).toBe("unsafe");
      if (verdict.verdict !== "unsafe") return;
      const last = verdict.trace.at(-1)?.observed.find(({ what }) => what === "execute");
      expect(last?.detail).toMatchObject({ matched: [] });
      expect(last?.detail.bytes).toMatch(/^0f/);
    },
  );
});
