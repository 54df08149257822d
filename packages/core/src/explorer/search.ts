import type { PropertyId } from "../properties/property.js";
import type { Bounds, Progress } from "../verdict.js";
import { GrowingInt32 } from "./growing.js";
import { StateStore } from "./state-store.js";
import { CPU0, type Steps, type Visitor } from "./steps.js";
/** A taken transition: the effect, and the column of the row of the CPU that acted. */
export type Taken = { readonly effect: number; readonly column: number };

/** What a search is asked to do. */
export type SearchOptions = {
  /** Bits of the properties that end the search, by their place in the machine's list. */
  readonly active: number;
  readonly bounds: Bounds;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Remember the graph, so that questions about the whole of it can be answered. */
  readonly graph: boolean;
  /** Take urgent steps together with the step before. Paths are then not the shortest. */
  readonly reduce: boolean;
  /** Go on for this many states after the first level with a violation, to see what else breaks; 0: end with that level. */
  readonly beyond: number;
};

/** A transition that breaks a property, and the state it starts from. */
type Violation = Taken & { readonly state: number };

/** How a search ended. */
export type SearchEnd =
  | { readonly end: "complete" }
  | { readonly end: "violation"; readonly path: readonly Taken[] }
  | { readonly end: "limit"; readonly limit: keyof Bounds | "interrupted" };

const CHECK_EVERY = 1024;
const YIELD_MS = 25;
const PROGRESS_MS = 200;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/**
 * Breadth-first search of every interleaving. States are numbered in the order in which they are found, so a level is a range of
 * numbers, and the first level that holds a violation holds the shortest ones.
 */
export class Search implements Visitor {
  readonly store: StateStore;
  transitions = 0;
  readonly #steps: Steps;
  /** Number of the first state of each level. */
  readonly #levels: number[] = [0];
  readonly #edgeStart = new GrowingInt32();
  readonly #edges = new GrowingInt32();
  readonly #violations: Violation[] = [];
  /** The first level in which violations start, and how many do. */
  #first: { readonly level: number; readonly violations: number } | undefined;
  #notPromised = 0;
  #active = 0;
  #graph = false;
  #reduce = false;

  constructor(steps: Steps) {
    this.#steps = steps;
    const row = steps.initialRow();
    this.store = new StateStore(row.length);
    this.store.add(row);
  }

  /** Levels explored. */
  get depth(): number {
    return this.#levels.length - 1;
  }

  /** Bits of properties that broke without ending the search. */
  get brokenInactive(): number {
    return this.#notPromised;
  }

  /** Bytes of all tables. */
  get bytes(): number {
    return this.store.bytes + this.#edges.bytes + this.#edgeStart.bytes;
  }

  async run(options: SearchOptions): Promise<SearchEnd> {
    const { bounds, signal, onProgress } = options;
    this.#active = options.active;
    this.#graph = options.graph;
    this.#reduce = options.reduce;
    const next = new Int32Array(this.store.width);
    const began = performance.now();
    let yielded = began;
    let shown = began;
    let levelEnd = 1;
    let enough: number | undefined;
    for (let state = 0; state < this.store.size; state++) {
      if (state === levelEnd) {
        if (this.#violations.length > 0) {
          this.#endLevel();
          if (this.store.size > (enough ??= this.store.size + options.beyond) || options.beyond === 0) break;
        }
        this.#levels.push(state);
        levelEnd = this.store.size;
      }
      if (this.#graph) this.#edgeStart.push(this.#edges.length);
      this.#steps.visit(this.store, state, next, this, this.#reduce);
      if (bounds.states !== undefined && this.store.size > bounds.states) return this.#cut("states");
      if (state % CHECK_EVERY !== 0) continue;
      const now = performance.now();
      if (bounds.milliseconds !== undefined && now - began > bounds.milliseconds) return this.#cut("milliseconds");
      if (bounds.bytes !== undefined && this.bytes > bounds.bytes) return this.#cut("bytes");
      if (now - yielded > YIELD_MS) {
        await pause();
        yielded = performance.now();
        if (signal?.aborted) return this.#cut("interrupted");
      }
      if (onProgress !== undefined && now - shown > PROGRESS_MS) {
        shown = now;
        const states = this.store.size;
        onProgress({ states, frontier: levelEnd - state, depth: this.depth, rate: (1000 * states) / (now - began) });
      }
    }
    return this.#violations.length > 0 ? this.#violated() : { end: "complete" };
  }

  /** A bound was reached; a violation that was found before is none the less one. */
  #cut(limit: keyof Bounds | "interrupted"): SearchEnd {
    return this.#violations.length > 0 ? this.#violated() : { end: "limit", limit };
  }

  #violated(): SearchEnd {
    this.#endLevel();
    return { end: "violation", path: this.#shortest() };
  }

  /** Remembers the first level that has violations, when it is done. */
  #endLevel(): void {
    this.#first ??= { level: this.depth, violations: this.#violations.length };
  }

  /** Bits of the active properties that broke anywhere. */
  get broken(): number {
    return this.#violations.reduce((bits, { effect }) => bits | this.#steps.effectBroken.get(effect), 0);
  }

  /** @internal One transition, from {@link Steps.visit}. */
  transition(state: number, effect: number, column: number, next: Int32Array): void {
    this.transitions++;
    const broken = this.#steps.effectBroken.get(effect);
    if (broken !== 0) {
      if ((broken & this.#active) !== 0) {
        this.#violations.push({ state, effect, column });
        return;
      }
      this.#notPromised |= broken;
    }
    const found = this.store.add(next);
    if (this.#graph) this.#edges.push(found < 0 ? ~found : found);
  }

  /** A violation among the shortest: the one whose property is reported first, and with the fewest switches between CPUs. */
  #shortest(): readonly Taken[] {
    const rank = (violation: Violation): number => {
      const bits = this.#steps.effectBroken.get(violation.effect);
      return 31 - Math.clz32(bits & -bits);
    };
    const first = this.#violations.slice(0, this.#first?.violations);
    const best = first.reduce((least, violation) => Math.min(least, rank(violation)), 31);
    const paths = new FewestSwitches(this.#steps, this.store, this.#levels, this.#first?.level ?? this.depth, this.#reduce);
    let chosen: { readonly switches: number; readonly path: readonly Taken[] } | undefined;
    for (const violation of first) {
      if (rank(violation) !== best) continue;
      const found = paths.to(violation.state, violation.column);
      if (chosen === undefined || found.switches < chosen.switches) {
        chosen = { switches: found.switches, path: [...found.path, { effect: violation.effect, column: violation.column }] };
      }
    }
    return this.#whole(chosen?.path ?? []);
  }

  /** The path with the urgent steps that were taken together with the step before. */
  #whole(path: readonly Taken[]): readonly Taken[] {
    if (!this.#reduce) return path;
    const whole: Taken[] = [];
    const row = this.#steps.initialRow();
    path.forEach(({ effect, column }, i) => {
      whole.push({ effect, column });
      this.#steps.successor(effect, row, 0, row.length, column, row);
      // A violation ends its path before any urgent step.
      if (i < path.length - 1) this.#steps.hasten(row, (effect, column) => whole.push({ effect, column }));
    });
    return whole;
  }

  /** The path with the fewest switches to a state. */
  pathTo(state: number): readonly Taken[] {
    return this.#whole(new FewestSwitches(this.#steps, this.store, this.#levels, this.depth, this.#reduce).to(state, -1).path);
  }

  /**
   * The first state in the order of the search from which no state satisfying `goal` can be reached; undefined if there is none.
   * Needs a complete search that remembered the graph.
   */
  stuck(goal: (state: number) => boolean): number | undefined {
    const size = this.store.size;
    const starts = this.#edgeStart.array;
    const edges = this.#edges.array;
    const count = this.#edges.length;
    const endOf = (state: number): number => (state + 1 < size ? (starts[state + 1] as number) : count);
    const incoming = new Int32Array(size + 1);
    for (let i = 0; i < count; i++) incoming[(edges[i] as number) + 1]!++;
    for (let i = 0; i < size; i++) incoming[i + 1]! += incoming[i] as number;
    const fill = incoming.slice();
    const sources = new Int32Array(count);
    for (let state = 0; state < size; state++) {
      for (let i = starts[state] as number; i < endOf(state); i++) sources[fill[edges[i] as number]!++] = state;
    }
    const reaches = new Uint8Array(size);
    const queue = new Int32Array(size);
    let tail = 0;
    for (let state = 0; state < size; state++) {
      if (goal(state)) {
        reaches[state] = 1;
        queue[tail++] = state;
      }
    }
    for (let head = 0; head < tail; head++) {
      const state = queue[head] as number;
      for (let i = incoming[state] as number; i < (incoming[state + 1] as number); i++) {
        const source = sources[i] as number;
        if (reaches[source] === 0) {
          reaches[source] = 1;
          queue[tail++] = source;
        }
      }
    }
    const found = reaches.indexOf(0);
    return found < 0 ? undefined : found;
  }
}

const UNREACHED = 0xffff;

/** Shortest paths with the fewest switches between CPUs: a pass over the levels that are known, each state once more. */
class FewestSwitches implements Visitor {
  readonly #cpus: number;
  readonly #store: StateStore;
  readonly #switches: Uint16Array;
  readonly #from: Int32Array;
  readonly #effect: Int32Array;
  /** The numbers of the states one level further. */
  #nextLevel = 0;
  #levelAfter = 0;

  /** Ways to the states of the levels 0 to `last`. */
  constructor(steps: Steps, store: StateStore, levels: readonly number[], last: number, reduce: boolean) {
    const size = store.size;
    this.#cpus = store.width - CPU0;
    this.#store = store;
    this.#switches = new Uint16Array(size * this.#cpus).fill(UNREACHED);
    this.#from = new Int32Array(size * this.#cpus).fill(-1);
    this.#effect = new Int32Array(size * this.#cpus);
    const next = new Int32Array(store.width);
    for (let level = 0; level < last; level++) {
      this.#nextLevel = levels[level + 1] as number;
      this.#levelAfter = levels[level + 2] ?? size;
      for (let state = levels[level] as number; state < this.#nextLevel; state++) steps.visit(store, state, next, this, reduce);
    }
  }

  transition(state: number, effect: number, column: number, next: Int32Array): void {
    const target = this.#store.find(next);
    if (target < this.#nextLevel || target >= this.#levelAfter) return;
    const cost = this.#costOf(state, column - CPU0);
    const at = target * this.#cpus + column - CPU0;
    if (cost < (this.#switches[at] as number)) {
      this.#switches[at] = cost;
      this.#from[at] = state;
      this.#effect[at] = effect;
    }
  }

  /** Fewest switches on a way to `state` and then a step of this CPU. */
  #costOf(state: number, cpu: number): number {
    if (state === 0) return 0;
    let best = UNREACHED;
    for (let last = 0; last < this.#cpus; last++) {
      const before = this.#switches[state * this.#cpus + last] as number;
      if (before !== UNREACHED) best = Math.min(best, before + (last === cpu ? 0 : 1));
    }
    return best;
  }

  to(state: number, column: number): { readonly switches: number; readonly path: readonly Taken[] } {
    const path: Taken[] = [];
    let wanted = column - CPU0;
    const switches = this.#costOf(state, wanted);
    for (let at = state; at !== 0; ) {
      let best = -1;
      let bestCost = UNREACHED;
      for (let last = 0; last < this.#cpus; last++) {
        const before = this.#switches[at * this.#cpus + last] as number;
        const cost = before === UNREACHED ? UNREACHED : before + (last === wanted ? 0 : 1);
        if (cost < bestCost) {
          bestCost = cost;
          best = last;
        }
      }
      if (best < 0) throw new Error("A state that was found has a way to it.");
      const index = at * this.#cpus + best;
      path.push({ effect: this.#effect[index] as number, column: best + CPU0 });
      at = this.#from[index] as number;
      wanted = best;
    }
    return { switches, path: path.reverse() };
  }
}

/** The bits of properties in a list of ids. */
export const bitsOf = (ids: ReadonlySet<PropertyId>, list: readonly { readonly id: PropertyId }[]): number =>
  list.reduce((bits, property, i) => (ids.has(property.id) ? bits | (1 << i) : bits), 0);
