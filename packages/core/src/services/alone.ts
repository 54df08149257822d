import { type CpuState, running } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { mayNest } from "./nested-nmis.js";

/**
 * Nothing else can happen on this CPU than the next step of its running context: every interrupt is masked by what runs here, or
 * never comes. What others can switch on again does not count as masked.
 */
export const alone = (cpu: CpuState, machine: World): boolean => {
  const levels = cpu.stack.map((context) => context.level);
  const masked = cpu.stack.some((context) => context.masked);
  const possible = (["irq", "ipi", "nmi"] as const).filter((interrupt) => interrupt !== "nmi" || machine.nmi);
  return (
    running(cpu)?.level !== "task" &&
    !mayNest(cpu, machine) &&
    !possible.some((interrupt) => machine.cpu.accepts(interrupt, levels, masked))
  );
};
