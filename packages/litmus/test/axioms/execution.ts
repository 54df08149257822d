import { Order } from "../axiomatic/relation.js";
import { type Op, type Place, type Program, patternOf, places, type Span, stateText } from "./program.js";

/*
 * Candidate executions: what every byte that is loaded reads from, and the order of the writes of each place. Architectures say with their
 * axioms which of them are possible.
 */

/** One event; an atomic access is one or two of them. */
export type Event = Span & {
  readonly thread: number;
  /** Its operation by its index in the thread. */
  readonly at: number;
  readonly op: Op;
  readonly reads: boolean;
  readonly writes: boolean;
};

/** The initial value, as what a byte reads from. */
export const INITIAL = -1;

export type Execution = {
  readonly program: Program;
  readonly events: readonly Event[];
  /** By event and byte of it, the event that it reads from. */
  readonly from: readonly (readonly number[])[];
  /** Writes of each place, the oldest first. */
  readonly coherence: ReadonlyMap<Place, readonly number[]>;
};

/** Whether events access a common byte. */
export const overlap = (a: Span, b: Span): boolean =>
  a.place === b.place && a.offset < b.offset + b.size && b.offset < a.offset + a.size;

/** Whether one event is before another in its thread. */
export const isBefore = (a: Event, b: Event): boolean =>
  a.thread === b.thread && (a.at < b.at || (a.at === b.at && a.reads && !b.reads));

/** The bytes of its place that an event accesses. */
const bytesOf = ({ offset, size }: Span): readonly number[] => Array.from({ length: size }, (_, i) => offset + i);

const covers = ({ offset, size }: Span, byte: number): boolean => byte >= offset && byte < offset + size;

/** The writes that are newer than what an event reads, of any byte. */
export const newerThan = ({ events, from, coherence }: Execution, read: number): ReadonlySet<number> => {
  const event = events[read] as Event;
  const order = coherence.get(event.place) as readonly number[];
  const found = new Set<number>();
  bytesOf(event).forEach((byte, i) => {
    const source = from[read]?.[i] as number;
    for (const write of order.slice(order.indexOf(source) + 1))
      if (covers(events[write] as Event, byte)) found.add(write);
  });
  return found;
};

/** Pairs of writes of common bytes, the older first. */
export const coherentPairs = ({ events, coherence }: Execution): readonly (readonly [number, number])[] =>
  [...coherence.values()].flatMap((order) =>
    order.flatMap((a, i) =>
      order.slice(i + 1).flatMap((b) => (overlap(events[a] as Event, events[b] as Event) ? [[a, b] as const] : [])),
    ),
  );

/** Accesses of every byte happen as if one after the other, those of each thread in its order. */
const isCoherent = ({ events, from, coherence }: Execution): boolean =>
  places.every((place) =>
    Array.from({ length: 8 }, (_, byte) => byte).every((byte) => {
      const here = (event: Event): boolean => event.place === place && covers(event, byte);
      const order = new Order(events.length);
      const writes = (coherence.get(place) as readonly number[]).filter((write) => here(events[write] as Event));
      if (!order.addAll(writes.slice(1).map((write, i) => [writes[i] as number, write] as const))) return false;
      return events.every((a, i) => {
        if (!here(a)) return true;
        const later = events.flatMap((b, j) => (here(b) && isBefore(a, b) ? [[i, j] as const] : []));
        if (!order.addAll(later)) return false;
        if (!a.reads) return true;
        const source = from[i]?.[byte - a.offset] as number;
        if (source !== INITIAL && !order.add(source, i)) return false;
        const newer = writes.slice(writes.indexOf(source) + 1).filter((write) => write !== i);
        // One event that reads and writes reads what is right before it.
        return newer.every((write) => order.add(i, write));
      });
    }),
  );

/** What an operation stores, of what it found. */
const storedBy = (op: Op, found: bigint): bigint => {
  if (op.do === "store") return patternOf(op.value, op.size);
  if (op.do !== "atomic") return 0n;
  const operand = patternOf(op.value, op.size);
  switch (op.kind) {
    case "add":
      return BigInt.asUintN(8 * op.size, found + operand);
    case "set":
      return found | operand;
    case "clr":
      return found & ~operand;
    case "eor":
      return found ^ operand;
    default:
      return operand;
  }
};

/** The values of all events; undefined where they are not those of an execution: a CAS does not do what it was taken to do. */
const valuesOf = ({ events, from }: Pick<Execution, "events" | "from">): readonly bigint[] | undefined => {
  const found: (bigint | undefined)[] = events.map(() => undefined);
  const stored: (bigint | undefined)[] = events.map(() => undefined);
  for (let round = 0; round <= 2 * events.length; round++) {
    events.forEach((event, i) => {
      if (event.reads) {
        const bytes = (from[i] as readonly number[]).map((source, byte): bigint | undefined => {
          if (source === INITIAL) return 0n;
          const value = stored[source];
          const shift = BigInt(8 * (event.offset + byte - (events[source] as Event).offset));
          return value === undefined ? undefined : (value >> shift) & 0xffn;
        });
        if (bytes.every((byte) => byte !== undefined))
          found[i] = bytes.reduceRight<bigint>((value, byte) => (value << 8n) | (byte as bigint), 0n);
      }
      if (event.writes) {
        const { op } = event;
        const loaded =
          op.do === "store" || (op.do === "atomic" && (op.kind === "swp" || op.kind === "cas" || op.kind === "pair"))
            ? 0n
            : found[event.reads ? i : i - 1];
        if (loaded !== undefined) stored[i] = storedBy(op, loaded);
      }
    });
  }
  if (events.some((event, i) => (event.reads && found[i] === undefined) || (event.writes && stored[i] === undefined)))
    return undefined;
  const isTrue = events.every((event, i) => {
    const { op } = event;
    if (!event.reads || op.do !== "atomic" || op.kind !== "cas") return true;
    return (
      (found[i] === patternOf(op.compare ?? 0, op.size)) ===
      (events[i + 1]?.at === event.at && events[i + 1]?.thread === event.thread)
    );
  });
  return isTrue ? events.map((event, i) => (event.reads ? found[i] : stored[i]) as bigint) : undefined;
};

const lastOf = ({ events, coherence }: Execution, values: readonly bigint[], place: Place): bigint => {
  let value = 0n;
  for (const write of coherence.get(place) as readonly number[]) {
    const { op, offset, size, reads } = events[write] as Event;
    const bits = BigInt(8 * offset);
    const mask = ((1n << BigInt(8 * size)) - 1n) << bits;
    const stored = reads ? storedBy(op, values[write] as bigint) : (values[write] as bigint);
    value = (value & ~mask) | (stored << bits);
  }
  return value;
};

function* product<T>(choices: readonly (readonly T[])[], taken: readonly T[] = []): Generator<readonly T[]> {
  const [first, ...rest] = choices;
  if (first === undefined) yield taken;
  else for (const each of first) yield* product(rest, [...taken, each]);
}

const permutations = (of: readonly number[]): readonly (readonly number[])[] =>
  of.length === 0
    ? [[]]
    : of.flatMap((each) => permutations(of.filter((other) => other !== each)).map((rest) => [each, ...rest]));

/** The events of a program, for every choice of which CAS store. `parts` divides an atomic access. */
function* eventsOf(program: Program, parts: "one" | "two"): Generator<readonly Event[]> {
  const all = program.threads.flatMap((ops, thread) => ops.map((op, at) => ({ op, thread, at })));
  const choices = all.map(({ op, thread, at }): readonly (readonly Event[])[] => {
    if (op.do !== "load" && op.do !== "store" && op.do !== "atomic") return [[]];
    const { place, offset, size } = op;
    const event = (reads: boolean, writes: boolean): Event => ({ op, thread, at, place, offset, size, reads, writes });
    if (op.do === "load") return [[event(true, false)]];
    if (op.do === "store") return [[event(false, true)]];
    const both = [event(true, false), event(false, true)];
    if (op.kind === "pair") return [both, both.slice(0, 1)];
    if (parts === "one") return [[event(true, true)]];
    return op.kind === "cas" ? [both, both.slice(0, 1)] : [both];
  });
  for (const chosen of product(choices)) yield chosen.flat();
}

/** What the bytes of an event may read from: the last own write before it, or writes of others. */
function* sourcesOf(events: readonly Event[], read: Event): Generator<readonly number[]> {
  if (!read.reads) {
    yield [];
    return;
  }
  const bytes = bytesOf(read);
  const options = bytes.map((byte): readonly number[] => {
    const writing = events.flatMap((event, i) =>
      event.writes && event.place === read.place && covers(event, byte) && event !== read ? [i] : [],
    );
    const others = writing.filter((i) => events[i]?.thread !== read.thread);
    const own = writing.filter((i) => isBefore(events[i] as Event, read)).at(-1);
    return [own ?? INITIAL, ...others];
  });
  // Bytes that the same writes cover read from the same, since each is a part of one access.
  const key = options.map((each) => each.join());
  const segments = [...new Set(key)];
  for (const chosen of product(segments.map((segment) => options[key.indexOf(segment)] as readonly number[])))
    yield bytes.map((_, i) => chosen[segments.indexOf(key[i] as string)] as number);
}

/** All final states of a program that axioms allow, as {@link stateText} has them. */
export const finalStates = (
  program: Program,
  parts: "one" | "two",
  isPossible: (execution: Execution) => boolean,
): ReadonlySet<string> => {
  const states = new Set<string>();
  for (const events of eventsOf(program, parts)) {
    const orders = places.map((place) => {
      const writes = events.flatMap((event, i) => (event.writes && event.place === place ? [i] : []));
      return permutations(writes).filter((order) =>
        order.every((b, i) =>
          order.slice(0, i).every((a) => {
            const [older, newer] = [events[a] as Event, events[b] as Event];
            return !(overlap(older, newer) && isBefore(newer, older));
          }),
        ),
      );
    });
    for (const from of product(events.map((event) => [...sourcesOf(events, event)]))) {
      const values = valuesOf({ events, from });
      if (values === undefined) continue;
      const found = program.threads.map((ops, thread) =>
        ops.map((op, at) => {
          const i = events.findIndex((event) => event.thread === thread && event.at === at && event.reads);
          return i < 0 || (op.do === "atomic" && op.silent === true) ? undefined : values[i];
        }),
      );
      for (const chosen of product(orders)) {
        const coherence = new Map(places.map((place, i) => [place, chosen[i] as readonly number[]]));
        const execution: Execution = { program, events, from, coherence };
        const text = stateText(
          found,
          places.map((place) => lastOf(execution, values, place)),
        );
        if (!states.has(text) && isCoherent(execution) && isPossible(execution)) states.add(text);
      }
    }
  }
  return states;
};

/** Whether two events are the load and the store of one access. */
export const isPair = (a: Event, b: Event): boolean =>
  a.thread === b.thread && a.at === b.at && a.reads && b.writes && a !== b;

/** No write of another thread comes between the read and the write of an atomic access. */
export const isAtomic = (execution: Execution): boolean => {
  const { events, coherence } = execution;
  return events.every((write, w) => {
    const read = events[w - 1];
    if (read === undefined || !isPair(read, write)) return true;
    const order = coherence.get(write.place) as readonly number[];
    const newer = newerThan(execution, w - 1);
    return order
      .slice(0, order.indexOf(w))
      .every((other) => !newer.has(other) || events[other]?.thread === write.thread);
  });
};
