import type { Machine } from "../machine/machine.js";
import type { MemoryOrder, Write } from "../memory-order.js";
import { type Effect, rule } from "../rule.js";
import { type CpuState, type MachineCode, type MemoryState, running, withRunning } from "../state.js";
import { ageMap, invalidatedMap, invalidateMap, synchronizeWindow } from "./window-code.js";
import { localOrderOf } from "./window-local-order.js";
import type { WindowModel } from "./window-model.js";
import { fenceRuleOf, maintainRuleOf, writeOf } from "./window-programs.js";
import { settle } from "./window-settle.js";
import { windowOfCpu, withoutEntries } from "./window-state.js";
import { fetch, overtakeMap, perform } from "./window-steps.js";
import { viewOf } from "./window-view.js";

const NONE: readonly Write[] = [];

const stepsOf = (cpu: CpuState, memory: MemoryState, model: WindowModel, machine: Machine): readonly Effect[] => {
  const view = viewOf(cpu, model, machine);
  if (view === undefined) return [];
  const order = localOrderOf(view, windowOfCpu(cpu), model);
  const stepping = { cpu, memory, view, order, model, machine };
  return [...fetch(stepping), ...view.entries.flatMap((_, i) => perform(stepping, i))];
};

/**
 * A memory order in which every CPU fetches ahead into a window, in program order and past undecided branches, and in which accesses
 * take place out of order as soon as the local order allows. The window takes the place of what other orders keep in
 * {@link CpuState.stale} for early fetches.
 */
export const window = (model: WindowModel): MemoryOrder => ({
  id: model.id,
  source: model.source,
  execute: rule({
    id: "step",
    source: "R21 to R31: ARCHITECTURE.md",
    reads: ["cpu", "memory"],
    writes: ["cpu", "memory", "everyCpu"],
    apply({ cpu, memory }, _args, machine): readonly Effect[] {
      const context = running(cpu);
      const code = context?.code as MachineCode;
      if (context === undefined || code.home) {
        return machine.entries(code.routine).flatMap((entry) => {
          const entered = withRunning(cpu, {
            ...(context as NonNullable<typeof context>),
            code: machine.enter(code.routine, entry),
          });
          return settle(entered, memory, model, machine).map((each) => ({
            set: { cpu: each.cpu },
            observed: each.observed,
          }));
        });
      }
      if (cpu.order === null || windowOfCpu(cpu).entries.length === 0) {
        const begun = settle(cpu, memory, model, machine);
        const [only] = begun;
        if (begun.length !== 1 || only === undefined || only.cpu !== cpu)
          return begun.map((each) => ({ set: { cpu: each.cpu }, observed: each.observed }));
      }
      return stepsOf(cpu, memory, model, machine);
    },
  }),
  spontaneous: [],
  maps: [ageMap(model), invalidateMap, invalidatedMap, overtakeMap(model)],
  rules: [maintainRuleOf(model), fenceRuleOf(model)],
  write: writeOf,
  pending: () => NONE,
  narrow: synchronizeWindow,
  discard: withoutEntries,
  // What took place ahead of older instructions cannot be taken back: an interrupt waits for these.
  holdsBack: (cpu, ordering) => ordering === "event" && windowOfCpu(cpu).entries.some(({ done }) => done === true),
});
