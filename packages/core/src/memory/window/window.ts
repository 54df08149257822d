import type { Effect } from "../../contract/effect.js";
import type { Observation } from "../../contract/events.js";
import type { MemoryOrder } from "../../contract/memory-order.js";
import { rule } from "../../contract/rule.js";
import { type CpuState, type MachineCode, type MemoryState, running } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { executionWords } from "../../execution/said.js";
import { invalidatedMap, invalidateMap, synchronizeWindow } from "./code.js";
import { valuesFound } from "./loads.js";
import { localOrderOf } from "./local-order.js";
import type { WindowModel, WindowStep } from "./model.js";
import { drainRuleOf, postedWrites, waitsForPosted, withFetchable } from "./posted.js";
import { fenceRuleOf, maintainRuleOf, writeOf } from "./programs.js";
import { retireWatched } from "./retire.js";
import { fetchBeyond, roundsBegun } from "./rounds.js";
import { settle } from "./settle.js";
import { windowOfCpu, withoutEntries, withStranded } from "./state.js";
import { fetch, overtakeMap, perform } from "./steps.js";
import { viewOf } from "./view.js";

const settledEffects = (
  cpu: CpuState,
  memory: MemoryState,
  model: WindowModel,
  machine: World,
  observed: readonly Observation[] = [],
  before = memory,
): readonly Effect[] =>
  settle(cpu, memory, model, machine, observed).map((each) => ({
    set: { cpu: each.cpu, ...(memory === before ? {} : { memory }) },
    observed: each.observed,
  }));

const stepsOf = (cpu: CpuState, memory: MemoryState, model: WindowModel, machine: World): readonly Effect[] => {
  const view = viewOf(cpu, model, machine);
  if (view === undefined) return [];
  const order = localOrderOf(view, windowOfCpu(cpu), model);
  const stepping = { cpu, memory, view, order, model, machine };
  const left = retireWatched(cpu, view, memory, machine);
  const leaving =
    left === undefined ? [] : settledEffects(left.cpu, left.memory, model, machine, left.observed, memory);
  const fetched = [...fetch(stepping), ...fetchBeyond(cpu, memory, view, model, machine), ...leaving];
  // Accesses of machine code that a handler calls come behind what the handler did.
  if (windowOfCpu(cpu).posted.length > 0) return fetched;
  return [...fetched, ...view.entries.flatMap((_, i) => perform(stepping, i))];
};

/** What steps of instructions are that a program can wait by. */
const waits: ReadonlySet<WindowStep["is"] | undefined> = new Set(["barrier", "synchronise"]);

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
    says: executionWords,
    apply({ cpu, memory }, _args, machine): readonly Effect[] {
      const context = running(cpu);
      const code = context?.code as MachineCode;
      if (context === undefined || code.home) {
        const begun = roundsBegun(cpu, machine).flatMap((each) => settledEffects(each, memory, model, machine));
        return [...begun, ...fetchBeyond(cpu, memory, undefined, model, machine)];
      }
      if (windowOfCpu(cpu).again === true) return settledEffects(cpu, memory, model, machine);
      if (cpu.order === null || windowOfCpu(cpu).entries.length === 0) {
        const begun = settle(cpu, memory, model, machine);
        const [only] = begun;
        if (begun.length !== 1 || only === undefined || only.cpu !== cpu)
          return settledEffects(cpu, memory, model, machine);
      }
      return stepsOf(cpu, memory, model, machine);
    },
  }),
  spontaneous: [drainRuleOf(model)],
  barriers: Object.keys(model.steps).filter((step) => waits.has(model.steps[step]?.is)),
  maps: [invalidateMap, invalidatedMap, overtakeMap(model)],
  rules: [maintainRuleOf(model), fenceRuleOf(model)],
  write: writeOf(model),
  pending: postedWrites,
  fetchable: (cpu) => postedWrites(cpu).filter((write) => write.to === "code" && write.fetched === true),
  narrow(cpu, machine) {
    const step = model.steps["context-synchronisation"];
    const fresh = synchronizeWindow(cpu, machine);
    return step?.is === "synchronise" && step.ownStores === true ? withFetchable(fresh) : fresh;
  },
  ...(model.conditional === undefined ? {} : { conditional: model.conditional }),
  discard: withoutEntries,
  strand: withStranded,
  loaded: (cpu) => windowOfCpu(cpu).entries.flatMap(valuesFound),
  // What took place ahead of older instructions cannot be taken back: an interrupt waits for these.
  holdsBack: (cpu, ordering) =>
    waitsForPosted(cpu, ordering, model) ||
    (ordering === "event" &&
      windowOfCpu(cpu).entries.some(({ done, stored }) => done === true || stored !== undefined)),
});
