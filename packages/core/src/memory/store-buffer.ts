import type { Effect } from "../contract/effect.js";
import type { MemoryOrder, Ordering, Write, Written } from "../contract/memory-order.js";
import { rule } from "../contract/rule.js";
import type { CpuState } from "../contract/state.js";
import { executeRule } from "../execution/execute.js";
import { perform, settled } from "./perform.js";
import { drained } from "./said.js";

/*
 * R20: total store order. A CPU's writes wait in its store buffer, first in, first out, and each becomes visible to all others in a
 * step of its own; the CPU's own loads and fetches see them at once. What drains the buffer waits until it is empty.
 */

const NONE: readonly Write[] = [];

const pending = (cpu: CpuState): readonly Write[] => (cpu.order as readonly Write[] | null) ?? NONE;

const keep = (cpu: CpuState, writes: readonly Write[]): CpuState => ({
  ...cpu,
  order: writes.length === 0 ? null : writes,
});

/** The oldest write of the store buffer becomes visible to all. */
const drainRule = rule({
  id: "drain",
  source: "R20; Intel SDM vol. 3, 'Store Buffer'; P. Sewell et al., x86-TSO, CACM 2010",
  reads: ["cpu", "memory", "services"],
  writes: ["cpu", "memory", "services", "everyCpu"],
  says: {
    drain: drained,
  },
  apply({ cpu, memory, services }, _args, machine): readonly Effect[] {
    const [oldest, ...rest] = pending(cpu);
    if (oldest === undefined) return [];
    const written = perform({ cpu: keep(cpu, rest), memory, services }, oldest, machine);
    return [settled({ cpu, memory, services }, written, [{ what: "drain", detail: { write: oldest } }])];
  },
});

/** Under total store order the last two are no instructions. */
const kernelBarriers = ["mb", "wmb", "rmb"] as const;

/** Orderings of other steps than barriers. */
const noBarriers: ReadonlySet<string> = new Set(["atomic", "event", "release", "context-synchronisation"]);

/**
 * A memory order with a store buffer for each CPU. `drainedBy` lists the orderings, barriers and serialising instructions among them,
 * before which all earlier writes of the CPU are visible.
 */
export const storeBuffer = (options: {
  readonly id: string;
  /** The manual's section. */
  readonly source: string;
  readonly drainedBy: readonly Ordering[];
}): MemoryOrder => {
  const drainedBy: ReadonlySet<string> = new Set(options.drainedBy);
  return {
    id: options.id,
    source: options.source,
    execute: executeRule,
    spontaneous: [drainRule],
    barriers: [...new Set([...kernelBarriers, ...options.drainedBy.filter((ordering) => !noBarriers.has(ordering))])],
    write: ({ cpu, ...others }: Written, write) => ({ ...others, cpu: keep(cpu, [...pending(cpu), write]) }),
    pending,
    holdsBack: (cpu, ordering) => cpu.order !== null && drainedBy.has(ordering),
  };
};
