/* The document of `cmodx conform`. */

/** Lines of a log, of which nothing is said. */
export type NotCoveredJson = { readonly from: number; readonly to: number; readonly why: string };

/** What contradicts the strategy. */
export type ContradictionJson = {
  /** The number of the line of a text, or of the event of another file, from 1. */
  readonly line: number;
  /** Id of the step of the program; null where the line belongs to none. */
  readonly step: string | null;
  readonly site: string | null;
  /** CPUs that did not synchronise. */
  readonly cpus: readonly number[];
  readonly why: string;
};

/** `cmodx conform --json`. */
export type ConformJson = {
  readonly schema: "cmodx/conform/1";
  readonly file: string;
  readonly strategy: string;
  readonly architecture: string;
  readonly answer: "conforms" | "contradicts" | "not-covered";
  /** What `line` numbers count. */
  readonly counts: "line" | "event";
  readonly cpus: number;
  /** Changes of sites seen whole, the writes that follow the program, and calls seen whole. */
  readonly changes: number;
  readonly writes: number;
  readonly calls: number;
  /** Places between writes where every CPU has to have synchronised: judged, and not logged. */
  readonly gaps: { readonly judged: number; readonly notCovered: number };
  /** Writes of changes that had begun before the log. */
  readonly before: number;
  readonly contradictions: readonly ContradictionJson[];
  readonly notCovered: readonly NotCoveredJson[];
  /** Writes outside of calls. */
  readonly foreign: readonly { readonly line: number; readonly address: string }[];
  /** Lines of synchronisations that the program does not ask for. */
  readonly more: readonly number[];
  /** Steps that no log shows. */
  readonly silent: readonly string[];
};
