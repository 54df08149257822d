import type { Data } from "../base/data.js";
import type { EveryCpu } from "../contract/effect.js";
import type { Rule } from "../contract/rule.js";
import { type CpuState, running } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { takes } from "../services/entry.js";
import { nests } from "../services/nested-nmis.js";
import { endsInSwitch, givesUpCpu, preemptible } from "../services/scheduling.js";

/** A step that a CPU could take: a rule with its arguments, and the guard that all CPUs have to satisfy. */
export type Candidate = {
  readonly rule: Rule;
  readonly args: Data;
  /** The step of the program it belongs to. */
  readonly step: string | null;
  readonly guard: EveryCpu | null;
  /** {@link Rule.urgent} */
  readonly urgent: boolean;
};

const NO_ARGS: Data = {};

/** The steps that a CPU in this state could take: that of its running context, then what may interrupt it. */
export const candidatesOf = (cpu: CpuState, machine: World): readonly Candidate[] => {
  const found: Candidate[] = [];
  const add = (id: string, args: Data = NO_ARGS, step: string | null = null): void => {
    const rule = machine.rule(id);
    const ordering = rule.ordering?.(args);
    if (ordering !== undefined && machine.order.holdsBack(cpu, ordering)) return;
    const urgent = rule.urgent?.(cpu, machine) ?? false;
    found.push({ rule, args, step, guard: rule.guard?.(args) ?? null, urgent });
  };

  const ofMemory = (): void => {
    if (cpu.order !== null) for (const rule of machine.order.spontaneous) add(rule.id);
  };

  const context = running(cpu);
  if (context !== undefined) {
    const { code, level } = context;
    const operation = code.run === "program" ? machine.next(code) : undefined;
    if (operation !== undefined) add(operation.op, operation.args, operation.step);
    else if (code.run === "program") add(returnRule[level]);
    else if (code.trapped !== null) {
      add("enter-trap");
      if (!machine.fetch.lateTrap) {
        ofMemory();
        return found;
      }
    } else if (code.home && level !== "task") add(context.nmi === "noted" ? "repeat-nmi" : "return-from-interrupt");
    else if (code.home || !machine.hasEnded(code)) add(machine.order.execute.id);
  }
  for (const posted of cpu.pending) {
    if (posted.kind === "stopper") {
      // A stopper has the highest priority, so it preempts any task that can be preempted.
      if (givesUpCpu(cpu, machine) || preemptible(cpu, machine)) add("take-stopper", { work: posted.work });
    } else if (takes(cpu, "ipi", machine)) {
      add("take-ipi", { handler: posted.handler });
    }
  }
  if (machine.irq && takes(cpu, "irq", machine)) add("irq");
  if (machine.nmi && takes(cpu, "nmi", machine)) add("nmi");
  if (nests(cpu, machine)) add("nested-nmi");
  if (machine.preempt && context === undefined) add("resume");
  if (preemptible(cpu, machine) || endsInSwitch(cpu, machine)) add("preempt");
  ofMemory();
  return found;
};

/** How a program of each level ends. */
const returnRule = {
  task: "exit-task",
  stopper: "exit-stopper",
  irq: "return-from-interrupt",
  trap: "return-from-trap",
  nmi: "return-from-interrupt",
} as const;
