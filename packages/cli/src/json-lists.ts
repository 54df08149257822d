import type { PatchProgram, PropertyId, Verdict } from "@cmodx/core";
import type { CounterexampleJson, SiteJson } from "./json-check.js";

/* The documents of `cmodx list`, `cmodx show` and `cmodx gallery`. */

/** One strategy of `cmodx list --json`. */
export type StrategyJson = {
  readonly id: string;
  readonly architecture: string;
  /** `OLD:NEW`. */
  readonly defaultSite: string;
  /** Ids of the architecture's fetch models, the weakest first. */
  readonly profiles: readonly string[];
  /** Ids of the steps of one flip at the default site. */
  readonly steps: readonly string[];
  readonly summary: string;
  readonly promises: readonly PropertyId[];
};

/** `cmodx list --json`. */
export type ListJson = { readonly schema: "cmodx/list/1"; readonly strategies: readonly StrategyJson[] };

/** `cmodx show --json`. */
export type ShowJson = {
  readonly schema: "cmodx/show/1";
  readonly id: string;
  readonly architecture: string;
  readonly summary: string;
  readonly source: string;
  readonly promises: readonly PropertyId[];
  readonly site: SiteJson;
  /** The program of each flip, there and back. */
  readonly flips: readonly PatchProgram[];
};

/** One entry of `cmodx gallery --json`. */
export type GalleryEntryJson = {
  readonly id: string;
  readonly title: string;
  /** The verdict on the bug. */
  readonly wrong: Verdict["verdict"];
  /** The verdict on its fix. */
  readonly fixed: Verdict["verdict"];
  /** What the bug breaks; null where nothing was found. */
  readonly property: PropertyId | null;
  /** Steps of the shortest counterexample; null where there is none. */
  readonly length: number | null;
  /** Whether the bug breaks what is expected of it and the fix is safe. */
  readonly status: "as expected" | "not as expected" | "undecided";
  /** What is not as expected, one sentence each. */
  readonly complaints: readonly string[];
  /** The property that the bug has to break. */
  readonly expected: PropertyId;
  readonly why: string | null;
  readonly architecture: string;
  readonly fetch: string;
  /** Commit or mail. */
  readonly source: string;
  /** Null unless entries were named. */
  readonly counterexample: (CounterexampleJson & { readonly shortest: boolean }) | null;
};

/** `cmodx gallery --json`. */
export type GalleryJson = {
  readonly schema: "cmodx/gallery/1";
  readonly entries: readonly GalleryEntryJson[];
  /** The user ended the run before all entries were judged. */
  readonly interrupted: boolean;
};
