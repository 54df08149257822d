import assert from "node:assert/strict";
import { createSimulation } from "@cmodx/core";
import { fetchModels, x86 } from "@cmodx/x86";
import { behindBreakpoint, firstByteLast } from "./index.js";

/**
 * @param {import("@cmodx/core").PatchStrategy} strategy
 * @param {string} site
 */
const scenario = (strategy, site) => {
  const [old = "", next = ""] = site.split(":");
  return {
    name: `${strategy.id}, ${site}`,
    sites: [{ address: 0xffffffff81000000n, old, new: next }],
    patchers: [{ strategy, sites: [0], flips: 2 }],
    cpus: 3,
  };
};

for (const strategy of [firstByteLast(), behindBreakpoint()]) {
  for (const { id } of fetchModels) {
    const simulation = createSimulation({ architecture: x86({ fetch: id }) });
    for (const site of ["nop5:call", "jmp32:nop5"]) {
      const verdict = await simulation.check(scenario(strategy, site));
      const why = verdict.verdict === "unsafe" ? ` after ${verdict.trace.length} steps: ${verdict.why}` : "";
      console.log(`${strategy.id}, ${id}: ${site} is ${verdict.verdict}${why}`);
      assert.equal(verdict.verdict, strategy.id === "first-byte-last" ? "unsafe" : "safe");
    }
  }
}
