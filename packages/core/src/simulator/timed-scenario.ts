import type { Architecture } from "../contract/architecture.js";
import type { EventName } from "../contract/events.js";
import type { FlipSite, PatchStrategy } from "../contract/strategy.js";
import type { CostModel } from "./cost-model.js";

/** One patch call: a strategy changes sites together. */
export type TimedCall = {
  readonly strategy: PatchStrategy;
  readonly sites: readonly FlipSite[];
  /** Decoder mode of the sites, where the architecture has several. */
  readonly mode?: string;
};

/** A task that makes patch calls, one after the other, on a CPU of its own. */
export type TimedPatcher = {
  /** They are asked for one at a time, so that many need not be held. */
  readonly calls: Iterable<TimedCall>;
  /** When it begins, in nanoseconds; by default 0. */
  readonly begins?: number;
};

/** What is timed. */
export type TimedScenario = {
  readonly architecture: Architecture;
  readonly patchers: readonly TimedPatcher[];
  /** All CPUs, from one for each patcher on; every other one runs code of the sites. */
  readonly cpus: number;
  readonly cost: CostModel;
  /** Which run: a whole number from 0 to 2^32 - 1. */
  readonly seed: number;
  /** All sites that executors pass through, where these are more than those that are patched. */
  readonly sites?: number;
};

/** What happened, in the words of the machine's events. */
export type TimedEvent = {
  /** Nanoseconds. */
  readonly at: number;
  readonly cpu: number;
  readonly what: EventName;
  readonly detail: string;
};

/** A distribution, in nanoseconds. */
export type Spread = {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
};

/** What a run cost. Times are in nanoseconds of the simulated machine. */
export type TimedRun = {
  /** From the begin of the first call until the last one returned. */
  readonly time: number;
  /** Whether all calls returned. */
  readonly complete: boolean;
  readonly calls: number;
  /** Sites that came to hold their new code, each call's counted. */
  readonly sites: number;
  /** Sets of sites that were finished between two synchronisations. */
  readonly batches: number;
  /** Stores to code. */
  readonly writes: number;
  /** Rounds of interrupts to all CPUs. */
  readonly rounds: number;
  /** Interrupts between processors, counted at the receivers. */
  readonly interrupts: number;
  /** Breakpoints that were executed. */
  readonly traps: number;
  /** Those that no handler claimed. */
  readonly unclaimed: number;
  /** Times that the whole machine was stopped. */
  readonly stops: number;
  /** The time in which all CPUs stood with interrupts masked for a stop. */
  readonly stopped: number;
  /** Grace periods that were waited for. */
  readonly graces: number;
  /** Time that patchers waited for locks. */
  readonly contended: number;
  /** Of the patch calls. */
  readonly latency: Spread;
  /** Of each executor's longest pause. */
  readonly longestPause: Spread;
  /** Of what the executors could have run in this time: the part that they could not, 0 to 1. */
  readonly lost: number;
  /** What happened in the simulation: events that were taken from the queue, and steps. */
  readonly events: number;
};
