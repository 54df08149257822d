import type { PropertyId } from "../contract/property.js";
import type { Bounds, Progress } from "../contract/verdict.js";
import { FewestSwitches, type Move, type Searched, someWay, type Way } from "./fewest-switches.js";
import { GrowingInt32 } from "./growing.js";
import { pacedBy, pause, YIELD_MS } from "./pace.js";
import { reaching } from "./reach.js";
import { CPU0 } from "./row.js";
import { StateStore } from "./state-store.js";
import type { Settling, Steps, Visitor } from "./steps.js";
import { Stubborn } from "./stubborn.js";
import { type Limit, LimitReached, Watch } from "./watch.js";
import { Witnesses } from "./witnesses.js";

/** A taken transition: the effect, and the column of the row of the CPU that acted. */
export type Taken = { readonly effect: number; readonly column: number };

/** Reductions of a search; each leaves verdicts as they are. */
export type Reductions = Settling & {
  /** Only the steps of one CPU are taken where that loses no effect of any step ({@link Stubborn}); not for questions about the graph. */
  readonly stubborn: boolean;
};

/** What a search is asked to do. */
export type SearchOptions = {
  /** Bits of the properties that end the search, by their place in the machine's list. */
  readonly active: number;
  readonly bounds: Bounds;
  /** Tells how many bytes of memory are in use; by default those of the tables. */
  readonly memory?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Remember the graph, so that questions about the whole of it can be answered. */
  readonly graph: boolean;
  /** Which states and steps are left out; paths are then not the shortest. False: none. */
  readonly reduce: Reductions | false;
  /** Go on for this many states after the first level with a violation, to see what else breaks; 0: end with that level. */
  readonly beyond: number;
  /** So many states without a violation are too many to be looked at one by one; default: none are. */
  readonly singly?: number;
  /** Only these states are stored, by their rows and how many steps from the start they are found; default: all. */
  readonly within?: (row: Int32Array, depth: number) => boolean;
};

/** A transition of a graph; where CPUs are sorted, the column is that of the state it starts from. */
export type Edge = Taken & { readonly from: number; readonly to: number };

/** The graph of a search: its states, and the transitions between them. */
export type Graph = {
  readonly size: number;
  readonly width: number;
  readonly rows: Int32Array;
  /** The transitions of a state. */
  edges(state: number): readonly Edge[];
};

/** A transition that breaks a property, and the state it starts from. */
type Violation = Taken & { readonly state: number };

/** How a search ended. */
export type SearchEnd =
  | { readonly end: "complete" }
  | { readonly end: "violation" }
  | { readonly end: "large" }
  | { readonly end: "limit"; readonly limit: Limit };

const NOTHING: Settling = { urgent: false, symmetry: false };

const CHECK_EVERY = 256;
const PROGRESS_MS = 200;

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
  /** By edge: the effect, and the column of the CPU that acts. */
  readonly #labels = new GrowingInt32();
  readonly #violations: Violation[] = [];
  /** The first level in which violations start, and how many do. */
  #first: { readonly level: number; readonly violations: number } | undefined;
  #brokenInactive = 0;
  #active = 0;
  #graph = false;
  #reduce: Reductions | false = false;
  #stubborn: Stubborn | undefined;
  #within: SearchOptions["within"];
  /** Ends the search, and what is looked for in its states. */
  #watch = new Watch({}, () => 0);
  #signal: AbortSignal | undefined;
  readonly #witnesses = new Witnesses();
  /** Set while the steps of one CPU alone are taken: whether these are enough is then told by their successors. */
  #seeking: Witnesses | undefined;

  constructor(steps: Steps) {
    this.#steps = steps;
    this.store = new StateStore(steps.width);
  }

  /** Levels explored. */
  get depth(): number {
    return this.#levels.length - 1;
  }

  /** Bits of properties that broke and do not count. */
  get brokenInactive(): number {
    return this.#brokenInactive;
  }

  /** The first state of those that are found last. */
  get farthest(): number {
    return this.#levels[this.depth] as number;
  }

  /** The row of a state. */
  row(state: number): Int32Array {
    const { rows, width } = this.store;
    return rows.subarray(state * width, (state + 1) * width);
  }

  /** Bytes of all tables. */
  get bytes(): number {
    return this.store.bytes + this.#edges.bytes + this.#edgeStart.bytes + this.#labels.bytes + this.#witnesses.bytes;
  }

  /** Bytes that {@link stuck} needs beside the tables. */
  get #turning(): number {
    return 4 * this.#edges.length + 14 * this.store.size;
  }

  async run(options: SearchOptions): Promise<SearchEnd> {
    const { bounds, memory = () => this.bytes, signal, onProgress, singly = Number.POSITIVE_INFINITY } = options;
    this.#signal = signal;
    this.#watch = new Watch(bounds, memory, signal);
    this.#within = options.within;
    this.#active = options.active;
    this.#graph = options.graph;
    this.#reduce = options.reduce;
    const next = this.#steps.initialRow();
    if (this.#reduce) this.#steps.settle(next, this.#reduce);
    if (this.#reduce !== false && this.#reduce.stubborn && Stubborn.fits(this.#steps))
      this.#stubborn = new Stubborn(this.#steps);
    this.store.add(next);
    const began = performance.now();
    let yielded = began;
    let shown = began;
    let levelEnd = 1;
    let enough: number | undefined;
    for (let state = 0; state < this.store.size; state++) {
      if (state === levelEnd) {
        if (this.#violations.length > 0) {
          this.#endLevel();
          enough ??= this.store.size + options.beyond;
          if (options.beyond === 0 || this.store.size > enough) break;
        }
        this.#levels.push(state);
        levelEnd = this.store.size;
      }
      if (this.#graph) this.#edgeStart.push(this.#edges.length);
      this.#expand(state, next);
      if (bounds.states !== undefined && this.store.size > bounds.states) return this.#cut("states");
      if (this.store.size > singly && this.#violations.length === 0) return { end: "large" };
      if (state % CHECK_EVERY !== 0) continue;
      const limit = this.#watch.reached();
      if (limit !== undefined) return this.#cut(limit);
      const now = performance.now();
      if (now - yielded > YIELD_MS) {
        await pause();
        yielded = performance.now();
        if (signal?.aborted) return this.#cut("interrupted");
      }
      if (onProgress !== undefined && now - shown > PROGRESS_MS) {
        shown = now;
        const states = this.store.size;
        const rate = (1000 * states) / (now - began);
        onProgress({ states, frontier: levelEnd - state, depth: this.depth, nodes: null, rate });
      }
    }
    return this.#violations.length > 0 ? this.#violated() : { end: "complete" };
  }

  /** Nothing was left out. */
  get isPlain(): boolean {
    return this.#reduce === false;
  }

  /** Whether every step that can break a property was taken: what stubborn sets rest on held to the end. */
  get covered(): boolean {
    return this.#stubborn === undefined || Stubborn.fits(this.#steps);
  }

  #expand(state: number, next: Int32Array): void {
    if (this.#stubborn !== undefined && this.#expandOne(this.#stubborn, state, next)) return;
    const { width } = this.store;
    for (let column = CPU0; column < width; column++)
      if (!this.#isTwin(state * width, column))
        this.#steps.visitCpu(this.store, state, column, next, this, this.#reduce);
  }

  /** Takes the steps of one CPU alone where these are enough; first of one that handles a trap or an interrupt, which soon ends. */
  #expandOne(stubborn: Stubborn, state: number, next: Int32Array): boolean {
    stubborn.look(this.store.rows, state * this.store.width);
    this.#seeking = this.#witnesses;
    const enough = this.#tryEach(stubborn, state, next, true) || this.#tryEach(stubborn, state, next, false);
    this.#seeking = undefined;
    return enough;
  }

  #tryEach(stubborn: Stubborn, state: number, next: Int32Array, handling: boolean): boolean {
    const { store } = this;
    const base = state * store.width;
    for (let column = CPU0; column < store.width; column++) {
      const cpu = store.rows[base + column] as number;
      if (this.#steps.isHandling(cpu) !== handling || this.#isTwin(base, column)) continue;
      if (!stubborn.enough(store.rows, base, column)) continue;
      this.#steps.visitCpu(store, state, column, next, this, this.#reduce);
      if (!this.#witnesses.has(state)) continue;
      return true;
    }
    return false;
  }

  /** Whether the CPU before has the same part, so that to tell them apart leads to the same states. */
  #isTwin(base: number, column: number): boolean {
    if (this.#reduce === false || !this.#reduce.symmetry || column === CPU0) return false;
    const { rows } = this.store;
    return rows[base + column] === rows[base + column - 1];
  }

  /** A bound was reached; a violation that was found before is none the less one. */
  #cut(limit: Limit): SearchEnd {
    return this.#violations.length > 0 ? this.#violated() : { end: "limit", limit };
  }

  #violated(): SearchEnd {
    this.#endLevel();
    return { end: "violation" };
  }

  /** Remembers the first level that has violations, when it is done. */
  #endLevel(): void {
    this.#first ??= { level: this.depth, violations: this.#violations.length };
  }

  /** Bits of the active properties that broke anywhere. */
  get broken(): number {
    return this.#violations.reduce(
      (bits, { effect }) => bits | this.#steps.effects.countedBits(effect, this.#active),
      0,
    );
  }

  /** @internal One transition, from {@link Steps.visit}. */
  transition(state: number, effect: number, column: number, next: Int32Array): void {
    this.transitions++;
    const broken = this.#steps.effects.brokenBy(effect);
    if (broken !== 0) {
      this.#brokenInactive |= broken & ~this.#active;
      if ((broken & this.#active) !== 0) {
        this.#violations.push({ state, effect, column });
        return;
      }
    }
    if (this.#within?.(next, this.depth + 1) === false) return;
    const found = this.store.add(next);
    const target = found < 0 ? ~found : found;
    if (this.#seeking !== undefined) this.#seeking.offer(state, target, this.#steps.effects.isFromOutside(effect));
    if (!this.#graph) return;
    this.#edges.push(target);
    this.#labels.push(this.store.width * effect + column);
  }

  /**
   * The way to a violation among those nearest to the start: the one whose property is reported first, with the fewest switches
   * between CPUs where there is the memory to look for it. Without reductions there is no shorter one. Throws {@link LimitReached} where the
   * run is interrupted.
   */
  async nearest(): Promise<readonly Taken[]> {
    const rank = (violation: Violation): number => {
      const bits = this.#steps.effects.countedBits(violation.effect, this.#active);
      return 31 - Math.clz32(bits & -bits);
    };
    const first = this.#violations.slice(0, this.#first?.violations);
    const best = first.reduce((least, violation) => Math.min(least, rank(violation)), 31);
    const to = await this.#ways(this.#first?.level ?? this.depth);
    let chosen: { readonly switches: number; readonly path: readonly Move[] } | undefined;
    for (const violation of first) {
      if (rank(violation) !== best) continue;
      const { switches, path } = await to(violation.state, violation.column);
      const part = this.store.rows[violation.state * this.store.width + violation.column] as number;
      if (chosen === undefined || switches < chosen.switches) {
        chosen = { switches, path: [...path, { effect: violation.effect, column: violation.column, part }] };
      }
    }
    return this.#whole(chosen?.path ?? []);
  }

  /** The path with the fewest switches to a state, as for {@link nearest}. Throws as that does. */
  async pathTo(state: number): Promise<readonly Taken[]> {
    const to = await this.#ways(this.depth);
    return this.#whole((await to(state, -1)).path);
  }

  /** Finds ways to states of the levels 0 to `last` that are gone on with by the CPU in a column, and how many switches they have. */
  async #ways(last: number): Promise<(state: number, column: number) => Way | Promise<Way>> {
    const searched: Searched = { store: this.store, levels: this.#levels, reduce: this.#reduce };
    // What was found is shown whatever the time; for more tables than there is memory for, some way has to do.
    const rest = pacedBy(new Watch({}, () => 0, this.#signal));
    if (this.#watch.hasRoom(FewestSwitches.bytes(this.store))) {
      const ways = await FewestSwitches.find(this.#steps, searched, last, rest);
      return (state, column) => ways.to(state, column);
    }
    return async (state) => ({ switches: 0, path: await someWay(this.#steps, searched, state, rest) });
  }

  /** The path as it runs from the initial state: with the urgent steps of each transition, and CPUs where they really are. */
  #whole(path: readonly Move[]): readonly Taken[] {
    const { urgent, symmetry } = this.#reduce || NOTHING;
    const whole: Taken[] = [];
    const row = this.#steps.initialRow();
    const hasten = (): void => this.#steps.hasten(row, (effect, column) => whole.push({ effect, column }));
    if (urgent) hasten();
    path.forEach((move, i) => {
      const { effect, part } = move;
      const last = whole[whole.length - 1]?.column ?? CPU0;
      const column = !symmetry ? move.column : row[last] === part ? last : row.indexOf(part, CPU0);
      if (row[column] !== part) throw new Error("The CPU that a path goes on with is there.");
      whole.push({ effect, column });
      this.#steps.effects.successor(effect, row, 0, row.length, column, row);
      // A violation ends its path before any urgent step.
      if (urgent && i < path.length - 1) hasten();
    });
    return whole;
  }

  /**
   * A state from which no state satisfying `goal` can be reached; undefined if there is none. Of these it is the first in the order
   * of the search in which every program is blocked for good, so that one sees what it waits for, or else the first.
   * Needs a complete search that remembered the graph. Throws {@link LimitReached} where a bound is reached or the run is interrupted.
   */
  async stuck(goal: (state: number) => boolean): Promise<number | undefined> {
    const { size, rows, width } = this.store;
    if (!this.#watch.hasRoom(this.#turning)) throw new LimitReached("bytes");
    const rest = pacedBy(this.#watch);
    const starts = this.#starts();
    const edges = this.#edges.array;
    const finishing = await reaching(size, starts, edges, goal, rest);
    const first = finishing.indexOf(0);
    if (first < 0) return undefined;
    const isFree = (state: number): boolean => !this.#steps.programsBlocked(rows, state * width, width);
    const moving = await reaching(size, starts, edges, isFree, rest);
    const blocked = moving.findIndex((moves, state) => moves === 0 && finishing[state] === 0);
    return blocked < 0 ? first : blocked;
  }

  /** Where the edges of each state begin, with one more place for the end of the last. */
  #starts(): Int32Array {
    const { size } = this.store;
    if (this.#edgeStart.length === size) this.#edgeStart.push(this.#edges.length);
    return this.#edgeStart.array.subarray(0, size + 1);
  }

  /** The graph of a complete search that remembered it. */
  graph(): Graph {
    const { size, rows, width } = this.store;
    const starts = this.#starts();
    const targets = this.#edges.array;
    const labels = this.#labels.array;
    return {
      size,
      rows,
      width,
      edges(from) {
        const found: Edge[] = [];
        for (let i = starts[from] as number; i < (starts[from + 1] as number); i++) {
          const label = labels[i] as number;
          found.push({ from, to: targets[i] as number, effect: Math.floor(label / width), column: label % width });
        }
        return found;
      },
    };
  }
}

/** The bits of properties in a list of ids. */
export const bitsOf = (ids: ReadonlySet<PropertyId>, list: readonly { readonly id: PropertyId }[]): number =>
  list.reduce((bits, property, i) => (ids.has(property.id) ? bits | (1 << i) : bits), 0);
