import type { Bounds, Decoder, LinesArgument, PropertyId, SiteOutcome, UsedPlugin, Verdict } from "@cmodx/core";
import type { BrokenJson, CounterexampleJson, VerdictJson } from "@cmodx/view";

export type { BrokenJson, CounterexampleJson, CounterexampleStepJson, ValueJson, VerdictJson } from "@cmodx/view";

/* The documents of `cmodx check` and `cmodx replay`. */

/** One site of a check. `offset` is that of its first byte in a 64-byte line. */
export type SiteJson = {
  readonly address: string;
  readonly offset: number;
  readonly old: string;
  readonly new: string;
  readonly oldBytes: string;
  readonly newBytes: string;
  readonly origin: string | null;
};

/** An option that came before what a scenario module says. */
export type VariationJson = {
  readonly option: string;
  readonly asked: string;
  /** What the module says; null where it says nothing of it. */
  readonly module: string | null;
};

/** One patcher of a check. */
export type PatcherJson = {
  readonly strategy: string;
  /** Indices into the sites. */
  readonly sites: readonly number[];
  readonly flips: number | "forever";
  readonly drop: readonly string[];
  /** Ids of the steps that were added; those of `--add` are `KIND@STEP`. */
  readonly add: readonly string[];
};

/** What a verdict is bounded by. */
export type BoundsJson = {
  readonly architecture: string;
  readonly fetch: { readonly id: string; readonly source: string };
  readonly memory: "sequential" | "architectural";
  /** Which decoder `trace` asked; null where `trace` does not count or is not judged. */
  readonly decoder: Decoder | null;
  readonly cpus: number;
  /** Flips of each patcher; the highest where they differ. */
  readonly flips: number | "forever";
  /** Why there are fewer flips than by default. */
  readonly flipsWhy: string | null;
  /** Why it is that strategy, where none was named; else null. */
  readonly strategyWhy: string | null;
  readonly irq: boolean;
  readonly nmi: boolean;
  /** What an NMI does that comes after an inner return inside the handler of another. */
  readonly nestedIret: "guarded" | "unguarded";
  readonly preempt: boolean;
  /** The code runs in user mode. */
  readonly user: boolean;
  readonly sites: readonly SiteJson[];
  readonly patchers: readonly PatcherJson[];
  /** Options that came before what the scenario module says. */
  readonly variations: readonly VariationJson[];
  /** Plugins that brought parts, and which parts of the model are theirs in place of others. */
  readonly plugins: readonly UsedPlugin[];
  /** The properties that counted. */
  readonly properties: readonly PropertyId[];
  readonly limits: {
    readonly states: number | null;
    readonly megabytes: number | null;
    readonly seconds: number | null;
  };
  /** The limit that ended the run. */
  readonly reached: keyof Bounds | "interrupted" | "cpus" | null;
};

/** Every instruction that each CPU can execute at the sites. */
export type OutcomesJson = {
  /** The whole reachable space was seen: there are no other outcomes. */
  readonly complete: boolean;
  /** The limit that ended the listing early. */
  readonly reached: keyof Bounds | "interrupted" | null;
  readonly states: number;
  readonly seconds: number;
  readonly list: readonly OutcomeJson[];
};

/** One instruction that CPUs can execute at a site; the fields are those of core's `SiteOutcome`. */
export type OutcomeJson = Omit<SiteOutcome, "address"> & { readonly address: string };

/** The search for one added synchronisation that makes an unsafe scenario safe. */
export type RepairJson = {
  /** Additions that were decided, and how many there are. */
  readonly tried: number;
  readonly candidates: number;
  /** States of the checks of all additions together. */
  readonly states: number;
  /** Nothing was left undecided that costs less than what was found; where nothing was found, nothing at all. */
  readonly complete: boolean;
  /** Those left undecided, as `--add` takes them. */
  readonly undecided: readonly string[];
  readonly found: readonly {
    /** `KIND@STEP`, as `--add` takes it. */
    readonly add: string;
    readonly kind: string;
    /** Id of the step that it comes after; null: before all others. */
    readonly after: string | null;
    /** It comes before the lines that the step `after` holds in this argument. */
    readonly inside: LinesArgument | null;
    /** Index into the patchers. */
    readonly patcher: number;
  }[];
};

/** `cmodx check --json`. */
export type CheckJson = VerdictJson & {
  readonly schema: "cmodx/check/1";
  readonly bounds: BoundsJson;
  readonly interruptsPerFlip: number | null;
  readonly ipiRoundsPerFlip: number | null;
  /** The first stronger fetch model under which a site of a binary that is unsafe is safe; null where there is none, or `--fetch` was given. */
  readonly stronger: string | null;
  /** Null when it was not looked for: the verdict is not unsafe, or `--no-repair`. */
  readonly repair: RepairJson | null;
  /** Null without `--outcomes`. */
  readonly outcomes: OutcomesJson | null;
  /** Each place in the line that the site can have, where the file does not fix it; this document is about the worst. */
  readonly offsets: readonly OffsetJson[];
  /** Each fetch model that was asked for, where there are several; this document is about the worst. */
  readonly models: readonly ModelJson[];
  /** The file the counterexample was saved to. */
  readonly saved: string | null;
};

/** The verdict under one fetch model. */
export type ModelJson = { readonly fetch: string } & Omit<OffsetJson, "offset">;

/** The verdict at one place in the line. */
export type OffsetJson = {
  readonly offset: number;
  /** `impossible` when the strategy refuses the site there. */
  readonly verdict: Verdict["verdict"] | "impossible";
  readonly property: PropertyId | null;
  readonly states: number;
  readonly seconds: number;
  readonly why: string | null;
};

/** `cmodx replay --json`. */
export type ReplayJson = {
  readonly schema: "cmodx/replay/1";
  readonly property: PropertyId;
  readonly why: string;
  readonly broken: readonly BrokenJson[];
  readonly counterexample: CounterexampleJson;
};

/** A class of sites of equal shape of `cmodx check --all`, with the answer for the first of them. */
export type ClassJson = {
  readonly kind: string;
  readonly instruction: string;
  /** In a cache line of 64 bytes; null where the file does not fix it. */
  readonly offset: number | null;
  readonly hazards: readonly string[];
  readonly sites: number;
  readonly first: { readonly number: number; readonly symbol: string | null; readonly address: string };
  /** Null where none could be chosen. */
  readonly strategy: string | null;
  /** `impossible` when the strategy refuses the site. */
  readonly verdict: Verdict["verdict"] | "impossible";
  readonly property: PropertyId | null;
  readonly why: string | null;
};

/** `cmodx check --all --json`. */
export type CheckAllJson = {
  readonly schema: "cmodx/check-all/1";
  readonly file: string;
  readonly machine: string;
  readonly fetch: string;
  readonly sites: number;
  /** Runs of no-operations before functions, which are no sites. */
  readonly padding: number;
  /** Sites of classes that were not come to, and why; else 0 and null. */
  readonly unchecked: number;
  readonly cut: string | null;
  /** The first stronger fetch model under which all that is unsafe is safe; else null. */
  readonly stronger: string | null;
  readonly classes: readonly ClassJson[];
};
