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
 * RVWMO (RISC-V unprivileged ISA, "RVWMO Memory Consistency Model", rules 1 to 13 of "preserved program order"). An atomic memory operation
 * is one event, which reads and writes.
 */

const isAcquire = ({ op, reads }: Event): boolean =>
  reads && (op.do === "load" || op.do === "atomic") && op.acquire !== undefined;
const isRelease = ({ op, writes }: Event): boolean =>
  writes && (op.do === "store" || op.do === "atomic") && op.release === true;

const fenceOrders = (barrier: string, a: Event, b: Event): boolean => {
  const [before = "", behind = ""] = barrier.replace(/^fence /, "").split(",");
  const isIn = (set: string, { reads, writes }: Event): boolean =>
    (reads && set.includes("r")) || (writes && set.includes("w"));
  if (barrier === "fence tso") return (a.reads && (b.reads || b.writes)) || (a.writes && b.writes);
  return isIn(before, a) && isIn(behind, b);
};

const bytesOf = ({ offset, size }: Event): readonly number[] => Array.from({ length: size }, (_, i) => offset + i);

const isPossible = (execution: Execution): boolean => {
  if (!isAtomic(execution)) return false;
  const { program, events, from } = execution;
  const order = new Order(events.length);
  const eventOf = (thread: number, at: number | undefined): number =>
    at === undefined ? -1 : events.findIndex((event) => event.thread === thread && event.at === at && event.reads);
  const addressOf = ({ op, thread }: Event): number => eventOf(thread, "address" in op ? op.address : undefined);
  const dataOf = ({ op, thread }: Event): number => eventOf(thread, "data" in op ? op.data : undefined);
  const isPreserved = (a: Event, i: number, b: Event, j: number): boolean => {
    const between = events.flatMap((event, m) => (isBefore(a, event) && isBefore(event, b) ? [m] : []));
    const ops = (program.threads[a.thread] as readonly Op[]).slice(a.at + 1, b.at);
    // 1
    if (b.writes && overlap(a, b)) return true;
    // 2
    if (a.reads && b.reads) {
      const isNewer = bytesOf(a).some((byte, at) => {
        const other = bytesOf(b).indexOf(byte);
        if (other < 0 || a.place !== b.place) return false;
        const isStored = [i, ...between].some((m) => {
          const event = events[m] as Event;
          return event.writes && event.place === b.place && bytesOf(event).includes(byte);
        });
        return !isStored && from[i]?.[at] !== from[j]?.[other];
      });
      if (isNewer) return true;
    }
    // 3
    if (a.op.do === "atomic" && b.reads && from[j]?.includes(i)) return true;
    // 4
    if (ops.some((op) => op.do === "barrier" && fenceOrders(op.barrier, a, b))) return true;
    // 5, 6, 7
    if (isAcquire(a) || isRelease(b) || (isRelease(a) && isAcquire(b))) return true;
    // 8
    if (isPair(a, b)) return true;
    // 9, 10
    if (addressOf(b) === i || (b.writes && dataOf(b) === i)) return true;
    // 11
    if (b.writes && ops.some((op) => op.do === "branch" && eventOf(a.thread, op.on) === i)) return true;
    // 12, 13
    return between.some((m) => {
      const event = events[m] as Event;
      if (b.writes && addressOf(event) === i) return true;
      return event.writes && b.reads && from[j]?.includes(m) && (addressOf(event) === i || dataOf(event) === i);
    });
  };
  for (const [j, b] of events.entries())
    for (const [i, a] of events.entries())
      if (isBefore(a, b) && isPreserved(a, i, b, j) && !order.add(i, j)) return false;
  if (!order.addAll(coherentPairs(execution))) return false;
  return events.every((event, i) => {
    if (!event.reads) return true;
    for (const source of from[i] as readonly number[])
      if (source !== INITIAL && events[source]?.thread !== event.thread && !order.add(source, i)) return false;
    for (const write of newerThan(execution, i)) if (write !== i && !order.add(i, write)) return false;
    return true;
  });
};

/** All final states that RVWMO allows. */
export const riscvStates = (program: Program): ReadonlySet<string> => finalStates(program, "one", isPossible);
