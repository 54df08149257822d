/* The document of `cmodx record`. */

/** Where a recording was written; null where it was not asked for. */
export type RecordedFilesJson = {
  readonly perf: string | null;
  readonly traceDat: string | null;
  readonly ctf: string | null;
  readonly chrome: string | null;
};

/** A branch that a CPU took. */
export type BranchJson = { readonly from: string; readonly to: string };

/** `cmodx record --json`. */
export type RecordJson = {
  readonly schema: "cmodx/record/1";
  readonly strategies: readonly string[];
  readonly architecture: string;
  readonly fetch: string;
  readonly seed: number;
  readonly cpus: number;
  readonly steps: number;
  /** Patch calls that returned. */
  readonly flips: number;
  readonly files: RecordedFilesJson;
  /**
   * The branches that each CPU took, in order, as perf lists them; null on another architecture than x86, and where perf cannot be told
   * of the run.
   */
  readonly branches: readonly (readonly BranchJson[])[] | null;
};
