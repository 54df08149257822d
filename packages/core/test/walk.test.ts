import { int3, stopMachine, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { createSimulation, follow, InputError, type Scenario, walk } from "../src/index.js";

const architecture = x86({});
const simulation = createSimulation({ architecture });
const scenario: Scenario = {
  name: "walk",
  sites: [{ address: architecture.base, old: "nop5", new: "call" }],
  patchers: [{ strategy: int3(), sites: [0], flips: 2 }],
  cpus: 3,
  interrupts: { irq: true, nmi: true },
  preempt: true,
};

describe("a run by a seed", () => {
  it("takes steps that the machine can take: its choices lead the same way again", () => {
    const machine = simulation.machine(scenario);
    for (const seed of [0, 1, 2]) {
      const steps = [...walk(machine, { seed })];
      expect(follow(machine, steps)).toEqual(steps);
    }
  });

  it("is the same for the same seed, and another for another", () => {
    const machine = simulation.machine(scenario);
    const rules = (seed: number) => [...walk(machine, { seed })].map(({ cpu, rule }) => `${cpu} ${rule}`);
    expect(rules(4)).toEqual(rules(4));
    expect(rules(4)).not.toEqual(rules(5));
  });

  it("has interrupts, NMIs and preemption where they are on, and nowhere else", () => {
    const of = (scenario: Scenario) =>
      new Set([...walk(simulation.machine(scenario), { seed: 3 })].map(({ rule }) => rule));
    for (const rule of ["irq", "nmi", "preempt"]) {
      expect(of(scenario)).toContain(rule);
      expect(of({ ...scenario, interrupts: {}, preempt: false })).not.toContain(rule);
    }
  });

  it("ends with every patch call returned and every CPU before its next round", () => {
    for (const seed of [0, 1, 2, 3]) {
      const end = [...walk(simulation.machine(scenario), { seed })].at(-1)?.after;
      expect(end?.memory.sites).toMatchObject([{ calling: false }]);
      for (const { stack } of end?.cpus ?? []) {
        expect(stack.length).toBeLessThan(2);
        for (const { code } of stack) expect(code).toMatchObject({ run: "machine", home: true });
      }
    }
  });

  it("ends after so many calls, whether patchers go on for ever or not", () => {
    const forever: Scenario = { ...scenario, patchers: [{ strategy: int3(), sites: [0], flips: "forever" }] };
    expect(simulation.simulate(forever, { seed: 1, flips: 3 }).flips).toBe(3);
    expect(simulation.simulate(scenario, { seed: 1 }).flips).toBe(2);
    const alone: Scenario = { ...forever, cpus: 1, interrupts: {}, preempt: false, executors: [] };
    expect(simulation.simulate(alone, { seed: 1, flips: 3 }).flips).toBe(3);
  });

  it("is counted as any other run", () => {
    const { flips, ipiRounds, stops } = simulation.simulate(scenario, { seed: 9 });
    expect({ flips, ipiRounds, stops }).toEqual({ flips: 2, ipiRounds: 6, stops: 0 });
    const stop: Scenario = { ...scenario, patchers: [{ strategy: stopMachine(), sites: [0], flips: 2 }] };
    expect(simulation.simulate(stop, { seed: 9 }).stops).toBe(2);
  });

  it("says where it ends in a deadlock, and takes no other seed", () => {
    const stuck: Scenario = {
      ...scenario,
      interrupts: {},
      preempt: false,
      patchers: [{ strategy: int3(), sites: [0], flips: 2, drop: ["unlock"] }],
    };
    expect(() => simulation.simulate(stuck, { seed: 0 })).toThrow("No program can go on: the run ends in a deadlock.");
    expect(() => simulation.simulate(scenario, { seed: -1 })).toThrow(InputError);
    expect(() => simulation.simulate(scenario, { seed: 2 ** 32 })).toThrow(InputError);
  });
});
