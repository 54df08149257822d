import type { Duty, Fairness } from "./fairness.js";
import type { Kept } from "./kept.js";
import type { Edge, Graph, Taken } from "./search.js";
import type { Watch } from "./watch.js";

/** A loop that a fair run can go round for ever: the state it starts in, and the transitions back to it. */
export type Loop = { readonly start: number; readonly path: readonly Taken[] };

/** How often the edges of a state are looked at between two looks at the clock. */
const LOOKS_BETWEEN_CLOCKS = 256;

/**
 * Finds a fair cycle in which something is kept: strongly connected parts of the graph in which it stays, from which those states are
 * taken out, again and again, that ask for what is never done in the part (Streett's condition). Of those that are left the one that
 * is reached first counts.
 */
export class FairCycles {
  readonly #graph: Graph;
  readonly #fairness: Fairness;
  readonly #kept: Kept;
  /** By state, the set that is being looked at which it belongs to; 0: none. */
  readonly #set: Int32Array;
  #sets = 0;
  readonly #watch: Watch;
  #looks = 0;

  /** `watch` ends the look with {@link LimitReached}: whether there is a fair cycle is then not known. */
  constructor(graph: Graph, fairness: Fairness, kept: Kept, watch: Watch) {
    this.#watch = watch;
    this.#graph = graph;
    this.#fairness = fairness;
    this.#kept = kept;
    this.#set = new Int32Array(graph.size);
  }

  /** The loop that is reached first, or undefined where there is none. */
  find(): Loop | undefined {
    const part = this.#fair(false);
    return part === undefined ? undefined : this.#loop(part);
  }

  /** Whether there is one. */
  exists(): boolean {
    return this.#fair(true) !== undefined;
  }

  /** The states of a fair part of the graph, that which is reached first in front; `any`: the first that is found will do. */
  #fair(any: boolean): readonly number[] | undefined {
    const { size, rows, width } = this.#graph;
    const all: number[] = [];
    for (let state = 0; state < size; state++) if (this.#kept.inside(rows, state * width)) all.push(state);
    const open = [all];
    let first: readonly number[] | undefined;
    for (let states = open.pop(); states !== undefined; states = open.pop()) {
      for (const part of this.#connected(states)) {
        const lowest = part.reduce((least, state) => Math.min(least, state));
        if (first !== undefined && lowest > (first[0] as number)) continue;
        const neglected = this.#neglected(part, this.#inside(part));
        if (neglected.size === 0) first = [lowest, ...part.filter((state) => state !== lowest)];
        if (any && first !== undefined) return first;
        if (neglected.size > 0)
          open.push(part.filter((state) => !this.#fairness.asked(state).duties.some((duty) => neglected.has(duty))));
      }
    }
    return first;
  }

  /** What states ask for that is neither done by the edges nor excused in the states. */
  #neglected(states: readonly number[], edges: Iterable<Edge>): ReadonlySet<Duty> {
    const neglected = new Set<Duty>();
    const excused = new Set<Duty>();
    for (const state of states) {
      const asked = this.#fairness.asked(state);
      for (const duty of asked.duties) neglected.add(duty);
      for (const duty of asked.excused) excused.add(duty);
    }
    for (const duty of excused) neglected.delete(duty);
    for (const edge of edges) for (const duty of this.#fairness.done(edge)) neglected.delete(duty);
    return neglected;
  }

  /** The edges inside a set of states, and only those by which what is kept stays. */
  #inside(states: readonly number[]): readonly Edge[] {
    const set = ++this.#sets;
    for (const state of states) this.#set[state] = set;
    return states.flatMap((state) => this.#from(state, set));
  }

  #from(from: number, set: number): readonly Edge[] {
    if (this.#looks++ % LOOKS_BETWEEN_CLOCKS === 0) this.#watch.assert();
    return this.#graph.edges(from).filter((edge) => this.#set[edge.to] === set && this.#kept.stays(edge));
  }

  /** The strongly connected parts of a set of states that have an edge inside (Tarjan). */
  #connected(states: readonly number[]): readonly (readonly number[])[] {
    const set = ++this.#sets;
    for (const state of states) this.#set[state] = set;
    const index = new Map<number, number>();
    const low = new Map<number, number>();
    const stack: number[] = [];
    const onStack = new Set<number>();
    const found: number[][] = [];
    for (const root of states) {
      if (index.has(root)) continue;
      const calls: { readonly state: number; readonly edges: readonly Edge[]; at: number }[] = [];
      const enter = (state: number): void => {
        index.set(state, index.size);
        low.set(state, index.size - 1);
        stack.push(state);
        onStack.add(state);
        calls.push({ state, edges: this.#from(state, set), at: 0 });
      };
      const lower = (state: number, value: number): void => {
        if (value < (low.get(state) as number)) low.set(state, value);
      };
      enter(root);
      for (let call = calls[calls.length - 1]; call !== undefined; call = calls[calls.length - 1]) {
        const edge = call.edges[call.at++];
        if (edge !== undefined) {
          if (!index.has(edge.to)) enter(edge.to);
          else if (onStack.has(edge.to)) lower(call.state, index.get(edge.to) as number);
          continue;
        }
        calls.pop();
        const caller = calls[calls.length - 1];
        if (caller !== undefined) lower(caller.state, low.get(call.state) as number);
        if (low.get(call.state) !== index.get(call.state)) continue;
        const part: number[] = [];
        for (let state = -1; state !== call.state; ) {
          state = stack.pop() as number;
          onStack.delete(state);
          part.push(state);
        }
        if (part.length > 1 || call.edges.some((each) => each.to === call.state)) found.push(part);
      }
    }
    return found;
  }

  /** A short loop through the first of these states that is fair by itself. */
  #loop(states: readonly number[]): Loop {
    const edges = this.#inside(states);
    const set = this.#sets;
    const [start = 0] = states;
    const goals: Edge[] = [];
    for (;;) {
      let at = start;
      const path: Edge[] = [];
      for (const goal of goals) {
        path.push(...this.#way(at, (state) => state === goal.from, set, false), goal);
        at = goal.to;
      }
      if (at !== start || path.length === 0) path.push(...this.#way(at, (state) => state === start, set, true));
      const [missing] = this.#neglected(
        path.map(({ from }) => from),
        path,
      );
      if (missing === undefined) return { start, path: path.map(({ effect, column }) => ({ effect, column })) };
      const goal = edges.find(
        (edge) =>
          this.#fairness.done(edge).includes(missing) || this.#fairness.asked(edge.from).excused.includes(missing),
      );
      if (goal === undefined) throw new Error("A fair part of the graph does what it asks for.");
      goals.push(goal);
    }
  }

  /** A shortest way inside a set to a state that is wanted; `away`: of at least one step. */
  #way(from: number, wanted: (state: number) => boolean, set: number, away: boolean): readonly Edge[] {
    if (!away && wanted(from)) return [];
    const reached = new Map<number, Edge>();
    const queue = [from];
    for (const state of queue) {
      for (const edge of this.#from(state, set)) {
        if (reached.has(edge.to)) continue;
        reached.set(edge.to, edge);
        if (!wanted(edge.to)) {
          queue.push(edge.to);
          continue;
        }
        const path = [edge];
        for (let at = edge.from; at !== from; ) {
          const before = reached.get(at) as Edge;
          path.push(before);
          at = before.from;
        }
        return path.reverse();
      }
    }
    throw new Error("The states of a strongly connected part reach each other.");
  }
}
