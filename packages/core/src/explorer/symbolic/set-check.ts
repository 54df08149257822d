import type { Bounds, Progress, Verdict, VerdictBase } from "../../contract/verdict.js";
import { endlessIn } from "../endless.js";
import { pacedBy } from "../pace.js";
import type { Found, Verdicts } from "../verdicts.js";
import { LimitReached, Watch } from "../watch.js";
import type { Condition } from "./finishing.js";
import { rounded, SetSearch, type WayOptions } from "./set-search.js";
import type { StateSets } from "./space.js";

/** How sets are searched. */
export type SetOptions = {
  readonly bounds?: Bounds;
  /** Tells how many bytes are in use, by default those of the diagrams. */
  readonly memory?: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** So many more states are found at the least once something is found to break. */
  readonly beyond: number;
  /** Whether the nearest of what breaks is looked for. */
  readonly shortest: boolean;
};

/** Answers a question by sets of states. */
export class SetCheck {
  readonly #verdicts: Verdicts;
  readonly #search: SetSearch;
  readonly #how: WayOptions;
  readonly #beyond: number;
  readonly #shortest: boolean;

  /** The time of the bounds begins to run. */
  constructor(verdicts: Verdicts, options: SetOptions) {
    this.#verdicts = verdicts;
    this.#search = new SetSearch(verdicts.steps, verdicts.active);
    const { bounds = {}, memory = () => this.#search.bytes, signal, onProgress } = options;
    this.#beyond = options.beyond;
    this.#shortest = options.shortest;
    const pause = pacedBy(new Watch(bounds, memory, signal), (milliseconds) =>
      onProgress?.(this.#search.progress(milliseconds)),
    );
    this.#how = { bounds, memory, signal, pause };
  }

  /** The verdict; undefined where sets leave open whether a run for ever keeps something. */
  async verdict(): Promise<Verdict | undefined> {
    const { steps, calls, counted } = this.#verdicts;
    const { pause } = this.#how;
    try {
      await this.#search.explore(this.#beyond, pause);
      if (this.#search.broken === 0 && counted.has("progress")) {
        const stuck = await this.#search.stuck(this.#quiet, pause);
        if (stuck !== undefined) return this.#unsafe(await this.#nearest(false), () => this.#someStuck(stuck), true);
        const waits = endlessIn(steps, calls);
        if (waits === "all") return undefined;
        for (const each of waits) if (await this.#search.mayWait(each, pause)) return undefined;
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      // What was found to break is broken, whatever else there is.
      if (this.#search.broken === 0) return { ...this.#base(false), verdict: "inconclusive", limit: error.limit };
    }
    if (this.#search.broken === 0) return this.#verdicts.unbroken(this.#base(true));
    return this.#unsafe(await this.#nearest(true), () => this.#someViolation(), false);
  }

  /** What is nearest of what is known to break: a `violation`, or else a state that is stuck; undefined where a bound is reached. */
  async nearest(violation: boolean): Promise<Found | undefined> {
    try {
      return await (violation ? this.#violation() : this.#stuck());
    } catch (error) {
      if (error instanceof LimitReached) return undefined;
      throw error;
    }
  }

  async #nearest(violation: boolean): Promise<Found | undefined> {
    return this.#shortest ? this.nearest(violation) : undefined;
  }

  /** The verdict on what is known to break; `some`: what it is, where the nearest was not found. */
  #unsafe(nearest: Found | undefined, some: () => Found, complete: boolean): Verdict {
    return this.#verdicts.unsafe(nearest ?? some(), this.#base(complete), this.#search.broken, nearest !== undefined);
  }

  async #violation(): Promise<Found> {
    const ways = await this.#search.waysToViolation(this.#how);
    return this.#verdicts.violation(await ways.nearest());
  }

  #someViolation(): Found {
    return this.#verdicts.violation(this.#search.someWayToViolation());
  }

  /** The nearest state from which not everything can finish. */
  async #stuck(): Promise<Found> {
    const ways = await this.#search.waysToStuck(this.#quiet, this.#how);
    return this.#verdicts.stuck(await ways.pathTo(ways.farthest), ways.row(ways.farthest));
  }

  #someStuck(stuck: StateSets): Found {
    const { path, row } = this.#search.someWayToStuck(stuck);
    return this.#verdicts.stuck(path, row);
  }

  /** No patch call is under way, and every CPU is out of its traps and interrupts. */
  get #quiet(): Condition {
    const { calls, steps } = this.#verdicts;
    const { cpu, parked } = steps.parts;
    return {
      shared: (of) => {
        const { tasks } = parked.value(of.parked);
        return !calls.some((call) => tasks.some((task) => call.isIn(task)));
      },
      cpu: (part) => this.#verdicts.isQuiet(part) && !calls.some((call) => call.isIn(cpu.value(part).stack[0])),
    };
  }

  #base(complete: boolean): VerdictBase {
    const { states, bytes, brokenInactive } = this.#search;
    return this.#verdicts.base(
      { states: rounded(states), transitions: null, depth: null, bytes },
      brokenInactive,
      complete,
    );
  }
}
