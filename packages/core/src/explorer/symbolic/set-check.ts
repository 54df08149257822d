import type { Verdict, VerdictBase } from "../../contract/verdict.js";
import { endlessIn } from "../endless.js";
import { type Paced, pacedBy } from "../pace.js";
import type { Found, Verdicts } from "../verdicts.js";
import { LimitReached } from "../watch.js";
import type { Condition } from "./finishing.js";
import { SetSearch, type WayOptions } from "./set-search.js";

/** How sets are searched; `memory` tells how many bytes are in use, by default those of the diagrams. */
export type SetOptions = Paced & { readonly memory?: () => number };

/** Answers a question by sets of states. */
export class SetCheck {
  readonly #verdicts: Verdicts;
  readonly #search: SetSearch;
  readonly #how: WayOptions;

  /** The time of the bounds begins to run. */
  constructor(verdicts: Verdicts, options: SetOptions) {
    this.#verdicts = verdicts;
    this.#search = new SetSearch(verdicts.steps, verdicts.active);
    const { bounds = {}, memory = () => this.#search.bytes, signal } = options;
    const pause = pacedBy(options, memory, (milliseconds) => this.#search.progress(milliseconds));
    this.#how = { bounds, memory, signal, pause };
  }

  /** The verdict; undefined where sets leave open whether a run for ever keeps something. */
  async verdict(): Promise<Verdict | undefined> {
    const { steps, calls, counted } = this.#verdicts;
    try {
      await this.#search.explore(this.#how.pause);
      const { broken } = this.#search;
      if (broken !== 0) return this.#verdicts.unsafe(await this.#violation(), this.#base(false), broken, true);
      if (counted.has("progress")) {
        if (await this.#search.isStuck(this.#quiet, this.#how.pause))
          return this.#verdicts.unsafe(await this.#stuck(), this.#base(true), 0, true);
        const waits = endlessIn(steps, calls);
        if (waits === "all") return undefined;
        for (const each of waits) if (await this.#search.mayWait(each, this.#how.pause)) return undefined;
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      return { ...this.#base(false), verdict: "inconclusive", limit: error.limit };
    }
    return this.#verdicts.unbroken(this.#base(true));
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

  async #violation(): Promise<Found> {
    return this.#verdicts.violation(await this.#search.waysToViolation(this.#how));
  }

  /** The nearest state from which not everything can finish. */
  async #stuck(): Promise<Found> {
    const ways = await this.#search.waysToStuck(this.#quiet, this.#how);
    return this.#verdicts.stuck(ways, ways.farthest);
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
      { states: Number(states), transitions: null, depth: null, bytes },
      brokenInactive,
      complete,
    );
  }
}
