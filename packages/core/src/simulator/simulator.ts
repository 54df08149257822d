import { InputError } from "../base/errors.js";
import { same } from "../base/key.js";
import type { StateView } from "../contract/trace.js";
import { afterEffect, enabledSteps, initialView } from "../explorer/trace.js";
import type { Machine } from "../machine/machine.js";

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

/** Steps that come from outside or move tasks about; the one interleaving of a simulation does without. */
const LEFT_OUT: ReadonlySet<string> = new Set(["irq", "nmi", "preempt"]);

/**
 * Runs one interleaving: the CPUs take turns, one step each, until every patcher has finished. Throws {@link InputError} when no
 * CPU can go on, or when all go on for ever without ending the patch call.
 *
 * `flips`: stop after this many patch calls.
 */
export const simulate = (machine: Machine, options: { readonly flips?: number } = {}): Run => {
  let view = initialView(machine);
  let steps = 0;
  let flips = 0;
  let ipiRounds = 0;
  let stops = 0;
  const finished = (): boolean =>
    flips >= (options.flips ?? Number.POSITIVE_INFINITY) ||
    (view.parked.tasks.every((task) => task.code.run === "machine") &&
      view.cpus.every((cpu) => cpu.stack.every((context) => context.code.run === "machine")));
  // The run is deterministic: a state that comes again comes for ever (Brent's algorithm).
  let seen = { flips, view };
  for (let round = 1; !finished(); round++) {
    let moved = false;
    let programMoved = false;
    for (let cpu = 0; cpu < view.cpus.length; cpu++) {
      const enabled = enabledSteps(machine, view, cpu).filter(({ candidate }) => !LEFT_OUT.has(candidate.rule.id));
      // What was sent to a CPU comes before its own work.
      const next = enabled.find(({ candidate }) => candidate.rule.id.startsWith("take-")) ?? enabled[0];
      const effect = next?.effects[0];
      if (effect === undefined) continue;
      moved = true;
      programMoved ||= next?.candidate.step != null;
      steps++;
      for (const { what } of effect.observed ?? []) {
        if (what === "send-ipi") ipiRounds++;
        else if (what === "return-call") flips++;
        else if (what === "queue-stop") stops++;
      }
      view = afterEffect(machine, view, cpu, effect);
    }
    if (!moved)
      throw new InputError("No CPU can go on: the scenario deadlocks when its CPUs take turns.", {
        code: "impossible",
      });
    // To compare whole states takes long, and while programs move there is hope.
    const compared = !programMoved || round % 64 === 0;
    if (compared && same({ flips, view }, seen))
      throw new InputError("The patch call never ends when the CPUs take turns.", { code: "impossible" });
    if ((round & (round - 1)) === 0) seen = { flips, view };
  }
  return { steps, flips, interrupts: ipiRounds * (machine.cpus - 1), ipiRounds, stops, end: view };
};
