import { InputError } from "../base/errors.js";
import { random } from "../base/random.js";
import type { StateView, TraceStep } from "../contract/trace.js";
import { afterEffect, type Enabled, enabledSteps, initialView } from "../explorer/trace.js";
import type { Machine } from "../machine/machine.js";

/** Of so many steps one comes from outside, where it can: more would leave no time for anything else. */
const RARELY = 16;

/** Steps of all CPUs in which some patch call has to return, and in which some program has to take a step. */
const [MOST_STEPS, MOST_IDLE] = [1_000_000, 20_000];

/** How a run is chosen and where it ends. */
export type WalkOptions = {
  /** Which run: a whole number from 0 to 2^32 - 1; the same one gives the same run. */
  readonly seed: number;
  /** The run ends after this many patch calls; by default when all patchers have finished. */
  readonly flips?: number;
};

/** Whether every patcher has finished: no program is under way, neither on a CPU nor among the tasks that were taken off. */
export const areFinished = ({ parked, cpus }: StateView): boolean =>
  parked.tasks.every((task) => task.code.run === "machine") &&
  cpus.every((cpu) => cpu.stack.every((context) => context.code.run === "machine"));

/** Whether nothing is under way on a CPU: its task stands before its next round, or is a patcher between two calls or cut short. */
const isAtRest = ({ cpus }: StateView, cpu: number): boolean => {
  const [task, interrupt] = cpus[cpu]?.stack ?? [];
  return interrupt === undefined && (task === undefined || task.code.run === "program" || task.code.home);
};

/**
 * One run of a machine, chosen by a seed: at each step some CPU takes one of the steps that it can take, interrupts, NMIs and
 * preemption included where they are on. After the last patch call what runs machine code goes on until it stands before its next round.
 *
 * Throws {@link InputError} where no program can go on, and where no patch call returns in a million steps.
 */
export function* walk(machine: Machine, { seed, flips = Number.POSITIVE_INFINITY }: WalkOptions): Generator<TraceStep> {
  const below = random(seed);
  let view = initialView(machine);
  let returned = 0;
  let since = 0;
  let idle = 0;
  const deadlock = (): InputError =>
    new InputError("No program can go on: the run ends in a deadlock.", { code: "impossible" });
  /** The steps of a CPU from outside, or all others. */
  const stepsOf = (cpu: number, outside: boolean): readonly Enabled[] =>
    enabledSteps(machine, view, cpu).filter(({ candidate }) => (candidate.rule.fromOutside === true) === outside);
  const choose = (wanted: (cpu: number) => boolean, outside: boolean): [number, Enabled] | undefined => {
    const first = below(machine.cpus);
    for (let i = 0; i < machine.cpus; i++) {
      const cpu = (first + i) % machine.cpus;
      const steps = wanted(cpu) ? stepsOf(cpu, outside) : [];
      if (steps.length > 0) return [cpu, steps[below(steps.length)] as Enabled];
    }
    return undefined;
  };
  for (;;) {
    const over = returned >= flips || areFinished(view);
    const anyone = () => true;
    const chosen = over
      ? choose((cpu) => !isAtRest(view, cpu), false)
      : ((below(RARELY) === 0 ? choose(anyone, true) : undefined) ?? choose(anyone, false) ?? choose(anyone, true));
    if (chosen === undefined) {
      if (over) return;
      throw deadlock();
    }
    const [cpu, { candidate, index, effects }] = chosen;
    const choice = below(effects.length);
    const effect = effects[choice] as (typeof effects)[number];
    const after = afterEffect(machine, view, cpu, effect);
    const observed = effect.observed ?? [];
    yield {
      cpu,
      rule: candidate.rule.id,
      step: candidate.step,
      candidate: index,
      choice,
      observed,
      before: view,
      after,
    };
    view = after;
    since++;
    idle = candidate.step === null ? idle + 1 : 0;
    if (observed.some(({ what }) => what === "return-call")) {
      returned++;
      since = 0;
    }
    if (over && idle > MOST_IDLE) return;
    if (idle > MOST_IDLE) throw deadlock();
    if (since > MOST_STEPS) {
      throw new InputError(`No patch call returned in ${MOST_STEPS} steps.`, { code: "impossible" });
    }
  }
}
