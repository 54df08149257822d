import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createSimulation, initialView, type Scenario } from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import { afterAll, describe, expect, it } from "vitest";
import { perfRecording, type Recording, recordingOf } from "../src/index.js";
import { places, withEventAfter } from "./events.js";
import { bytesOf, fixtures, run } from "./run.js";

/*
 * The tools of Debian read what is recorded. `npm run test:record` has them.
 */

const scratch = mkdtempSync(join(tmpdir(), "cmodx-record-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What a command prints on either stream. */
const printed = (command: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: fixtures, encoding: "utf8", maxBuffer: 2 ** 28 });
  return `${stdout}${stderr}${status === 0 ? "" : `exit ${status}`}`;
};

describe("the commands print the stored texts", () => {
  it.each([
    ["run.report.txt", "trace-cmd report -i run.dat"],
    ["run.text-poke.txt", "perf script -i run.perf --show-text-poke-events --no-itrace"],
    ["run.brstackinsn.txt", "perf script -i run.perf --no-itrace -F tid,time,event,ip,sym,brstackinsn"],
    ["run.branches.txt", "perf script -i run.perf --itrace=be -F cpu,event,ip,addr"],
    ["run.babeltrace.txt", "babeltrace2 run.ctf"],
  ])("%s", (file, line) => {
    const [command = "", ...args] = line.split(" ");
    expect(printed(command, ...args)).toBe(readFileSync(join(fixtures, file), "utf8"));
  });
});

/** What perf makes of the branches of a run. */
const decoded = (recording: Recording) => {
  const { files, branches } = perfRecording(recording);
  const folder = join(scratch, "perf");
  rmSync(folder, { recursive: true, force: true });
  for (const file of files) {
    mkdirSync(dirname(join(folder, file.path)), { recursive: true });
    writeFileSync(join(folder, file.path), bytesOf(file));
  }
  const lines = printed("perf", "script", "-i", folder, "--itrace=be", "-F", "cpu,event,ip,addr").split("\n");
  const errors = lines.filter((line) => line.includes("error")).length;
  const seen: string[][] = branches.map(() => []);
  for (const line of lines) {
    const [, cpu, from, to] = /^\s*\[(\d+)\].*?([0-9a-f]+) => +([0-9a-f]+)/.exec(line) ?? [];
    // Where tracing begins and ends a side is 0.
    if (from !== "0" && to !== "0") seen[Number(cpu)]?.push(`${from} ${to}`);
  }
  const taken = branches.map((list) => list.map(({ from, to }) => `${from.toString(16)} ${to.toString(16)}`));
  return { errors, seen, taken, same: errors === 0 && JSON.stringify(seen) === JSON.stringify(taken) };
};

const seeds = (count: number): readonly number[] => Array.from({ length: count }, (_, seed) => seed);

describe("perf decodes Intel PT across changes of code", () => {
  it("exactly, for 60 seeds, and for none of them without the text-poke records", () => {
    for (const seed of seeds(60)) {
      const { errors, seen, taken } = decoded(run({ seed }));
      expect({ seed, errors, seen }).toEqual({ seed, errors: 0, seen: taken });
    }
    for (const seed of seeds(60)) expect(decoded(run({ seed, strategy: int3() })).same, `seed ${seed}`).toBe(false);
  });

  it("with interrupts, NMIs and tasks that move, for 30 seeds", () => {
    for (const seed of seeds(30)) {
      const { errors, seen, taken } = decoded(run({ seed, outside: true }));
      expect({ seed, errors, seen }).toEqual({ seed, errors: 0, seen: taken });
    }
  });

  it("of 5,000 changes in one file", () => {
    const { errors, same, seen } = decoded(run({ seed: 1, flips: 5000, outside: true }));
    expect({ errors, same }).toEqual({ errors: 0, same: true });
    expect(seen.flat().length).toBeGreaterThan(100_000);
  });
});

describe("perf decodes every run if and only if `trace`, with a decoder of packets, is safe", () => {
  it.each(places)("int3 with its event after %s", async (step) => {
    const strategy = withEventAfter(step);
    const architecture = x86({ fetch: "coherent" });
    const { verdict } = await createSimulation({ architecture }).check({
      name: "event",
      sites: [{ address: architecture.base, old: "nop5", new: "call" }],
      patchers: [{ strategy, sites: [0], flips: 2 }],
      cpus: 3,
      decoder: "packets",
      properties: ["trace"],
    });
    const results = seeds(20).map((seed) => decoded(run({ seed, strategy, fetch: "coherent", flips: 4 })).same);
    expect({ step, verdict, follows: results.every(Boolean) }).toEqual({
      step,
      verdict: verdict === "safe" ? "safe" : "unsafe",
      follows: verdict === "safe",
    });
  });
});

describe("a torn instruction", () => {
  it("is where perf reports an error: what a CPU executes torn was in no image", () => {
    const architecture = x86({ fetch: "coherent" });
    const simulation = createSimulation({ architecture });
    const scenario: Scenario = {
      name: "torn",
      sites: [{ address: architecture.base + 62n, old: "nop5", new: "call .+0x123456c" }],
      patchers: [{ strategy: int3({ events: true }), sites: [0], flips: 2, drop: ["sync-1"] }],
      cpus: 3,
    };
    return simulation.check(scenario).then((verdict) => {
      if (verdict.verdict !== "unsafe") throw new Error(`The verdict is ${verdict.verdict}.`);
      const machine = simulation.machine(scenario);
      const about = { title: "torn", architecture: "x86", initial: initialView(machine) };
      const { errors } = decoded(recordingOf(machine, verdict.trace, about));
      expect(errors).toBeGreaterThan(0);
    });
  });
});
