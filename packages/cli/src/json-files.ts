/* The documents of the commands that read files of others: `cmodx scan` and `cmodx litmus`. */

/** One file of `cmodx scan --json`. */
export type ScannedJson = {
  readonly file: string;
  readonly machine: string;
  readonly sites: { readonly [kind: string]: number };
  readonly hazards: { readonly [kind: string]: number };
  /** Runs of no-operations before functions, which are no sites: nobody executes or patches them. */
  readonly padding: number;
  /** Entries of tables that list no sites: `alternatives`, `kprobe-blacklist`; those that the file has. */
  readonly others: { readonly [kind: string]: number };
  /** With `--sites`: each of them. */
  readonly rows?: readonly SiteRowJson[];
};

/** One row of `cmodx scan --sites`. */
export type SiteRowJson = {
  /** `#N` of `cmodx check --from`. */
  readonly number: number;
  readonly kind: string;
  readonly symbol: string | null;
  readonly section: string;
  /** Virtual address, or offset in the section where the file is relocatable. */
  readonly address: string;
  /** In a cache line of 64 bytes; null where the file does not fix it. */
  readonly offset: number | null;
  readonly bytes: string;
  readonly hazards: readonly string[];
  /** The instruction that stands there. */
  readonly old: string;
  /** What the kernel puts there, as `cmodx check` writes it; null where it would not patch the site. */
  readonly new: string | null;
  readonly key: string | null;
};

/** `cmodx scan --json`. */
export type ScanJson = {
  readonly schema: "cmodx/scan/1";
  readonly files: readonly ScannedJson[];
  /** Files that could not be read. */
  readonly errors: readonly { readonly file: string; readonly place: string | null; readonly message: string }[];
  /** The user ended the run before all files were read. */
  readonly interrupted: boolean;
};

/** One litmus test under one fetch model. */
export type LitmusTestJson = {
  readonly name: string;
  readonly file: string;
  /** The id of the fetch model under which it was run. */
  readonly fetch: string;
  /** Whether the proposition of its condition can be true. */
  readonly verdict: "Allowed" | "Forbidden" | "Inconclusive";
  readonly observation: "Never" | "Sometimes" | "Always" | "Unknown";
  /** All executions were explored; otherwise there may be more states than these. */
  readonly complete: boolean;
  /** Final states as herd7 prints them: the registers and locations that the condition names. */
  readonly states: readonly string[];
  readonly flags: readonly string[];
  /** Final states of which the proposition is true. */
  readonly positive: number;
  /** Final states of which the proposition is false. */
  readonly negative: number;
  readonly seconds: number;
  /** The verdict that `--expect` names; null where it names none. */
  readonly expected: "Allowed" | "Forbidden" | null;
  /** How it differs from what was expected, in one sentence. */
  readonly difference: string | null;
};

/** `cmodx litmus --json`. */
export type LitmusJson = {
  readonly schema: "cmodx/litmus/1";
  readonly tests: readonly LitmusTestJson[];
  /** Files that are no tests. */
  readonly errors: readonly { readonly message: string; readonly file: string; readonly place: string | null }[];
  /** The user ended the run before all tests were run. */
  readonly interrupted: boolean;
};
