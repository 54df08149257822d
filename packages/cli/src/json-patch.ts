/* The documents of `cmodx patch` and `cmodx cost`. */

/** A distribution of times, in nanoseconds of the simulated machine. */
export type SpreadJson = { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number };

/** One run of `cmodx patch`. Times are in nanoseconds of the simulated machine. */
export type PatchRunJson = {
  readonly strategy: string;
  readonly cpus: number;
  /** Sites that the calls name. */
  readonly asked: number;
  /** All calls returned; otherwise the rest is what was computed until then. */
  readonly complete: boolean;
  readonly time: number;
  readonly calls: number;
  /** Sites that came to hold their new code. */
  readonly sites: number;
  /** Sets of sites that were finished between two synchronisations. */
  readonly batches: number;
  readonly writes: number;
  /** Rounds of interrupts to all CPUs. */
  readonly rounds: number;
  /** Interrupts between processors, counted at the receivers. */
  readonly interrupts: number;
  readonly traps: number;
  /** Breakpoints that no handler claimed. */
  readonly unclaimed: number;
  readonly stops: number;
  /** The time in which all CPUs stood with interrupts masked for a stop. */
  readonly stopped: number;
  readonly graces: number;
  /** Time that patchers waited for locks. */
  readonly contended: number;
  readonly latency: SpreadJson;
  /** Of each executor's longest pause. */
  readonly longestPause: SpreadJson;
  /** The part of the executors' time that they lost, 0 to 1. */
  readonly lost: number;
  /** With `--writes`: the stores to code, in their order. */
  readonly text: readonly { readonly address: string; readonly bytes: string }[] | null;
};

/** `cmodx patch --json`. */
export type PatchJson = {
  readonly schema: "cmodx/patch/1";
  readonly architecture: string;
  readonly cost: string;
  readonly seed: number;
  /** The user, or the limit of time, ended the run before all was computed. */
  readonly interrupted: boolean;
  readonly runs: readonly PatchRunJson[];
};

/** A cost parameter. */
export type CostValueJson = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly summary: string;
  readonly source: string;
};

/** `cmodx cost show --json`. */
export type CostJson = {
  readonly schema: "cmodx/cost/1";
  readonly id: string;
  readonly summary: string;
  readonly parameters: readonly CostValueJson[];
};

/** Parameters that were fitted to measurements, and what they predict. Times are in nanoseconds. */
export type FittedJson = {
  readonly name: string;
  /** The cost model that it began with. */
  readonly base: string;
  /** What the measurements say of other parameters. */
  readonly known: { readonly [name: string]: number };
  /** Otherwise the user, or the limit of time, ended the run, and the values are the best until then. */
  readonly complete: boolean;
  readonly parameters: readonly {
    readonly name: string;
    readonly unit: string;
    readonly before: number;
    readonly value: number;
  }[];
  readonly rows: readonly {
    readonly name: string;
    readonly source: string;
    /** It was not fitted, but is predicted. */
    readonly held: boolean;
    readonly measured: number;
    readonly predicted: number | null;
    /** The prediction over what was measured, less 1. */
    readonly deviation: number | null;
  }[];
};

/** `cmodx cost fit --json` and `cmodx cost check --json`. */
export type CostFitJson = { readonly schema: "cmodx/fit/1"; readonly fits: readonly FittedJson[] };
