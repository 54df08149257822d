import { createSimulation, initialView, type Scenario, walk } from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import {
  chromeTrace,
  ctf,
  eventTypes,
  perfRecording,
  readPerfData,
  readTraceDat,
  recordingOf,
  runEvents,
  traceDat,
} from "../src/index.js";
import { readCtf } from "./ctf.js";
import { bytesOf, fixture, run } from "./run.js";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The run that the fixtures are of. */
const stored = () => {
  const architecture = x86({});
  const scenario: Scenario = {
    name: "int3",
    sites: [{ address: architecture.base, old: "nop5", new: "call" }],
    patchers: [{ strategy: int3({ events: true }), sites: [0], flips: 2 }],
    cpus: 2,
    interrupts: { irq: true, nmi: true },
    preempt: true,
  };
  const machine = createSimulation({ architecture }).machine(scenario);
  const about = { title: "int3 on x86, intel, seed 7", architecture: "x86", initial: initialView(machine) };
  return recordingOf(machine, walk(machine, { seed: 7 }), about);
};

const recording = stored();

describe("a run in every format is the stored one, byte for byte", () => {
  it("trace.dat", () => expect(traceDat(recording)).toEqual(fixture("run.dat")));
  it("Chrome's", () => expect(chromeTrace(recording)).toBe(text(fixture("run.json"))));
  it("CTF", () => {
    for (const [name, bytes] of ctf(recording)) expect(bytes, name).toEqual(fixture(`run.ctf/${name}`));
  });
  it("perf's", () => {
    for (const file of perfRecording(recording).files)
      expect(bytesOf(file), file.path).toEqual(fixture(`run.perf/${file.path}`));
  });
});

describe("what was written is read back", () => {
  const events = runEvents(recording);
  const told = events.map(({ time, cpu, type, values }) => ({ time, cpu, name: type.name, values }));

  it("from trace.dat: every event at its time, on its CPU, with its values, in the order of the steps", () => {
    const read = readTraceDat(traceDat(recording), "run.dat");
    expect(read.lost).toEqual([]);
    expect(read.clock).toBe("global");
    expect(read.types).toEqual(eventTypes.map(({ name }) => `cmodx:${name}`));
    const numbers = (values: object) =>
      Object.fromEntries(Object.entries(values).map(([k, v]) => [k, typeof v === "number" ? BigInt(v) : v]));
    expect(read.events.map(({ time, cpu, name, values }) => ({ time, cpu, name, values }))).toEqual(
      told.map((event) => ({ ...event, values: numbers(event.values) })),
    );
    expect(read.events.map(({ pid, task }) => `${task}-${pid}`)).toEqual(
      events.map(({ task }) => (task.pid === 0 ? "<idle>-0" : `${task.name}-${task.pid}`)),
    );
  });

  it("from CTF", () => {
    const read = readCtf(ctf(recording));
    expect(read).toEqual(told);
  });

  it("from Chrome's", () => {
    const { traceEvents } = JSON.parse(chromeTrace(recording)) as {
      readonly traceEvents: readonly {
        readonly ph: string;
        readonly ts: number;
        readonly tid: number;
        readonly name: string;
      }[];
    };
    const instants = traceEvents.filter(({ ph }) => ph === "i");
    expect(instants.map(({ ts, tid, name }) => [Math.round(ts * 1000), tid, name])).toEqual(
      told.map(({ time, cpu, name }) => [Number(time), cpu, name]),
    );
  });

  it("from perf.data: one record for each event that was published", () => {
    const data = perfRecording(recording).files.find(({ path }) => path === "data");
    const { textPokes } = readPerfData(bytesOf(data as NonNullable<typeof data>), "data");
    const published = events.filter(({ type }) => type.name === "text_poke_event");
    expect(published).toHaveLength(2);
    expect(textPokes.map(({ time, cpu, address, old, next }) => ({ time, cpu, address, old, next }))).toEqual(
      published.map(({ time, cpu, values }) => ({
        time,
        cpu,
        address: values.address,
        old: values.old,
        next: values.new,
      })),
    );
  });
});

describe("a recording", () => {
  it("has one clock: each step is later than the one before, on whatever CPU", () => {
    const times = recording.steps.map(({ time }) => time);
    expect(times.every((time, i) => i === 0 || time > (times[i - 1] as bigint))).toBe(true);
    expect(new Set(recording.steps.map(({ cpu }) => cpu)).size).toBe(2);
  });

  it("follows tasks from CPU to CPU", () => {
    const { steps } = run({ seed: 3, outside: true });
    const off = steps.filter(({ rule }) => rule === "preempt");
    const on = steps.filter(({ rule }) => rule === "resume");
    expect(off.length).toBeGreaterThan(4);
    for (const { task } of off) expect(task.pid).not.toBe(0);
    for (const { task } of on) expect(task).toEqual({ pid: 0, name: expect.stringMatching(/^swapper/) });
    // Who goes on is one of those that were taken off before.
    const waiting: number[] = [];
    for (const [i, { rule, cpu, task }] of steps.entries()) {
      if (rule === "preempt") waiting.push(task.pid);
      if (rule !== "resume") continue;
      const next = steps.slice(i + 1).find((step) => step.cpu === cpu);
      expect(waiting).toContain(next?.task.pid);
      waiting.splice(waiting.indexOf(next?.task.pid ?? 0), 1);
    }
  });

  it("of the same seed is the same, of another seed another", () => {
    expect(traceDat(run({ seed: 5 }))).toEqual(traceDat(run({ seed: 5 })));
    expect(traceDat(run({ seed: 5 }))).not.toEqual(traceDat(run({ seed: 6 })));
  });
});
