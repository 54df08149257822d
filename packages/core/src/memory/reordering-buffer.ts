import type { Data } from "../data.js";
import { executeRule } from "../machine/execute.js";
import type { MemoryOrder, Ordering, Write } from "../memory-order.js";
import { type Effect, rule } from "../rule.js";
import type { CpuState } from "../state.js";
import { perform, settled } from "./perform.js";

/*
 * R41: a store buffer whose writes leave in any order: each becomes visible to all others in a step of its own, once nothing before it in
 * the buffer is of the same place and no barrier stands between. The CPU's own loads see them at once. A context synchronisation need
 * not drain it: what it then holds, the CPU's own fetches find from there on, however late others see it.
 */

type Barrier = { readonly to: "barrier" };
type Entry = Write | Barrier;

const NONE: readonly Entry[] = [];

const entriesOf = (cpu: CpuState): readonly Entry[] => (cpu.order as unknown as readonly Entry[] | null) ?? NONE;

const isWrite = (entry: Entry): entry is Write => entry.to !== "barrier";

/** A barrier with no write on one of its sides orders nothing, but for the last, which waits for the writes to come. */
const keep = (cpu: CpuState, entries: readonly Entry[]): CpuState => {
  const kept = entries.filter((entry, i) => isWrite(entry) || entries[i + 1]?.to !== "barrier");
  const first = kept.findIndex(isWrite);
  return { ...cpu, order: first < 0 ? null : (kept.slice(first) as unknown as Data) };
};

const isSamePlace = (a: Write, b: Write): boolean => {
  if (a.to === "code" && b.to === "code") {
    const end = ({ address, bytes }: typeof a): bigint => address + BigInt(bytes.length / 2);
    return a.address < end(b) && b.address < end(a);
  }
  if (a.to === "data" && b.to === "data") return Object.keys(a.bytes).some((address) => address in b.bytes);
  if ((a.to === "word" && b.to === "word") || (a.to === "each-cpu" && b.to === "each-cpu")) return a.word === b.word;
  return a.to === "published" && b.to === "published";
};

/** One of the writes that may become visible now does. */
const drainRule = rule({
  id: "drain",
  source: 'R41; RISC-V unprivileged ISA, "RVWMO Memory Consistency Model", preserved program order, rules 1 and 4',
  reads: ["cpu", "memory", "services"],
  writes: ["cpu", "memory", "services", "everyCpu"],
  apply({ cpu, memory, services }, _args, machine): readonly Effect[] {
    const entries = entriesOf(cpu);
    const barrier = entries.findIndex((entry) => !isWrite(entry));
    const first = entries.slice(0, barrier < 0 ? entries.length : barrier).filter(isWrite);
    return first.flatMap((write, i) => {
      if (first.slice(0, i).some((older) => isSamePlace(older, write))) return [];
      const left = keep(cpu, [...entries.slice(0, i), ...entries.slice(i + 1)]);
      const written = perform({ cpu: left, memory, services }, write, machine);
      const effect = settled({ cpu, memory, services }, written, [{ what: "drain", detail: { write: write as Data } }]);
      if (write.to !== "code" || write.fetched !== true || effect.everyCpu === undefined) return [effect];
      // Its own fetches have found it already.
      const { everyCpu, ...own } = effect;
      return [{ ...own, otherCpus: everyCpu }];
    });
  },
});

/**
 * A memory order with a store buffer for each CPU, whose writes leave in any order. `drainedBy`: whether all earlier writes of the
 * CPU are visible before a step of this ordering; `separatedBy`: whether a step of this ordering is a barrier between the writes
 * before it and those after it, for which nothing else waits.
 */
export const reorderingBuffer = (options: {
  readonly id: string;
  /** The manual's section. */
  readonly source: string;
  drainedBy(ordering: Ordering): boolean;
  separatedBy(ordering: Ordering): boolean;
}): MemoryOrder => ({
  id: options.id,
  source: options.source,
  execute: executeRule,
  spontaneous: [drainRule],
  write: ({ cpu, ...others }, write) => ({ ...others, cpu: keep(cpu, [...entriesOf(cpu), write]) }),
  pending: (cpu) => entriesOf(cpu).filter(isWrite),
  leaves: (cpu, ordering) =>
    cpu.order !== null && options.separatedBy(ordering) ? keep(cpu, [...entriesOf(cpu), { to: "barrier" }]) : cpu,
  synchronise: (cpu) =>
    keep(
      cpu,
      entriesOf(cpu).map((entry) => (entry.to === "code" ? { ...entry, fetched: true } : entry)),
    ),
  holdsBack: (cpu, ordering) => cpu.order !== null && options.drainedBy(ordering),
});
