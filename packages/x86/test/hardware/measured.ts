import { readFileSync } from "node:fs";
import type { PropertyId } from "@cmodx/core";

/** A measured number, or its lowest and highest of several runs. */
export type Count = number | readonly [number, number];

/** What was seen to be executed, or never: at an offset in the site (default 0), by its bytes (hex, the first ones), text or kind. */
export type Pattern =
  | { readonly offset?: number; readonly bytes: string }
  | { readonly offset?: number; readonly text: string }
  | { readonly offset?: number; readonly kind: "torn" }
  | { readonly property: PropertyId };

/** A site written over by some stores, each a byte offset and a length, in this order in both directions. */
export type StoreRow = {
  readonly id: string;
  readonly row: string;
  readonly old: string;
  readonly new: string;
  readonly stores: readonly (readonly [offset: number, length: number])[];
  /** Offsets in a 64-byte line that the site lay at. */
  readonly offsets: readonly number[];
  /** The versions only went up: there is no way back. */
  readonly once?: true;
  readonly flips?: Count;
  readonly executions?: number;
  readonly torn: Count;
  readonly seen: readonly Pattern[];
  readonly never?: readonly Pattern[];
  /** Why the model allows what was never seen. */
  readonly looser?: string;
  readonly note?: string;
};

/** A run of the INT3 protocol: synchronised after INT3 (1), the tail (2), the first byte (3). */
type Int3Run = {
  readonly offset: number;
  readonly synchronised: readonly number[];
  readonly bad: number;
  readonly flips: number;
  /** What the bad executions were, with how often: a signal and where it came from, in bytes from the site. */
  readonly seen?: { readonly [what: string]: number };
};

/** Threads in steps such as `store x`, `load x`, `store site 0`, `fetch site 0`; `FENCE` stands for the fence of a run. */
export type LitmusRow = {
  readonly id: string;
  readonly row: string;
  readonly needs: "architectural";
  readonly sites: number;
  readonly threads: readonly (readonly string[])[];
  /** Where a store would have been seen too late: by thread and what it loaded or fetched. */
  readonly weak: { readonly [seen: string]: number | "old" | "new" };
  readonly runs: readonly { readonly fences: readonly string[]; readonly weak: Count; readonly rounds: number }[];
};

/** Everything that was measured on one machine about fetches. */
export type Measured = {
  readonly measured: string;
  readonly stores: readonly StoreRow[];
  readonly int3: {
    readonly site: string;
    readonly runs: readonly Int3Run[];
    readonly several: {
      readonly offsets: readonly number[];
      readonly runs: readonly {
        readonly old: string;
        readonly bad: number;
        readonly flips: number;
        readonly seen: readonly number[];
      }[];
    };
    /** The same at a site over a page border. */
    readonly page?: { readonly runs: readonly Int3Run[] };
  };
  readonly litmus: readonly LitmusRow[];
};

const read = (machine: string): Measured =>
  JSON.parse(readFileSync(new URL(`../data/${machine}.json`, import.meta.url), "utf8"));

/** The machines, by name. */
export const machines: readonly (readonly [name: string, Measured])[] = [
  ["Zen 3", read("zen3")],
  ["Zen 5", read("zen5")],
];

/** Whether two rows are about the same stores of the same code. */
const isSame = (one: StoreRow, other: StoreRow): boolean =>
  JSON.stringify([one.old, one.new, one.stores, one.once]) ===
  JSON.stringify([other.old, other.new, other.stores, other.once]);

/** Whether some machine showed at an offset what another never did. */
export const isSeenAnywhere = (row: StoreRow, offset: number, pattern: Pattern): boolean =>
  machines.some(([, { stores }]) =>
    stores.some(
      (other) =>
        isSame(row, other) &&
        other.offsets.includes(offset) &&
        other.seen.some((seen) => JSON.stringify(seen) === JSON.stringify(pattern)),
    ),
  );

/** The greatest value of a count. */
export const most = (count: Count): number => (typeof count === "number" ? count : count[1]);
