import { InputError } from "../base/errors.js";
import type { Effect } from "../contract/effect.js";
import type { CpuState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import type { Candidate } from "./candidates.js";

/**
 * Throws {@link InputError} where a step of a program leaves its program at that same step: its rule forgot {@link Programs.advance}.
 * `cpu` is the part of the CPU that acts before the step.
 */
export const assertAdvanced = (
  { rule, step }: Candidate,
  cpu: CpuState,
  effects: readonly Effect[],
  machine: World,
): void => {
  const depth = cpu.stack.length;
  const before = cpu.stack[depth - 1]?.code;
  if (step === null || before?.run !== "program") return;
  for (const { set } of effects) {
    const stack = (set.cpu ?? cpu).stack.slice(0, depth);
    const after = stack[depth - 1]?.code;
    if (after?.run !== "program" || after.program !== before.program || after.at !== before.at) continue;
    // A loop of one step comes back to it.
    const next = machine.advance({ ...(set.cpu ?? cpu), stack }).stack[depth - 1]?.code;
    if (next?.run === "program" && next.at === before.at) continue;
    throw new InputError(
      `The rule ${rule.id} leaves its program at the step ${step}: what it sets for the CPU comes from machine.advance(cpu); to wait, it answers no effect.`,
      { place: rule.id, code: "conflict" },
    );
  }
};
