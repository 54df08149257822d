import { expect, it } from "vitest";
import { add, createSimulation, sendIpi, waitIpi } from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { scenario, site, strategy } from "./toy/scenario.js";

it("views end where programs count CPUs without an end, and tell nothing", async () => {
  const counts = strategy(() => [sendIpi("call", [add("count", "n", 1)]), waitIpi("called", "call")], {
    program: () => ({ words: { n: 0 } }),
  });
  const of = scenario(counts, { sites: [site("nop", "ret")], executors: [], ignore: ["progress"] });
  expect(await createSimulation({ architecture: toy() }).check(of, { cpus: "any" })).toMatchObject({
    verdict: "inconclusive",
    limit: "cpus",
    numbers: { from: 2, to: 3, beyond: false, why: expect.stringMatching(/^The programs count/) },
  });
});
