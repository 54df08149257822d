import type { PropertyId } from "../../properties/property.js";
import { CPU0 } from "../row.js";
import { type Reductions, Search, type Taken } from "../search.js";
import type { Steps } from "../steps.js";
import { ColumnSteps } from "./column-steps.js";
import { NONE } from "./diagrams.js";
import { type Condition, neverReaching, statesWhere } from "./finishing.js";
import { inAnyOrder, type ShortestWays, shortestWays } from "./layers.js";
import { reachableFrom } from "./reachable.js";
import { type Pause, Space, type StateSets } from "./space.js";

/** CPUs that start alike are not told apart by their places. */
const SYMMETRY: Reductions = { urgent: false, symmetry: true, stubborn: false };

/** A violation: a step that breaks a property that counts, and the shared parts of a state in which it can be taken. */
type Violation = { readonly effect: number; readonly shared: number };

/** A way to what was looked for, among the shortest that with the fewest switches between CPUs. */
export type ShortestWay = { readonly path: readonly Taken[]; readonly row: Int32Array };

/** The states of a machine as sets, with urgent steps taken along or without, and what breaks there. */
class Exploration {
  readonly space: Space;
  readonly violations: Violation[] = [];
  readonly #steps: Steps;

  constructor(steps: Steps, active: number, urgent: boolean) {
    this.#steps = steps;
    this.space = new Space(
      new ColumnSteps(steps, active, urgent, (effect, shared) => {
        this.violations.push({ effect, shared });
      }),
    );
  }

  /** The states among these in which a step can be taken that breaks something. */
  violating(sets: StateSets, isWanted: (effect: number) => boolean): StateSets {
    const { diagrams } = this.space;
    const { candidates, effects } = this.#steps;
    const found: StateSets = [];
    for (const { effect, shared } of this.violations) {
      if (!isWanted(effect)) continue;
      const candidate = effects.candidateOf(effect);
      const acting = candidates.cpuOf(candidate);
      const open = this.space.single(shared).open(sets[shared] ?? NONE, candidates.guardOf(candidate));
      found[shared] = diagrams.union(found[shared] ?? NONE, withSome(this.space, open, (part) => part === acting));
    }
    return found;
  }
}

/** The states of a set in which some CPU's part satisfies a condition. */
const withSome = ({ diagrams }: Space, set: number, holds: (part: number) => boolean): number =>
  diagrams.minus(
    set,
    diagrams.filter(diagrams.operation(), set, (part) => !holds(part)),
  );

/**
 * The search that explores sets of states. It is for many states: those of single CPUs count, and how these go together does not.
 */
export class SetSearch {
  readonly #steps: Steps;
  readonly #active: number;
  readonly #all: Exploration;
  #reached: StateSets = [];

  /** `active`: bits of the properties that count; no way is followed behind a step that breaks one. */
  constructor(steps: Steps, active: number) {
    this.#steps = steps;
    this.#active = active;
    this.#all = new Exploration(steps, active, true);
  }

  /** Finds all states. */
  async explore(pause: Pause): Promise<void> {
    const { space } = this.#all;
    this.#reached = await reachableFrom(space, space.initial(), pause);
  }

  /** How many states were found; where CPUs differ in nothing but their places there is one for each order. */
  get states(): bigint {
    return this.#all.space.count(this.#reached);
  }

  /** Bytes of the diagrams. */
  get bytes(): number {
    return this.#all.space.diagrams.bytes;
  }

  /** Bits of the properties that count and that broke. */
  get broken(): number {
    return this.#all.violations.reduce(
      (bits, { effect }) => bits | this.#steps.effects.countedBits(effect, this.#active),
      0,
    );
  }

  /** Bits of properties that broke and do not count. */
  get brokenInactive(): number {
    return this.#all.space.steps.brokenInactive;
  }

  /** Whether there is a state from which none that satisfies `goal` can be reached. */
  async isStuck(goal: Condition, pause: Pause): Promise<boolean> {
    const { space } = this.#all;
    return !space.isEmpty(await neverReaching(space, this.#reached, statesWhere(space, this.#reached, goal), pause));
  }
}
