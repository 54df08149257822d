import { InputError } from "../base/errors.js";
import { same } from "../base/key.js";
import type { Observation } from "../contract/events.js";
import type { StateView } from "../contract/trace.js";
import { afterEffect, enabledSteps, initialView } from "../explorer/trace.js";
import type { Machine } from "../machine/machine.js";
import { areFinished, type WalkOptions, walk } from "./walk.js";

/** What one run cost. */
export type Run = {
  /** Steps that all CPUs took together. */
  readonly steps: number;
  /** Patch calls that returned. */
  readonly flips: number;
  /** Interrupts between processors, counted at the receivers. */
  readonly interrupts: number;
  /** Rounds of interrupts to all CPUs. */
  readonly ipiRounds: number;
  /** Times that the whole machine was stopped. */
  readonly stops: number;
  /** The state at the end. */
  readonly end: StateView;
};

/** Counts the steps of a run. */
class Count {
  steps = 0;
  flips = 0;
  ipiRounds = 0;
  stops = 0;

  add(observed: readonly Observation[]): void {
    this.steps++;
    for (const { what } of observed) {
      if (what === "send-ipi") this.ipiRounds++;
      else if (what === "return-call") this.flips++;
      else if (what === "queue-stop") this.stops++;
    }
  }

  run(machine: Machine, end: StateView): Run {
    const { steps, flips, ipiRounds, stops } = this;
    return { steps, flips, interrupts: ipiRounds * (machine.cpus - 1), ipiRounds, stops, end };
  }
}

/**
 * Runs one interleaving: the CPUs take turns, one step each, until every patcher has finished; nothing comes from outside, and no
 * task is taken off its CPU. With a seed it is the run that {@link walk} chooses.
 *
 * Throws {@link InputError} when no CPU can go on, or when all go on for ever without ending the patch call.
 *
 * `flips`: stop after this many patch calls.
 */
export const simulate = (machine: Machine, options: Partial<WalkOptions> = {}): Run => {
  let view = initialView(machine);
  const count = new Count();
  const { seed, ...others } = options;
  if (seed !== undefined) {
    for (const { observed, after } of walk(machine, { seed, ...others })) {
      count.add(observed);
      view = after;
    }
    return count.run(machine, view);
  }
  const finished = (): boolean => count.flips >= (options.flips ?? Number.POSITIVE_INFINITY) || areFinished(view);
  // The run is deterministic: a state that comes again comes for ever (Brent's algorithm).
  let seen = { flips: count.flips, view };
  for (let round = 1; !finished(); round++) {
    let moved = false;
    let programMoved = false;
    for (let cpu = 0; cpu < view.cpus.length; cpu++) {
      const enabled = enabledSteps(machine, view, cpu).filter(({ candidate }) => candidate.rule.fromOutside !== true);
      // What was sent to a CPU comes before its own work.
      const next = enabled.find(({ candidate }) => candidate.rule.turn === "posted") ?? enabled[0];
      const effect = next?.effects[0];
      if (effect === undefined) continue;
      moved = true;
      programMoved ||= next?.candidate.step != null;
      count.add(effect.observed ?? []);
      view = afterEffect(machine, view, cpu, effect);
    }
    if (!moved)
      throw new InputError("No CPU can go on: the scenario deadlocks when its CPUs take turns.", {
        code: "impossible",
      });
    // To compare whole states takes long, and while programs move there is hope.
    const compared = !programMoved || round % 64 === 0;
    if (compared && same({ flips: count.flips, view }, seen))
      throw new InputError("The patch call never ends when the CPUs take turns.", { code: "impossible" });
    if ((round & (round - 1)) === 0) seen = { flips: count.flips, view };
  }
  return count.run(machine, view);
};
