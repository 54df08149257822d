import type { Duty, Fairness } from "./fairness.js";
import type { Kept } from "./kept.js";
import type { Pause } from "./pace.js";
import type { Edge, Graph, Taken } from "./search.js";

/** A loop that a fair run can go round for ever: the state it starts in, and the transitions back to it. */
export type Loop = { readonly start: number; readonly path: readonly Taken[] };

/** How often a state or its edges are looked at between two looks at the clock. */
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
  readonly #pause: Pause;
  #looks = 0;

  /** `pause` may end the look with {@link LimitReached}: whether there is a fair cycle is then not known. */
  constructor(graph: Graph, fairness: Fairness, kept: Kept, pause: Pause) {
    this.#pause = pause;
    this.#graph = graph;
    this.#fairness = fairness;
    this.#kept = kept;
    this.#set = new Int32Array(graph.size);
  }

  /** The loop that is reached first, or undefined where there is none. */
  async find(): Promise<Loop | undefined> {
    const part = await this.#fair(false);
    return part === undefined ? undefined : await this.#loop(part);
  }

  /** Whether there is one. */
  async exists(): Promise<boolean> {
    return (await this.#fair(true)) !== undefined;
  }

  /** Whether it is time to pause; asked before each look. */
  get #isDue(): boolean {
    return this.#looks++ % LOOKS_BETWEEN_CLOCKS === 0;
  }

  /** The states of a fair part of the graph, that which is reached first in front; `any`: the first that is found will do. */
  async #fair(any: boolean): Promise<readonly number[] | undefined> {
    const { size, rows, width } = this.#graph;
    const all: number[] = [];
    for (let state = 0; state < size; state++) {
      if (this.#isDue) await this.#pause();
      if (this.#kept.inside(rows, state * width)) all.push(state);
    }
    const open = [all];
    let first: readonly number[] | undefined;
    for (let states = open.pop(); states !== undefined; states = open.pop()) {
      for (const part of await this.#connected(states)) {
        const lowest = part.reduce((least, state) => Math.min(least, state));
        if (first !== undefined && lowest > (first[0] as number)) continue;
        const neglected = await this.#neglected(part, await this.#inside(part));
        if (neglected.size === 0) first = [lowest, ...part.filter((state) => state !== lowest)];
        if (any && first !== undefined) return first;
        if (neglected.size > 0)
          open.push(part.filter((state) => !this.#fairness.asked(state).duties.some((duty) => neglected.has(duty))));
      }
    }
    return first;
  }

  /** What states ask for that is neither done by the edges nor excused in the states. */
  async #neglected(states: readonly number[], edges: Iterable<Edge>): Promise<ReadonlySet<Duty>> {
    const neglected = new Set<Duty>();
    const excused = new Set<Duty>();
    for (const state of states) {
      if (this.#isDue) await this.#pause();
      const asked = this.#fairness.asked(state);
      for (const duty of asked.duties) neglected.add(duty);
      for (const duty of asked.excused) excused.add(duty);
    }
    for (const duty of excused) neglected.delete(duty);
    for (const edge of edges) {
      if (this.#isDue) await this.#pause();
      for (const duty of this.#fairness.done(edge)) neglected.delete(duty);
    }
    return neglected;
  }

  /** The edges inside a set of states, and only those by which what is kept stays. */
  async #inside(states: readonly number[]): Promise<readonly Edge[]> {
    const set = ++this.#sets;
    for (const state of states) this.#set[state] = set;
    const edges: Edge[] = [];
    for (const state of states) {
      if (this.#isDue) await this.#pause();
      for (const edge of this.#from(state, set)) edges.push(edge);
    }
    return edges;
  }

  #from(from: number, set: number): readonly Edge[] {
    return this.#graph.edges(from).filter((edge) => this.#set[edge.to] === set && this.#kept.stays(edge));
  }

  /** The strongly connected parts of a set of states that have an edge inside (Tarjan). */
  async #connected(states: readonly number[]): Promise<readonly (readonly number[])[]> {
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
        if (this.#isDue) await this.#pause();
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
  async #loop(states: readonly number[]): Promise<Loop> {
    const edges = await this.#inside(states);
    const set = this.#sets;
    const [start = 0] = states;
    const goals: Edge[] = [];
    for (;;) {
      let at = start;
      const path: Edge[] = [];
      for (const goal of goals) {
        path.push(...(await this.#way(at, (state) => state === goal.from, set, false)), goal);
        at = goal.to;
      }
      if (at !== start || path.length === 0) path.push(...(await this.#way(at, (state) => state === start, set, true)));
      const [missing] = await this.#neglected(
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
  async #way(from: number, wanted: (state: number) => boolean, set: number, away: boolean): Promise<readonly Edge[]> {
    if (!away && wanted(from)) return [];
    const reached = new Map<number, Edge>();
    const queue = [from];
    for (const state of queue) {
      if (this.#isDue) await this.#pause();
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
