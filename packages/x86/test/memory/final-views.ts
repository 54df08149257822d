import {
  afterEffect,
  enabledSteps,
  initialView,
  keyOf,
  type Machine,
  type Registers,
  type StateView,
} from "@cmodx/core";

/** A state in which every thread is done and nothing is pending, with the registers of each CPU's thread. */
export type FinalView = { readonly view: StateView; readonly registers: readonly Registers[] };

/** Every final state of threads of machine code, one on each CPU, that are done when they stand at their ends. */
export const finalViews = (machine: Machine, ends: readonly bigint[]): readonly FinalView[] => {
  const found: FinalView[] = [];
  const known = new Set<string>();
  const queue: StateView[] = [initialView(machine)];
  for (let view = queue.pop(); view !== undefined; view = queue.pop()) {
    const key = keyOf(view as never);
    if (known.has(key)) continue;
    known.add(key);
    const registers = view.cpus.flatMap(({ stack, order }, i) => {
      const code = stack[0]?.code;
      return code?.run === "machine" && code.pc === ends[i] && order === null ? [code.registers] : [];
    });
    if (registers.length === ends.length) {
      found.push({ view, registers });
      continue;
    }
    for (let cpu = 0; cpu < view.cpus.length; cpu++) {
      for (const { effects } of enabledSteps(machine, view, cpu))
        for (const effect of effects) queue.push(afterEffect(machine, view, cpu, effect));
    }
  }
  return found;
};
