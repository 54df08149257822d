// Patch calls timed by events: CPU time of three sizes in one run, and the ratios that tell whether it grows with them.
import { costPresets, TimedDriver } from "@cmodx/core";
import { int3Batch, x86 } from "@cmodx/x86";

const architecture = x86({});
const strategy = int3Batch();

/** Seconds of CPU for so many sites on so many CPUs. */
const secondsOf = (count, cpus) => {
  const sites = Array.from({ length: count }, (_, i) => ({
    address: architecture.base + BigInt(64 * i),
    old: [0x0f, 0x1f, 0x44, 0x00, 0x00],
    next: [0xe8, 0x00, 0x10, 0x00, 0x00],
  }));
  const began = process.cpuUsage();
  const calls = [{ strategy, sites }];
  const driver = new TimedDriver({ architecture, cpus, cost: costPresets[0], seed: 0, patchers: [{ calls }] });
  while (!driver.advance(1_000_000));
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
};

const rowOf = (what, sizes, of) => {
  const seconds = sizes.map(of);
  const ratios = seconds.slice(1).map((each, i) => `×${(each / seconds[i]).toFixed(2)}`);
  console.log(
    `${what}: ${sizes.map((size, i) => `${size} ${seconds[i].toFixed(2)} s`).join(", ")}; each step doubles: ${ratios.join(", ")}`,
  );
};

/** `npm run bench -- patch`. */
export const benchPatch = async () => {
  secondsOf(2000, 64);
  rowOf("sites, int3-batch on 64 CPUs", [10_000, 20_000, 40_000], (count) => secondsOf(count, 64));
  rowOf("CPUs, int3-batch at 20,000 sites", [1024, 2048, 4096], (cpus) => secondsOf(20_000, cpus));
};
