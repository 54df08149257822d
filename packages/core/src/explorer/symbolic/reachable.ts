import type { ColumnSteps } from "./column-steps.js";
import { Diagrams, NONE } from "./diagrams.js";
import { LocalSteps } from "./local-steps.js";
import { SharedSteps } from "./shared-steps.js";

/** Sets of states: by the number of their shared parts, the vectors of the parts of their CPUs. */
export type StateSets = number[];

/** Lets others have their turn now and then; throws {@link LimitReached} where a bound is reached. */
export type Pause = () => Promise<void>;

/** The states that can be reached: for each value of the shared parts the CPU parts that come with it. */
export class Reachable {
  readonly diagrams = new Diagrams();
  readonly steps: ColumnSteps;
  /** Reached, and closed under the steps of single CPUs. */
  readonly sets: StateSets = [];
  /** Found, and not looked at yet. */
  readonly #open: StateSets = [];
  readonly #locals: LocalSteps[] = [];
  readonly #shareds: SharedSteps[] = [];
  /** Further sets that are in use. */
  readonly #kept = new Set<StateSets>();

  constructor(steps: ColumnSteps) {
    this.steps = steps;
  }

  /** How many states there are. */
  get states(): bigint {
    return this.sets.reduce((sum, set) => sum + this.diagrams.count(set ?? NONE), 0n);
  }

  /** How many values of the shared parts were reached, and how many of these have states to be looked at. */
  get work(): { readonly shared: number; readonly open: number } {
    return { shared: this.sets.length, open: this.#open.filter((set) => set !== undefined && set !== NONE).length };
  }

  /** Finds everything that can be reached from the states of some sets. */
  async explore(from: StateSets, pause: Pause): Promise<void> {
    from.forEach((set, shared) => {
      this.#add(shared, set);
    });
    for (let shared = this.#next(); shared !== undefined; shared = this.#next()) {
      await pause();
      this.tidy();
      this.#advance(shared);
    }
  }

  /** The value of the shared parts that is looked at next: that which was found first. */
  #next(): number | undefined {
    const shared = this.#open.findIndex((set) => set !== undefined && set !== NONE);
    return shared < 0 ? undefined : shared;
  }

  #add(shared: number, set: number): void {
    this.#open[shared] = this.diagrams.union(this.#open[shared] ?? NONE, set);
  }

  #advance(shared: number): void {
    const { diagrams } = this;
    const reached = this.sets[shared] ?? NONE;
    const fresh = diagrams.minus(this.#open[shared] as number, reached);
    this.#open[shared] = NONE;
    if (fresh === NONE) return;
    const closed = diagrams.minus(this.local(shared).closed(fresh), reached);
    this.sets[shared] = diagrams.union(reached, closed);
    for (const { to, set } of this.shared(shared).images(closed)) this.#add(to, diagrams.minus(set, this.sets[to] ?? NONE));
  }

  /** The steps of single CPUs while these shared parts stand. */
  local(shared: number): LocalSteps {
    const setting = this.steps.settingOf(shared);
    this.#locals[setting] ??= new LocalSteps(this.diagrams, this.steps, setting);
    return this.#locals[setting];
  }

  /** The steps that change these shared parts, or other CPUs, or wait for them. */
  shared(shared: number): SharedSteps {
    this.#shareds[shared] ??= new SharedSteps(this.diagrams, this.steps, shared);
    return this.#shareds[shared];
  }

  /** Sets that are kept from {@link tidy} until they are released. */
  keep(sets: StateSets): void {
    this.#kept.add(sets);
  }

  release(sets: StateSets): void {
    this.#kept.delete(sets);
  }

  /** Gives up diagrams that nobody uses, where there are many: all but those of kept sets. */
  tidy(): void {
    if (this.diagrams.isFull) this.diagrams.collect(this.#inUse());
  }

  *#inUse(): Generator<number> {
    for (const sets of [this.sets, this.#open, ...this.#kept]) for (const set of sets) if (set !== undefined) yield set;
  }
}
