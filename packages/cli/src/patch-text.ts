import { colors, type Io } from "./io.js";
import type { PatchJson, SpreadJson } from "./json.js";
import { columns, thousands } from "./text.js";

/** Nanoseconds, in a unit and with digits that suit. */
export const time = (ns: number): string => {
  if (ns < 1e3) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toPrecision(3)} ms` : `${(ns / 1e9).toPrecision(3)} s`;
};

const spread = ({ p50, p99, max }: SpreadJson): string => `${time(p50)} / ${time(p99)} / ${time(max)}`;

/** The table of `cmodx patch`. */
export const patchText = ({ architecture, cost, seed, interrupted, runs }: PatchJson, io: Io): string => {
  const head = [
    "strategy",
    "CPUs",
    "sites",
    "batches",
    "rounds",
    "traps",
    "stops",
    "time",
    "call p50 / p99 / max",
    "longest pause",
    "lost",
  ];
  const rows = runs.map((run) => [
    run.strategy,
    thousands(run.cpus),
    thousands(run.sites),
    thousands(run.batches),
    thousands(run.rounds),
    thousands(run.traps),
    run.stops === 0 ? "0" : `${thousands(run.stops)} (${time(run.stopped)})`,
    time(run.time),
    spread(run.latency),
    spread(run.longestPause),
    `${(100 * run.lost).toFixed(2)} %${run.complete ? "" : "  cut short"}`,
  ]);
  const lines = [
    colors(io.color).bold(`${architecture}, cost model ${cost}, seed ${seed}`),
    ...columns([head, ...rows], TABLE),
    ...runs.flatMap(({ text }) => (text ?? []).map(({ address, bytes }) => `${address} ${bytes}`)),
    ...(interrupted ? ["interrupted: this is what was computed until then"] : []),
  ];
  return `${lines.join("\n")}\n`;
};

/** Rows of the table are not broken where text is. */
const TABLE = 1000;

/** The runs as comma-separated values, their times in nanoseconds. */
export const patchCsv = ({ runs }: PatchJson): string => {
  const head =
    "strategy,cpus,sites,complete,batches,writes,rounds,interrupts,traps,stops,time_ns,stopped_ns,call_p50_ns,call_p99_ns,call_max_ns,pause_p50_ns,pause_p99_ns,pause_max_ns,lost";
  const rows = runs.map(({ latency, longestPause, ...run }) =>
    [
      run.strategy,
      run.cpus,
      run.sites,
      run.complete,
      run.batches,
      run.writes,
      run.rounds,
      run.interrupts,
      run.traps,
      run.stops,
      ...[run.time, run.stopped, latency.p50, latency.p99, latency.max].map(Math.round),
      ...[longestPause.p50, longestPause.p99, longestPause.max].map(Math.round),
      run.lost,
    ].join(","),
  );
  return `${[head, ...rows].join("\n")}\n`;
};
