import { type Barrier, instructions, isFunction, type Op, type Place, type Program } from "./program.js";

/*
 * What one thread may do: its events in program order, for every choice of the values that its loads and fetches find.
 */

/** What is ordered. */
export type EventKind = "read" | "write" | "fetch" | "clean" | "invalidate" | "synchronise";

/** One event; dependencies name loads of the same trace by their index in it. */
export type TraceEvent = {
  readonly is: EventKind;
  readonly place?: Place;
  /** Of reads, writes and fetches. */
  readonly value?: number;
  readonly address?: number;
  readonly data?: number;
};

/** What lies between events: barriers, and branches on a load. */
export type Between =
  | { readonly is: "barrier"; readonly barrier: Barrier }
  | { readonly is: "branch"; readonly on: number };

export type Trace = {
  readonly items: readonly (TraceEvent | Between)[];
  /** By operation: what the load found or the call ran; 0 where it was left out, undefined for other operations. */
  readonly found: readonly (number | undefined)[];
};

export const isEvent = (item: TraceEvent | Between): item is TraceEvent =>
  item.is !== "barrier" && item.is !== "branch";

/** All values that a place can hold. */
const valuesAt = ({ threads }: Program, place: Place): readonly number[] => [
  ...new Set([0, ...threads.flat().flatMap((op) => (op.do === "store" && op.place === place ? [op.value] : []))]),
];

/** Every trace of a thread, whatever the others do. */
export const tracesOf = (program: Program, thread: readonly Op[]): readonly Trace[] => {
  const traces: Trace[] = [];
  /** `reads`: by operation, where its read stands in `items`. */
  const go = (i: number, items: Trace["items"], found: Trace["found"], reads: ReadonlyMap<number, number>): void => {
    const op = thread[i];
    if (op === undefined) {
      traces.push({ items, found });
      return;
    }
    const dependencies = {
      ...("address" in op && op.address !== undefined && reads.has(op.address)
        ? { address: reads.get(op.address) as number }
        : {}),
      ...("data" in op && op.data !== undefined && reads.has(op.data) ? { data: reads.get(op.data) as number } : {}),
    };
    const put = (...more: Trace["items"]): void => go(i + 1, [...items, ...more], [...found, undefined], reads);
    switch (op.do) {
      case "load":
        for (const value of valuesAt(program, op.place)) {
          const event: TraceEvent = { is: "read", place: op.place, value, ...dependencies };
          go(i + 1, [...items, event], [...found, value], new Map([...reads, [i, items.length]]));
        }
        return;
      case "call":
        for (const value of valuesAt(program, op.place)) {
          const fetch: TraceEvent = { is: "fetch", place: op.place, value };
          const more: Trace["items"] = instructions[value] === "ISB" ? [fetch, { is: "synchronise" }] : [fetch];
          go(i + 1, [...items, ...more], [...found, value], reads);
        }
        return;
      case "store":
        put({ is: "write", place: op.place, value: op.value, ...dependencies });
        return;
      case "clean":
      case "invalidate":
        put({ is: op.do, place: op.place, ...dependencies });
        return;
      case "synchronise":
        put({ is: "synchronise" });
        return;
      case "barrier":
        put({ is: "barrier", barrier: op.barrier });
        return;
      case "branch": {
        const on = reads.get(op.on);
        const after: Trace["items"] = on === undefined ? items : [...items, { is: "branch", on }];
        const load = thread[op.on];
        // A register that no load wrote is 0; an instruction as data never is.
        const code = on !== undefined && load?.do === "load" && isFunction(load.place);
        const taken = code || (found[op.on] ?? 0) !== 0;
        const left = thread[i + 1];
        const none = left?.do === "load" || left?.do === "call" ? 0 : undefined;
        if (op.skips && taken) go(i + 2, after, [...found, undefined, none], reads);
        else go(i + 1, after, [...found, undefined], reads);
      }
    }
  };
  go(0, [], [], new Map());
  return traces;
};
