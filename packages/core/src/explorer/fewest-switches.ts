import type { Pause } from "./pace.js";
import { CPU0 } from "./row.js";
import type { StateStore } from "./state-store.js";
import type { Settling, Steps, Visitor } from "./steps.js";

/** One move of a path: the effect, the column of the CPU that acts, and its part, by which it is found where columns are sorted. */
export type Move = { readonly effect: number; readonly column: number; readonly part: number };

const UNREACHED = 0xffff;

/** States between two looks at the clock. */
const STATES_BETWEEN_CLOCKS = 256;

/** A path, and how often it goes on with another CPU. */
export type Way = { readonly switches: number; readonly path: readonly Move[] };

/** What paths are looked for in: the states of a search, the number of the first one of each level, and how it was reduced. */
export type Searched = {
  readonly store: StateStore;
  readonly levels: readonly number[];
  readonly reduce: Settling | false;
};

/** Shortest paths with the fewest switches between CPUs: a pass over the levels that are known, each state once more. */
export class FewestSwitches implements Visitor {
  readonly #steps: Steps;
  readonly #symmetry: boolean;
  readonly #cpus: number;
  readonly #store: StateStore;
  readonly #switches: Uint16Array;
  readonly #from: Int32Array;
  readonly #effect: Int32Array;
  /** The column of the CPU that acts, as it stands in the state that the move starts from. */
  readonly #column: Uint16Array;
  /** The numbers of the states one level further. */
  #nextLevel = 0;
  #levelAfter = 0;

  /** Bytes of its tables. */
  static bytes({ size, width }: StateStore): number {
    return 12 * size * (width - CPU0);
  }

  /** Ways to the states of the levels 0 to `last`. */
  static async find(steps: Steps, searched: Searched, last: number, pause: Pause): Promise<FewestSwitches> {
    const ways = new FewestSwitches(steps, searched);
    await ways.#pass(searched, last, pause);
    return ways;
  }

  private constructor(steps: Steps, { store, reduce: how }: Searched) {
    const size = store.size;
    this.#steps = steps;
    this.#symmetry = how !== false && how.symmetry;
    this.#cpus = store.width - CPU0;
    this.#store = store;
    this.#switches = new Uint16Array(size * this.#cpus).fill(UNREACHED);
    this.#from = new Int32Array(size * this.#cpus).fill(-1);
    this.#effect = new Int32Array(size * this.#cpus);
    this.#column = new Uint16Array(size * this.#cpus);
  }

  async #pass({ store, levels, reduce }: Searched, last: number, pause: Pause): Promise<void> {
    const next = new Int32Array(store.width);
    for (let level = 0; level < last; level++) {
      this.#nextLevel = levels[level + 1] as number;
      this.#levelAfter = levels[level + 2] ?? store.size;
      for (let state = levels[level] as number; state < this.#nextLevel; state++) {
        if (state % STATES_BETWEEN_CLOCKS === 0) await pause();
        this.#steps.visit(store, state, next, this, reduce);
      }
    }
  }

  transition(state: number, effect: number, column: number, next: Int32Array): void {
    const target = this.#store.find(next);
    if (target < this.#nextLevel || target >= this.#levelAfter) return;
    const cost = this.#costOf(state, column - CPU0);
    // Where CPUs are sorted, those with the same part are one: the first stands for whichever acted.
    const place = this.#symmetry ? next.indexOf(this.#steps.acted, CPU0) : column;
    const at = target * this.#cpus + place - CPU0;
    if (cost < (this.#switches[at] as number)) {
      this.#switches[at] = cost;
      this.#from[at] = state;
      this.#effect[at] = effect;
      this.#column[at] = column;
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

  /** A way to `state` that is best gone on with the CPU in `column`. */
  to(state: number, column: number): Way {
    const path: Move[] = [];
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
      const from = this.#from[index] as number;
      const column = this.#column[index] as number;
      const part = this.#store.rows[from * this.#store.width + column] as number;
      path.push({ effect: this.#effect[index] as number, column, part });
      at = from;
      wanted = column - CPU0;
    }
    return { switches, path: path.reverse() };
  }
}

/** Some shortest path to a state, whatever its switches: backwards from level to level, without a table. */
export const someWay = async (
  steps: Steps,
  { store, levels, reduce }: Searched,
  to: number,
  pause: Pause,
): Promise<readonly Move[]> => {
  const path: Move[] = [];
  const next = new Int32Array(store.width);
  let wanted = to;
  let move: (Move & { readonly from: number }) | undefined;
  const seek: Visitor = {
    transition(from, effect, column, row) {
      if (move !== undefined || store.find(row) !== wanted) return;
      move = { from, effect, column, part: store.rows[from * store.width + column] as number };
    },
  };
  for (let level = levels.findLastIndex((first) => first <= to); level > 0; level--) {
    move = undefined;
    for (let state = levels[level - 1] as number; move === undefined && state < (levels[level] as number); state++) {
      if (state % STATES_BETWEEN_CLOCKS === 0) await pause();
      steps.visit(store, state, next, seek, reduce);
    }
    if (move === undefined) throw new Error("A state that was found has a way to it.");
    const { from, ...taken } = move as Move & { readonly from: number };
    path.push(taken);
    wanted = from;
  }
  return path.reverse();
};
