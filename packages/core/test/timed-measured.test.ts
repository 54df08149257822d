import { int3, int3Batch, x86 } from "@cmodx/x86";
import { expect, it } from "vitest";
import {
  type CostModel,
  costPresets,
  type PatchStrategy,
  type TimedCall,
  TimedDriver,
  withCosts,
} from "../src/index.js";

/* Predictions beside public measurements. No parameter is fitted to the row that it is tested on. */

const architecture = x86({});
const preset = (id: string): CostModel => {
  const found = costPresets.find((each) => each.id === id);
  if (found === undefined) throw new Error(`There is a cost model ${id}.`);
  return found;
};

const sites = Array.from({ length: 56 }, (_, i) => ({
  address: architecture.base + BigInt(64 * i),
  old: [0x0f, 0x1f, 0x44, 0x00, 0x00],
  next: [0xe9, 0x00, 0x10, 0x00, 0x00],
}));

const run = (cost: CostModel, strategy: PatchStrategy, calls: Iterable<TimedCall>) => {
  const driver = new TimedDriver({ architecture, cpus: 24, cost, seed: 1, sites: 20_000, patchers: [{ calls }] });
  while (!driver.advance(100_000));
  return { ...driver.result, strategy };
};

// LKML 2018-12-21, "[PATCH V3 8/9] jump_label: Batch updates": 56 sites, 24 CPUs under load; 57 ms one by one, 1.4 ms in one batch.
it("predicts the batched row of 2018 from the unbatched one within 30 %", () => {
  const base = withCosts(preset("small-server"), { maskedPart: 0 }, "a test");
  const singly = (ipiDeliver: number) => {
    const strategy = int3();
    return run(
      withCosts(base, { ipiDeliver }, "fitted"),
      strategy,
      sites.map((site) => ({ strategy, sites: [site] })),
    );
  };
  // The time is linear in what a delivery takes on the loaded machine.
  const [none, some] = [singly(0).time, singly(100_000).time];
  const fitted = ((57e6 - none) / (some - none)) * 100_000;
  const unbatched = singly(fitted);
  expect(unbatched.rounds).toBe(168);
  expect(Math.abs(unbatched.time / 57e6 - 1)).toBeLessThan(0.01);
  const strategy = int3Batch();
  const batched = run(withCosts(base, { ipiDeliver: fitted }, "fitted"), strategy, [{ strategy, sites }]);
  expect(batched.rounds).toBe(3);
  const deviation = batched.time / 1.4e6 - 1;
  console.info(`batched: ${(batched.time / 1e6).toFixed(2)} ms for 1.4 ms, ${(100 * deviation).toFixed(1)} %`);
  expect(Math.abs(deviation)).toBeLessThan(0.3);
});

// Linux commit 4180bf1b655a: 2.5 µs to one other CPU, 93 µs by cluster to 80 vCPUs, from both of which two parameters are fitted; the
// physical mode, one command for each CPU, is predicted.
it("predicts the physical broadcast of 4180bf1b655a", () => {
  const { values } = preset("vm");
  const send = (cpus: number, group: number): number =>
    values.ipiSend.value * Math.ceil(cpus / group) + values.ipiSendEach.value * cpus;
  expect(send(1, 16)).toBeCloseTo(2500, -1);
  expect(send(80, 16)).toBeCloseTo(93_000, -3);
  console.info(`physical: ${(send(80, 1) / 1e3).toFixed(0)} µs for 198 µs`);
  expect(Math.abs(send(80, 1) / 198_000 - 1)).toBeLessThan(0.05);
});

// Documentation/trace/kprobes.rst, x86-64: 0.99 µs by two traps, which is predicted from 0.43 µs by one and 0.06 µs by a jump.
it("predicts a kprobe of two traps from one of one", () => {
  const { trapEntry, trapReturn, probeHandler, probeJump } = preset("small-server").values;
  const trap = trapEntry.value + trapReturn.value;
  expect(trap + probeHandler.value).toBe(430);
  expect(probeJump.value + probeHandler.value).toBe(60);
  const predicted = 2 * trap + probeHandler.value;
  console.info(`two traps: ${predicted} ns for 990 ns, ${(100 * (predicted / 990 - 1)).toFixed(1)} %`);
  expect(Math.abs(predicted / 990 - 1)).toBeLessThan(0.2);
});
