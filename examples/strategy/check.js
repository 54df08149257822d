import { createSimulation } from "@cmodx/core";
import { fetchModels, x86 } from "@cmodx/x86";
import { firstByteLast } from "./index.js";

/** @param {string} old @param {string} next */
const scenario = (old, next) => ({
  name: `first-byte-last, ${old} to ${next}`,
  sites: [{ address: 0xffffffff81000000n, old, new: next }],
  patchers: [{ strategy: firstByteLast(), sites: [0], flips: 2 }],
  cpus: 3,
});

for (const { id } of fetchModels) {
  const simulation = createSimulation({ architecture: x86({ fetch: id }) });
  for (const [old, next] of [
    ["nop5", "call"],
    ["xor5rax", "nop5"],
  ]) {
    const verdict = await simulation.check(scenario(old, next));
    const why = verdict.verdict === "unsafe" ? ` after ${verdict.trace.length} steps: ${verdict.why}` : "";
    console.log(`${id}: ${old} to ${next} is ${verdict.verdict}${why}`);
  }
}
