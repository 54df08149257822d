import { behindBarrier, localOrder } from "./local-order.js";
import { type Cache, data, functions, isFunction, type Place, type Program, stateText } from "./program.js";
import { Order } from "./relation.js";
import { isEvent, type Trace, type TraceEvent, tracesOf } from "./trace.js";

/*
 * The final states of a program by Arm's axioms: an execution is possible when data is coherent and "ordered before" has no cycle.
 * Executions are enumerated: what every load and fetch reads from, the order of the writes of each place, on which side of each write a
 * clean of its place falls, and on which side of each invalidation a fetch of its place.
 */

/** An event of an execution. */
type Event = TraceEvent & {
  readonly thread: number;
  /** Its index in the trace of its thread. */
  readonly at: number;
};

/** Reads from the initial value. */
const INITIAL = -1;
const NONE: readonly number[] = [];

/** One choice of a trace for every thread. */
type Execution = {
  readonly events: readonly Event[];
  readonly cache: Cache;
  /** Local orders alone. */
  readonly local: Order;
  /** By event: where an invalidation is complete, what comes behind. */
  readonly behind: readonly (readonly number[] | undefined)[];
};

/** All final states that the axioms allow, as {@link stateText} has them. */
export const finalStates = (program: Program, cache: Cache): ReadonlySet<string> => {
  const found = new Set<string>();
  const choices = program.threads.map((thread) => tracesOf(program, thread));
  for (const traces of product(choices)) {
    const execution = executionOf(traces, cache);
    if (execution === undefined) continue;
    const { events } = execution;
    const sources = events.map((event, i) => sourcesOf(events, event, i));
    for (const orders of writeOrders(execution)) {
      const last = data.map((place) => {
        const write = orders.get(place)?.at(-1);
        return write === undefined ? 0 : ((events[write] as Event).value as number);
      });
      const values = traces.map((trace) => trace.found);
      const text = stateText(values, last);
      if (found.has(text)) continue;
      for (const from of product(sources)) {
        if (!isPossible(execution, from as readonly number[], orders)) continue;
        found.add(text);
        break;
      }
    }
  }
  return found;
};

function* product<T>(choices: readonly (readonly T[])[], taken: readonly T[] = []): Generator<readonly T[]> {
  const [first, ...rest] = choices;
  if (first === undefined) yield taken;
  else for (const each of first) yield* product(rest, [...taken, each]);
}

const executionOf = (traces: readonly Trace[], cache: Cache): Execution | undefined => {
  const events: Event[] = [];
  const numbers = traces.map(({ items }, thread) =>
    items.map((item, at) => (isEvent(item) ? events.push({ ...item, thread, at }) - 1 : -1)),
  );
  const local = new Order(events.length);
  const behind: (readonly number[] | undefined)[] = events.map(() => undefined);
  for (const [thread, trace] of traces.entries()) {
    const number = (at: number): number => numbers[thread]?.[at] as number;
    if (!local.addAll(localOrder(trace).map(([a, b]) => [number(a), number(b)] as const))) return undefined;
    for (const [at, item] of trace.items.entries())
      if (item.is === "invalidate") behind[number(at)] = behindBarrier(trace, at)?.map(number);
  }
  return { events, cache, local, behind };
};

/** The writes, and the initial value, that a load or fetch may read from; one that is nothing for other events. */
const sourcesOf = (events: readonly Event[], { is, place, value }: Event, i: number): readonly number[] => {
  if (is !== "read" && is !== "fetch") return [INITIAL];
  const writes = events.flatMap((each, j) =>
    each.is === "write" && each.place === place && each.value === value && i !== j ? [j] : [],
  );
  return value === 0 ? [INITIAL, ...writes] : writes;
};

/** Every order of the writes of each place. */
function* writeOrders({ events, local }: Execution): Generator<ReadonlyMap<Place, readonly number[]>> {
  const places: readonly Place[] = [...data, ...functions];
  const orders = places.map((place) => {
    const writes = events.flatMap(({ is, place: at }, i) => (is === "write" && at === place ? [i] : []));
    return permutations(writes).filter((order) =>
      order.every((a, i) => order.slice(0, i).every((b) => !local.has(a, b))),
    );
  });
  for (const each of product(orders)) yield new Map(places.map((place, i) => [place, each[i] as readonly number[]]));
}

const permutations = (of: readonly number[]): readonly (readonly number[])[] =>
  of.length === 0
    ? [[]]
    : of.flatMap((each) => permutations(of.filter((other) => other !== each)).map((rest) => [each, ...rest]));

/** Whether some choice of the sides of cleans and invalidations makes the execution possible. */
const isPossible = (
  execution: Execution,
  from: readonly number[],
  orders: ReadonlyMap<Place, readonly number[]>,
): boolean => {
  const { events, cache, local } = execution;
  /** The writes that are newer than what an event reads. */
  const newer = events.map(({ place }, i) => {
    if (place === undefined) return NONE;
    const order = orders.get(place) as readonly number[];
    return order.slice(order.indexOf(from[i] as number) + 1);
  });
  if (!isCoherent(execution, from, orders, newer)) return false;

  const order = new Order(local);
  for (const writes of orders.values())
    if (!order.addAll(writes.flatMap((a, i) => writes.slice(i + 1).map((b) => [a, b] as const)))) return false;
  for (const [i, event] of events.entries()) {
    const source = from[i] as number;
    if (event.is === "read") {
      if (!order.addAll((newer[i] as readonly number[]).map((write) => [i, write] as const))) return false;
      if (source === INITIAL) continue;
      const write = events[source] as Event;
      if (write.thread !== event.thread) {
        if (!order.add(source, i)) return false;
        continue;
      }
      // A load that finds its own CPU's store waits for what that store's address and data wait for.
      for (const at of [write.address, write.data]) {
        const fed = events.findIndex((each) => each.thread === write.thread && each.at === at);
        if (fed >= 0 && !order.add(fed, i)) return false;
      }
    }
    if (event.is === "fetch") {
      if (source !== INITIAL && !order.add(source, i)) return false;
      if (!cache.dic) continue;
      for (const early of fetchesUpTo(events, i))
        if (!order.addAll((newer[i] as readonly number[]).map((write) => [early, write] as const))) return false;
    }
  }
  if (cache.dic) return true;
  return chooseSides(execution, newer, order, sidesOf(execution));
};

/** A fetch and those before it in its program. */
const fetchesUpTo = (events: readonly Event[], fetch: number): readonly number[] => {
  const { thread, at } = events[fetch] as Event;
  return events.flatMap((each, i) => (each.is === "fetch" && each.thread === thread && each.at <= at ? [i] : []));
};

/** Loads and stores of each place happen as if one after the other. */
const isCoherent = (
  { events }: Execution,
  from: readonly number[],
  orders: ReadonlyMap<Place, readonly number[]>,
  newer: readonly (readonly number[])[],
): boolean => {
  const order = new Order(events.length);
  for (const writes of orders.values())
    if (!order.addAll(writes.flatMap((a, i) => writes.slice(i + 1).map((b) => [a, b] as const)))) return false;
  return events.every((a, i) => {
    if (a.is !== "read" && a.is !== "write") return true;
    const later = events.flatMap((b, j) =>
      (b.is === "read" || b.is === "write") && a.thread === b.thread && a.place === b.place && a.at < b.at
        ? [[i, j] as const]
        : [],
    );
    if (!order.addAll(later)) return false;
    if (a.is === "write") return true;
    if (from[i] !== INITIAL && !order.add(from[i] as number, i)) return false;
    return order.addAll((newer[i] as readonly number[]).map((write) => [i, write] as const));
  });
};

/** Two events of one place that are ordered one way or the other: a write and a clean, or an invalidation and a fetch. */
type Side = readonly [number, number];

const sidesOf = ({ events, cache, behind }: Execution): readonly Side[] => {
  const pairs = (a: Event["is"], b: Event["is"]): readonly Side[] =>
    events.flatMap((one, i) =>
      one.is === a && one.place !== undefined && isFunction(one.place)
        ? events.flatMap((other, j) => (other.is === b && other.place === one.place ? [[i, j] as const] : []))
        : [],
    );
  const complete = pairs("invalidate", "fetch").filter(([invalidation]) => behind[invalidation] !== undefined);
  return [...complete, ...(cache.idc ? [] : pairs("write", "clean"))];
};

const chooseSides = (
  execution: Execution,
  newer: readonly (readonly number[])[],
  order: Order,
  [side, ...rest]: readonly Side[],
): boolean => {
  if (isStale(execution, newer, order)) return false;
  if (side === undefined) return true;
  const { events, behind } = execution;
  const [a, b] = side;
  const forth = new Order(order);
  if (forth.add(a, b) && chooseSides(execution, newer, forth, rest)) return true;
  if (!order.add(b, a)) return false;
  // Before a fetch that an invalidation comes after come those before it: nothing behind the barrier is before them.
  if ((events[b] as Event).is === "fetch")
    for (const early of fetchesUpTo(events, b))
      if (!order.addAll((behind[a] ?? NONE).map((later) => [early, later] as const))) return false;
  return chooseSides(execution, newer, order, rest);
};

/** Whether a fetch finds something older than what an invalidation before it has left. */
const isStale = ({ events, cache, behind }: Execution, newer: readonly (readonly number[])[], order: Order): boolean =>
  events.some((fetch, f) => {
    if (fetch.is !== "fetch") return false;
    return events.some((invalidation, i) => {
      if (invalidation.is !== "invalidate" || invalidation.place !== fetch.place) return false;
      if (behind[i] === undefined || !order.has(i, f)) return false;
      return (newer[f] as readonly number[]).some((write) =>
        cache.idc
          ? order.has(write, i)
          : events.some(
              (clean, c) =>
                clean.is === "clean" && clean.place === fetch.place && order.has(write, c) && order.has(c, i),
            ),
      );
    });
  });
