import type { Measurements } from "./measurements.js";

const BATCHES = 'LKML 2018-12-21, "[PATCH V3 8/9] jump_label: Batch updates"';
const IPIS = "Linux commit 4180bf1b655a, totals of 100,000 sends";
const PROBES = "Documentation/trace/kprobes.rst, x86-64";

/** Public measurements. Each set is fitted on some rows, and predicts those that are held back. */
export const publicMeasurements: readonly Measurements[] = [
  {
    name: "jump labels, 56 sites on 24 loaded CPUs",
    arch: "x86",
    // What interrupts wait for on a loaded machine is in what is fitted.
    parameters: { maskedPart: 0 },
    fit: ["ipiDeliver"],
    rows: [
      { name: "one by one", source: BATCHES, strategy: "int3", sites: 56, cpus: 24, among: 20_000, time: 57e6 },
      {
        name: "in one batch",
        source: BATCHES,
        strategy: "int3-batch",
        sites: 56,
        cpus: 24,
        among: 20_000,
        time: 1.4e6,
        held: true,
      },
    ],
  },
  {
    name: "interrupts between vCPUs",
    base: "vm",
    fit: ["ipiSend", "ipiSendEach"],
    rows: [
      { name: "to one other CPU", source: IPIS, costs: { ipiSend: 1, ipiSendEach: 1 }, time: 2500 },
      { name: "to 80, by cluster", source: IPIS, costs: { ipiSend: 5, ipiSendEach: 80 }, time: 93_000 },
      { name: "to 80, physical", source: IPIS, costs: { ipiSend: 80, ipiSendEach: 80 }, time: 198_000, held: true },
    ],
  },
  {
    name: "hits of a kprobe",
    fit: ["trapEntry", "probeJump"],
    rows: [
      { name: "one trap", source: PROBES, costs: { trapEntry: 1, trapReturn: 1, probeHandler: 1 }, time: 430 },
      { name: "jump", source: PROBES, costs: { probeJump: 1, probeHandler: 1 }, time: 60 },
      {
        name: "two traps",
        source: PROBES,
        costs: { trapEntry: 2, trapReturn: 2, probeHandler: 1 },
        time: 990,
        held: true,
      },
    ],
  },
];
