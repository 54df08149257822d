import type { Context } from "../../contract/state.js";
import type { Progress } from "../../contract/verdict.js";
import { turnsDone } from "../fairness.js";
import { CPU0 } from "../row.js";
import { type Reductions, Search, type SearchOptions } from "../search.js";
import type { Steps } from "../steps.js";
import { LimitReached } from "../watch.js";
import { ABSENT, ColumnSteps } from "./column-steps.js";
import { NONE } from "./diagrams.js";
import { FairRuns, Turns } from "./fair.js";
import { type Condition, neverReaching, statesWhere } from "./finishing.js";
import { inAnyOrder, type ShortestWays, shortestWays } from "./layers.js";
import { reachableFrom } from "./reachable.js";
import { type Pause, Space, type StateSets } from "./space.js";

/** CPUs that start alike are not told apart by their places. */
const SYMMETRY: Reductions = { urgent: false, symmetry: true, stubborn: false };

/** A violation: a step that breaks a property that counts, and the shared parts of a state in which it can be taken. */
type Violation = { readonly effect: number; readonly shared: number };

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
  violating(sets: StateSets): StateSets {
    const { diagrams } = this.space;
    const { candidates, effects } = this.#steps;
    const found: StateSets = [];
    for (const { effect, shared } of this.violations) {
      const candidate = effects.candidateOf(effect);
      const acting = candidates.cpuOf(candidate);
      const open = this.space.single(shared).open(sets[shared] ?? NONE, candidates.guardOf(candidate));
      found[shared] = diagrams.union(
        found[shared] ?? NONE,
        diagrams.withSome(open, (part) => part === acting),
      );
    }
    return found;
  }

  /** The states among these in which a program that some CPU runs can take its next step. */
  moving(sets: StateSets): StateSets {
    const { diagrams, steps } = this.space;
    return sets.map((set, shared) => {
      const relation = this.space.shared(shared);
      return [ABSENT, ...relation.guards].reduce(
        (all, guard) =>
          diagrams.union(
            all,
            diagrams.withSome(relation.open(set, guard), (part) => steps.programMoves(shared, part, guard)),
          ),
        NONE,
      );
    });
  }
}

/** How a shortest way is looked for: `pause` and the bounds of what is looked at one by one. */
export type WayOptions = Pick<SearchOptions, "bounds" | "memory" | "signal"> & { readonly pause: Pause };

/**
 * The search that explores sets of states. It is for many states: those of single CPUs count, and how these go together does not.
 */
export class SetSearch {
  readonly #steps: Steps;
  readonly #active: number;
  readonly #all: Exploration;
  readonly #reached: StateSets = [];

  /** `active`: bits of the properties that count; no way is followed behind a step that breaks one. */
  constructor(steps: Steps, active: number) {
    this.#steps = steps;
    this.#active = active;
    this.#all = new Exploration(steps, active, true);
  }

  /** Finds all states. */
  async explore(pause: Pause): Promise<void> {
    const { space } = this.#all;
    await reachableFrom(space, space.initial(), this.#reached, pause);
  }

  /** How far the search is after so many milliseconds. */
  progress(milliseconds: number): Progress {
    const { diagrams, steps } = this.#all.space;
    const states = Number(this.states);
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
    this.#reached.forEach((set, shared) => {
      const parts = all.steps.parts(shared);
      start[columns.number(parts.memory, parts.services, parts.parked)] = parked.value(parts.parked).tasks.some(waits)
        ? set
        : all.diagrams.withSome(set, (part) => waits(cpu.value(part).stack[0]));
    });
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
    const ways = await shortestWays(plain.space, (layer) => plain.violating(layer), options.pause);
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
