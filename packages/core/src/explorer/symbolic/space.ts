import { CPU0, MEMORY, PARKED, SERVICES } from "../row.js";
import type { ColumnSteps } from "./column-steps.js";
import { Diagrams, NONE } from "./diagrams.js";
import { LocalSteps } from "./local-steps.js";
import { type Grouping, SharedSteps } from "./shared-steps.js";

/** Sets of states: by the number of their shared parts, the vectors of the parts of their CPUs; none where there is no entry. */
export type StateSets = number[];

/** The states of a machine as sets, and its steps as relations between them. */
export class Space {
  readonly diagrams: Diagrams;
  readonly steps: ColumnSteps;
  readonly #single: Grouping;
  readonly #locals: LocalSteps[] = [];
  readonly #shareds: SharedSteps[] = [];
  readonly #singles: SharedSteps[] = [];

  /** `labelOf`: see {@link Grouping}, of single steps. */
  constructor(steps: ColumnSteps, diagrams = new Diagrams(), labelOf?: Grouping["labelOf"]) {
    this.steps = steps;
    this.diagrams = diagrams;
    this.#single = { local: true, ...(labelOf === undefined ? {} : { labelOf }) };
  }

  /** The state before any step, by itself. */
  initial(): StateSets {
    const row = this.steps.steps.initialRow();
    const shared = this.sharedOf(row);
    const setting = this.steps.settingOf(shared);
    const sets: StateSets = [];
    sets[shared] = this.diagrams.vector(row.subarray(CPU0).map((part) => this.steps.settled(setting, part)));
    return sets;
  }

  /** The number of the shared parts of a row. */
  sharedOf(row: Int32Array): number {
    return this.steps.number(row[MEMORY] as number, row[SERVICES] as number, row[PARKED] as number);
  }

  /** Whether there is a state in some sets. */
  isEmpty(sets: StateSets): boolean {
    return !sets.some((set) => set !== undefined && set !== NONE);
  }

  /** How many states there are in some sets. */
  count(sets: StateSets): bigint {
    return sets.reduce((sum, set) => sum + this.diagrams.count(set ?? NONE), 0n);
  }

  /** The steps of single CPUs while these shared parts stand: those that change nothing but the part of the CPU that acts. */
  local(shared: number): LocalSteps {
    const setting = this.steps.settingOf(shared);
    this.#locals[setting] ??= new LocalSteps(this.diagrams, this.steps, setting);
    return this.#locals[setting];
  }

  /** All other steps while these shared parts stand. */
  shared(shared: number): SharedSteps {
    this.#shareds[shared] ??= new SharedSteps(this.diagrams, this.steps, shared, { local: false });
    return this.#shareds[shared];
  }

  /** All steps while these shared parts stand, one at a time. */
  single(shared: number): SharedSteps {
    this.#singles[shared] ??= new SharedSteps(this.diagrams, this.steps, shared, this.#single);
    return this.#singles[shared];
  }
}
