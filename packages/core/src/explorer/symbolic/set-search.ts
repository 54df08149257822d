import type { Context } from "../../contract/state.js";
import type { Progress } from "../../contract/verdict.js";
import { turnsDone } from "../fairness.js";
import type { Pause } from "../pace.js";
import { CPU0 } from "../row.js";
import { type Reductions, Search, type SearchOptions, type Taken } from "../search.js";
import type { Steps } from "../steps.js";
import { LimitReached } from "../watch.js";
import { ColumnSteps } from "./column-steps.js";
import { NONE } from "./diagrams.js";
import { Exploration } from "./exploration.js";
import { FairRuns, Turns } from "./fair.js";
import { type Condition, neverReaching, statesWhere } from "./finishing.js";
import { inAnyOrder, type ShortestWays, shortestWays } from "./layers.js";
import { reachableFrom } from "./reachable.js";
import { Rounds, type Way } from "./rounds.js";
import { Space, type StateSets } from "./space.js";

/** CPUs that start alike are not told apart by their places. */
const SYMMETRY: Reductions = { urgent: false, symmetry: true, stubborn: false };

/** How a shortest way is looked for: `pause` and the bounds of what is looked at one by one. */
export type WayOptions = Pick<SearchOptions, "bounds" | "memory" | "signal"> & { readonly pause: Pause };

/** A number of states as a verdict tells it: no number is larger than the largest that JSON holds. */
export const rounded = (states: bigint): number => Math.min(Number(states), Number.MAX_VALUE);

/**
 * The search that explores sets of states. It is for many states: those of single CPUs count, and how these go together does not.
 */
export class SetSearch {
  readonly #steps: Steps;
  readonly #active: number;
  readonly #all: Exploration;
  readonly #reached: StateSets = [];
  readonly #rounds: Rounds;

  /** `active`: bits of the properties that count; no way is followed behind a step that breaks one. */
  constructor(steps: Steps, active: number) {
    this.#steps = steps;
    this.#active = active;
    this.#all = new Exploration(steps, active, true);
    this.#rounds = new Rounds(this.#all.space);
  }

  /**
   * Finds all states; once something is found to break that counts, so many more at the least, and then no more: whether these were all is
   * not known then.
   */
  async explore(beyond: number, pause: Pause): Promise<void> {
    const { space, violations } = this.#all;
    let most: bigint | undefined;
    const enough = (): boolean => {
      if (violations.length === 0) return false;
      most ??= this.states + BigInt(beyond);
      return this.states >= most;
    };
    await reachableFrom(space, space.initial(), this.#reached, pause, { begins: this.#rounds.note, enough });
  }

  /** How far the search is after so many milliseconds. */
  progress(milliseconds: number): Progress {
    const { diagrams, steps } = this.#all.space;
    const states = rounded(this.states);
    return { states, frontier: steps.size, depth: null, nodes: diagrams.size, rate: (1000 * states) / milliseconds };
  }

  /** How many states were found; where CPUs differ in nothing but their places there is one for each order. */
  get states(): bigint {
    return this.#all.space.count(this.#reached);
  }

  /** Bytes of the diagrams. */
  get bytes(): number {
    return this.#all.space.diagrams.bytes;
  }

  /** Bits of the properties that count and that broke, as far as was looked. */
  get broken(): number {
    return this.#all.broken;
  }

  /** Bits of properties that broke and do not count. */
  get brokenInactive(): number {
    return this.#all.space.steps.brokenInactive;
  }

  /** A way, none of the shortest, to a step that breaks a property that counts, which was found; that step is its last. */
  someWayToViolation(): readonly Taken[] {
    const all = this.#all;
    const { path, row } = this.#wayTo(all.violating(this.#reached, (shared) => all.space.shared(shared)));
    const rank = (bits: number): number => bits & -bits;
    const [last] = all.violationsIn(row).sort((a, b) => rank(all.brokenBy(a)) - rank(all.brokenBy(b)));
    if (last === undefined) throw new Error("The way leads to a violation.");
    return [...path, { effect: last.effect, column: last.column }];
  }

  /** The states from which none that satisfies `goal` can be reached, once all were found; undefined where there is none. */
  async stuck(goal: Condition, pause: Pause): Promise<StateSets | undefined> {
    const { space } = this.#all;
    const never = await neverReaching(space, this.#reached, statesWhere(space, this.#reached, goal), pause);
    return space.isEmpty(never) ? undefined : never;
  }

  /** A way, none of the shortest, to one of the states that are stuck: one in which no program can take its next step, where there is one. */
  someWayToStuck(stuck: StateSets): Way {
    const { space } = this.#all;
    const moving = this.#all.moving(stuck);
    const blocked = stuck.map((set, shared) => space.diagrams.minus(set, moving[shared] ?? NONE));
    return this.#wayTo(space.isEmpty(blocked) ? stuck : blocked);
  }

  /** A way, none of the shortest, to one of some states that were found. */
  #wayTo(sets: StateSets): Way {
    const way = this.#rounds.wayTo(sets);
    if (way === undefined) throw new Error("A way leads to what was found.");
    return way;
  }

  /** Whether a fair run can wait for ever where `waits` tells that a task does: it never goes on with its own next step there. */
  async mayWait(waits: (task: Context | undefined) => boolean, pause: Pause): Promise<boolean> {
    const steps = this.#steps;
    const { cpu, parked } = steps.parts;
    const all = this.#all.space;
    const turns = new Turns();
    const leftOut = (candidate: number): boolean => {
      const part = steps.candidates.cpuOf(candidate);
      const { stack } = cpu.value(part);
      return stack.length === 1 && waits(stack[0]) && candidate === steps.candidates.next(part);
    };
    const columns = new ColumnSteps(steps, this.#active, false, () => undefined, leftOut);
    const space = new Space(columns, all.diagrams, (effect) => turns.label(turnsDone(steps, effect)));
    const start: StateSets = [];
    for (const [shared, set] of this.#reached.entries()) {
      if (set === undefined) continue;
      await pause();
      const parts = all.steps.parts(shared);
      start[columns.number(parts.memory, parts.services, parts.parked)] = parked.value(parts.parked).tasks.some(waits)
        ? set
        : all.diagrams.withSome(set, (part) => waits(cpu.value(part).stack[0]));
    }
    // Urgent steps come by themselves here, so there are more states than were reached with them.
    const domain: StateSets = [];
    await reachableFrom(space, start, domain, pause);
    const found = await new FairRuns(space, turns, this.#steps.machine.cpus).exist(domain, pause);
    all.diagrams.release(domain);
    return found;
  }

  /**
   * A search of the shortest ways to steps that break a property that counts, which there are, and of no others. It ended with these
   * steps.
   */
  async waysToViolation(options: WayOptions): Promise<Search> {
    const plain = new Exploration(this.#steps, this.#active, false);
    const ways = await shortestWays(
      plain.space,
      (layer) => plain.violating(layer, (shared) => plain.space.single(shared)),
      options.pause,
    );
    if (ways === undefined) throw new Error("What breaks with urgent steps breaks without.");
    return this.#along(ways, options);
  }

  /**
   * A search of the shortest ways to a state from which none that satisfies `goal` can be reached, and of no others: one in which every
   * program is blocked for good where there is one. It ended with these states.
   */
  async waysToStuck(goal: Condition, options: WayOptions): Promise<Search> {
    const { pause } = options;
    const plain = new Exploration(this.#steps, this.#active, false);
    const { space } = plain;
    const { diagrams } = space;
    const reached: StateSets = [];
    await reachableFrom(space, space.initial(), reached, pause);
    const never = await neverReaching(space, reached, statesWhere(space, reached, goal), pause);
    const still = await neverReaching(space, reached, plain.moving(reached), pause);
    const blocked = never.map((set, shared) => diagrams.common(set, still[shared] ?? NONE));
    const wanted = space.isEmpty(blocked) ? never : blocked;
    diagrams.keep(wanted);
    const ways = await shortestWays(
      space,
      (layer) => layer.map((set, shared) => diagrams.common(set, wanted[shared] ?? NONE)),
      pause,
    );
    if (ways === undefined) throw new Error("A state that cannot finish is reached without urgent steps too.");
    return this.#along(ways, options);
  }

  /** Looks at the states on some ways one by one. */
  async #along({ length, on }: ShortestWays, { bounds, memory, signal }: WayOptions): Promise<Search> {
    const alike = new Set(this.#steps.initialRow().subarray(CPU0 + 1)).size <= 1;
    const search = new Search(this.#steps);
    const within = alike ? inAnyOrder(on) : on;
    const how = { active: this.#active, graph: false, reduce: alike ? SYMMETRY : (false as const), beyond: 0 };
    const end = await search.run({ ...how, bounds, memory, signal, within });
    if (end.end === "limit") throw new LimitReached(end.limit);
    if (search.depth !== length) throw new Error("The shortest ways are as long as was found.");
    return search;
  }
}
