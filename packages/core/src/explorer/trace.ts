import type { Effect } from "../contract/effect.js";
import type { CpuState } from "../contract/state.js";
import type { Choice, StateView, TraceStep } from "../contract/trace.js";
import { assertAdvanced } from "../machine/advanced.js";
import type { Candidate } from "../machine/candidates.js";
import type { Machine } from "../machine/machine.js";

/** The state before any step. */
export const initialView = (machine: Machine): StateView => {
  const { cpus, memory, services, parked } = machine.initial();
  return { memory, services, parked, cpus };
};

/** A step that a CPU can take in a state, with all its outcomes. */
export type Enabled = {
  readonly candidate: Candidate;
  /** Its place among the steps of the CPU, blocked ones included. */
  readonly index: number;
  readonly effects: readonly Effect[];
};

/** The steps that one CPU can take in a state. */
export const enabledSteps = (machine: Machine, view: StateView, cpu: number): readonly Enabled[] => {
  const acting = view.cpus[cpu] as CpuState;
  return machine.candidates(acting).flatMap((candidate, index): readonly Enabled[] => {
    const { guard } = candidate;
    if (guard !== null && !view.cpus.every((other) => machine.predicate(guard.id).holds(other, guard.args, machine)))
      return [];
    const { memory, services, parked } = view;
    const effects = candidate.rule.apply({ cpu: acting, memory, services, parked }, candidate.args, machine);
    assertAdvanced(candidate, acting, effects, machine);
    return effects.length === 0 ? [] : [{ candidate, index, effects }];
  });
};

/** The state after an effect of a step of one CPU. */
export const afterEffect = (machine: Machine, view: StateView, cpu: number, effect: Effect): StateView => {
  const { everyCpu, otherCpus, set } = effect;
  const cpus = view.cpus.map((state, i) => {
    let changed = i === cpu ? (set.cpu ?? state) : state;
    if (everyCpu !== undefined) changed = machine.map(everyCpu.id).apply(changed, everyCpu.args, machine);
    if (otherCpus !== undefined && i !== cpu)
      changed = machine.map(otherCpus.id).apply(changed, otherCpus.args, machine);
    return changed;
  });
  return {
    memory: set.memory ?? view.memory,
    services: set.services ?? view.services,
    parked: set.parked ?? view.parked,
    cpus,
  };
};

/**
 * Follows choices from the initial state. Stops at the first one that is not possible there: the trace is then shorter than the
 * list of choices.
 */
export const follow = (machine: Machine, choices: readonly Choice[]): readonly TraceStep[] => {
  const trace: TraceStep[] = [];
  let before = initialView(machine);
  for (const choice of choices) {
    if (choice.cpu < 0 || choice.cpu >= before.cpus.length) break;
    const taken = enabledSteps(machine, before, choice.cpu).find(
      ({ candidate, index }) =>
        index === choice.candidate && candidate.rule.id === choice.rule && candidate.step === choice.step,
    );
    const effect = taken?.effects[choice.choice];
    if (effect === undefined) break;
    const after = afterEffect(machine, before, choice.cpu, effect);
    trace.push({ ...choice, observed: effect.observed ?? [], before, after });
    before = after;
  }
  return trace;
};
