import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createSimulation, initialView, type PatchStrategy, type Scenario, walk } from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import { type Recording, recordingOf, type SparseFile } from "../src/index.js";

/** Where the stored files of a run lie. */
export const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** A stored file. */
export const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(`${fixtures}${name}`));

/** How a run is made. */
export type RunOptions = {
  readonly seed: number;
  readonly strategy?: PatchStrategy;
  readonly cpus?: number;
  readonly flips?: number;
  readonly outside?: boolean;
  readonly fetch?: string;
  readonly site?: Pick<Scenario["sites"][number], "old" | "new">;
};

/** A run of one site on x86. */
export const run = (options: RunOptions): Recording => {
  const { seed, strategy = int3({ events: true }), cpus = 3, flips = 2, outside = false, fetch } = options;
  const architecture = x86(fetch === undefined ? {} : { fetch });
  const scenario: Scenario = {
    name: "recorded",
    sites: [{ address: architecture.base, old: "nop5", new: "call", ...options.site }],
    patchers: [{ strategy, sites: [0], flips: "forever" }],
    cpus,
    interrupts: { irq: outside, nmi: outside },
    preempt: outside,
  };
  const machine = createSimulation({ architecture }).machine(scenario);
  const title = `${strategy.id} on x86, ${machine.fetch.id}, seed ${seed}`;
  return recordingOf(machine, walk(machine, { seed, flips }), {
    title,
    architecture: "x86",
    initial: initialView(machine),
  });
};

/** All bytes of a file. */
export const bytesOf = ({ size, parts }: SparseFile): Uint8Array => {
  const whole = new Uint8Array(size);
  for (const { at, bytes } of parts) whole.set(bytes, at);
  return whole;
};
