import { Order } from "../axiomatic/relation.js";
import {
  coherentPairs,
  type Event,
  type Execution,
  finalStates,
  INITIAL,
  isAtomic,
  isBefore,
  isPair,
  newerThan,
  overlap,
} from "./execution.js";
import type { Op, Program } from "./program.js";

/*
 * Arm's memory model for data (Arm ARM DDI 0487, B2.3; aarch64.cat of herd7): "ordered before" has no cycle. An access of several bytes is
 * one event, since all of them are aligned and so single-copy atomic.
 */

/** What a register, or an event, depends on: reads by their numbers, those that only pick among what it may be besides. */
type Dependence = { readonly basic: ReadonlySet<number>; readonly pick: ReadonlySet<number> };

const NOTHING: Dependence = { basic: new Set(), pick: new Set() };

const both = (...all: readonly Dependence[]): Dependence => ({
  basic: new Set(all.flatMap(({ basic }) => [...basic])),
  pick: new Set(all.flatMap(({ basic, pick }) => [...basic, ...pick])),
});

const only = (read: number): Dependence => ({ basic: new Set([read]), pick: new Set([read]) });

const asPick = ({ basic, pick }: Dependence): Dependence => ({ basic: new Set(), pick: new Set([...basic, ...pick]) });

type Dependent = {
  /** Of the address, and of what is stored; of events that have none nothing. */
  readonly address: Dependence;
  readonly data: Dependence;
  /** Of a write, all that it depends on within registers and memory. */
  readonly whole: Dependence;
};

const isAcquire = ({ op, reads }: Event): boolean =>
  reads &&
  ((op.do === "load" && op.acquire !== undefined) || (op.do === "atomic" && op.acquire === true && !op.silent));
const isSequential = (event: Event): boolean =>
  isAcquire(event) && !(event.op.do === "load" && event.op.acquire === "acquire-pc");
const isRelease = ({ op, writes }: Event): boolean =>
  writes && (op.do === "store" || op.do === "atomic") && op.release === true;
const isExclusive = ({ op }: Event): boolean => op.do === "atomic" && op.kind === "pair";
const isSilent = ({ op, reads }: Event): boolean => reads && op.do === "atomic" && op.silent === true;

/** By write, the reads behind it whose place it was the last to write to in its thread. */
const readSuccessors = (events: readonly Event[], write: number): readonly number[] => {
  const from = events[write] as Event;
  return events.flatMap((read, i) => {
    if (!read.reads || !isBefore(from, read) || !overlap(from, read)) return [];
    const bytes = Array.from({ length: read.size }, (_, byte) => read.offset + byte).filter(
      (byte) => byte >= from.offset && byte < from.offset + from.size,
    );
    const isLast = bytes.some(
      (byte) =>
        !events.some(
          (other) =>
            other.writes &&
            isBefore(from, other) &&
            isBefore(other, read) &&
            other.place === read.place &&
            byte >= other.offset &&
            byte < other.offset + other.size,
        ),
    );
    return isLast ? [i] : [];
  });
};

/**
 * Dependencies through registers and memory. Where the model leaves a choice of what a register depends on (`casKeeps`: that of a CAS that
 * stores is the one it had, or what it loaded), executions of either are possible.
 */
const dependenciesOf = (
  events: readonly Event[],
  casKeeps: boolean,
): { readonly dependents: readonly Dependent[]; readonly registers: ReadonlyMap<string, Dependence> } => {
  const registers = new Map<string, Dependence>();
  const dependents: Dependent[] = events.map(() => ({ address: NOTHING, data: NOTHING, whole: NOTHING }));
  const successors = events.map((event, i) => (event.writes ? readSuccessors(events, i) : []));
  events.forEach((event, i) => {
    const { op, thread, at } = event;
    const of = (on: number | undefined): Dependence =>
      on === undefined ? NOTHING : (registers.get(`${thread}:${on}`) ?? NOTHING);
    if (op.do !== "load" && op.do !== "store" && op.do !== "atomic") return;
    const address = of(op.address);
    const memory = both(
      ...successors.flatMap((reads, write) => (reads.includes(i) ? [(dependents[write] as Dependent).whole] : [])),
    );
    const compared = of(op.compared);
    const isCas = op.do === "atomic" && op.kind === "cas";
    if (event.reads) {
      dependents[i] = { address, data: NOTHING, whole: both(address, memory, only(i)) };
      const stores = events[i + 1] !== undefined && isPair(event, events[i + 1] as Event);
      const loaded = (dependents[i] as Dependent).whole;
      registers.set(`${thread}:${at}`, isCas && stores && casKeeps ? both(compared, asPick(loaded)) : loaded);
    } else {
      const data = of(op.data);
      const read = op.do === "atomic" ? (dependents[i - 1] as Dependent).whole : NOTHING;
      const loaded =
        op.do !== "atomic" || op.kind === "swp" || op.kind === "pair"
          ? NOTHING
          : isCas
            ? asPick(both(read, compared))
            : read;
      dependents[i] = { address, data, whole: both(address, data, loaded) };
    }
  });
  return { dependents, registers };
};

const isPossibleWith = (execution: Execution, casKeeps: boolean): boolean => {
  const { program, events, from } = execution;
  const order = new Order(events.length);
  const lob: (readonly [number, number])[] = [];
  const { dependents, registers } = dependenciesOf(events, casKeeps);
  const put = (a: number, b: number): void => {
    if (a !== b) lob.push([a, b]);
  };
  events.forEach((b, j) => {
    const { address, data, whole } = dependents[j] as Dependent;
    for (const i of address.basic) put(i, j);
    for (const i of data.basic) put(i, j);
    if (b.writes) for (const i of whole.pick) if (!isPair(events[i] as Event, b)) put(i, j);
    events.forEach((a, i) => {
      if (!isBefore(a, b)) return;
      if (isPair(a, b)) put(i, j);
      if (b.writes && overlap(a, b)) put(i, j);
      if (isAcquire(a) || isRelease(b)) put(i, j);
      if (isRelease(a) && isSequential(b)) put(i, j);
      const pairOf = events[i - 1];
      if (isRelease(a) && pairOf !== undefined && isPair(pairOf, a) && isAcquire(pairOf) && !isExclusive(a)) put(i, j);
      const ops = (program.threads[a.thread] as readonly Op[]).slice(a.at + 1, b.at);
      ops.forEach((op, k) => {
        const at = a.at + 1 + k;
        const ends = (sync: number): boolean =>
          (program.threads[a.thread] as readonly Op[]).slice(sync, b.at).some(({ do: is }) => is === "synchronise");
        if (op.do === "barrier") {
          if (op.barrier.endsWith("SY")) put(i, j);
          if (op.barrier.endsWith("LD") && a.reads && !isSilent(a)) put(i, j);
          if (op.barrier === "DMB ST" && a.writes && b.writes) put(i, j);
          if (op.barrier === "DSB ST" && a.writes) put(i, j);
        } else if (op.do === "branch") {
          const on = registers.get(`${a.thread}:${op.on}`) ?? NOTHING;
          if (on.pick.has(i) && (b.writes || ends(at))) put(i, j);
        } else {
          // Behind an address that it feeds: writes, and all behind a synchronisation.
          const addressed = events.some(
            (event, m) =>
              event.thread === a.thread && event.at === at && (dependents[m] as Dependent).address.pick.has(i),
          );
          if (addressed && (b.writes || ends(at))) put(i, j);
        }
      });
    });
  });
  // The address and the data of a write come before a read that it is the last own write for.
  events.forEach((write, w) => {
    if (!write.writes) return;
    const { address, data } = dependents[w] as Dependent;
    for (const read of readSuccessors(events, w)) {
      for (const i of [...address.basic, ...data.basic]) put(i, read);
      const pairOf = events[w - 1];
      if (pairOf !== undefined && isPair(pairOf, write) && isAcquire(events[read] as Event)) put(w - 1, read);
      // Beyond the model: the sum that an atomic access stores is not found before what it adds to, since no CPU guesses values.
      const { op } = write;
      const computes = op.do === "atomic" && !["swp", "cas", "pair"].includes(op.kind);
      if (computes && from[read]?.includes(w)) put(w - 1, read);
    }
  });
  if (!order.addAll(lob)) return false;
  // What picks something comes before all writes that are locally ordered behind that.
  const local = new Order(order);
  events.forEach((event, j) => {
    for (const i of (dependents[j] as Dependent).whole.pick)
      events.forEach((later, k) => {
        if (later.writes && later.thread === event.thread && local.has(j, k)) order.add(i, k);
      });
  });
  if (!order.addAll(coherentPairs(execution).filter(([a, b]) => events[a]?.thread !== events[b]?.thread))) return false;
  return events.every((event, i) => {
    if (!event.reads) return true;
    for (const source of from[i] as readonly number[])
      if (source !== INITIAL && events[source]?.thread !== event.thread && !order.add(source, i)) return false;
    for (const write of newerThan(execution, i))
      if (events[write]?.thread !== event.thread && !order.add(i, write)) return false;
    return true;
  });
};

const isPossible = (execution: Execution): boolean =>
  isAtomic(execution) && [false, true].some((casKeeps) => isPossibleWith(execution, casKeeps));

/** All final states that Arm's axioms allow. */
export const armStates = (program: Program): ReadonlySet<string> => finalStates(program, "two", isPossible);
