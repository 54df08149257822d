import type { Bounds, Choice, Data, LinesArgument, PatchProgram, PropertyId, SiteOutcome, Verdict } from "@cmodx/core";

/*
 * The documents that `--json` prints. Addresses and other 64-bit numbers are strings such as "0xffffffff81000000".
 */

/** A document as text: one line for each value, bigints as hexadecimal strings. */
export const toJson = (document: unknown): string =>
  `${JSON.stringify(document, (_, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value), 2)}\n`;

/** An error of any command; exit code 2. */
export type ErrorJson = {
  readonly schema: "cmodx/error/1";
  readonly message: string;
  readonly file: string | null;
  readonly place: string | null;
};

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
  readonly cpus: number;
  /** Flips of each patcher; the highest where they differ. */
  readonly flips: number | "forever";
  /** Why there are fewer flips than by default. */
  readonly flipsWhy: string | null;
  readonly irq: boolean;
  readonly nmi: boolean;
  readonly preempt: boolean;
  readonly sites: readonly SiteJson[];
  readonly patchers: readonly PatcherJson[];
  /** The properties that counted. */
  readonly properties: readonly PropertyId[];
  readonly limits: {
    readonly states: number | null;
    readonly megabytes: number | null;
    readonly seconds: number | null;
  };
  /** The limit that ended the run. */
  readonly reached: keyof Bounds | "interrupted" | null;
};

/** One step of a counterexample. `number` counts from 1; `rule`, `step` and `choice` say which step it is to the machine. */
export type CounterexampleStepJson = Choice & {
  readonly number: number;
  /** What the CPU did, in words. */
  readonly does: string;
  readonly observed: readonly { readonly what: string; readonly detail: Data }[];
  /** The bytes of each site in memory after the step. */
  readonly memory: readonly string[];
};

/** A counterexample. */
export type CounterexampleJson = {
  readonly steps: readonly CounterexampleStepJson[];
  /** The number of the step from which on the steps repeat for ever; null where they do not. */
  readonly loop: number | null;
};

/** A value that a broken property is about: what was expected, what was found, where it comes from. */
export type ValueJson = { readonly name: string; readonly value: string };

/** A property that the last step of a counterexample breaks. */
export type BrokenJson = {
  readonly property: PropertyId;
  readonly why: string;
  readonly values: readonly ValueJson[];
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
export type CheckJson = {
  readonly schema: "cmodx/check/1";
  readonly verdict: Verdict["verdict"];
  readonly property: PropertyId | null;
  readonly why: string | null;
  readonly broken: readonly BrokenJson[];
  /** Broken as well, by other steps or by longer ways. */
  readonly alsoBroken: readonly PropertyId[];
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  readonly bounds: BoundsJson;
  readonly vacuous: boolean;
  readonly unused: readonly string[];
  readonly notPromised: readonly PropertyId[];
  readonly interruptsPerFlip: number | null;
  readonly ipiRoundsPerFlip: number | null;
  /** `shortest`: no shorter one exists; false only when a limit ended the search for it. */
  readonly counterexample: (CounterexampleJson & { readonly shortest: boolean }) | null;
  /** Null when it was not looked for: the verdict is not unsafe, or `--no-repair`. */
  readonly repair: RepairJson | null;
  /** Null without `--outcomes`. */
  readonly outcomes: OutcomesJson | null;
  /** Each place in the line that the site can have, where the file does not fix it; this document is about the worst. */
  readonly offsets: readonly OffsetJson[];
  /** The file the counterexample was saved to. */
  readonly saved: string | null;
};

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

/** An environment of `cmodx matrix`: a column. */
export type EnvironmentJson = {
  readonly id: string;
  /** `OLD:NEW`; null where each strategy has its own default site. */
  readonly site: string | null;
  readonly offset: number;
  readonly flips: number;
  readonly irq: boolean;
  readonly nmi: boolean;
  readonly preempt: boolean;
};

/** A cell of `cmodx matrix`. */
export type CellJson = {
  readonly strategy: string;
  readonly fetch: string;
  readonly environment: string;
  /** `impossible` when the strategy refuses the site. */
  readonly verdict: Verdict["verdict"] | "impossible";
  readonly property: PropertyId | null;
  readonly broken: readonly PropertyId[];
  readonly why: string | null;
  /** 1 where the strategy has no way back; 0 where nothing was checked. */
  readonly flips: number;
  readonly states: number;
  readonly vacuous: boolean;
  readonly seconds: number;
};

/** `cmodx matrix --json`. */
export type MatrixJson = {
  readonly schema: "cmodx/matrix/1";
  readonly architecture: string;
  readonly cpus: number;
  readonly memory: "sequential" | "architectural";
  readonly environments: readonly EnvironmentJson[];
  readonly cells: readonly CellJson[];
};

/** How one way of changing an instruction came out; `impossible` when the strategy refuses the pair. */
export type PairWayJson = {
  readonly way: string;
  readonly verdict: Verdict["verdict"] | "impossible";
  readonly property: PropertyId | null;
  readonly broken: readonly PropertyId[];
  readonly why: string | null;
  readonly states: number;
};

/** One change of an instruction into another, by their names in the group. */
export type PairJson = {
  readonly group: string;
  readonly old: string;
  readonly new: string;
  /** The first way that is safe; null where none is, or where it was not decided. */
  readonly needs: string | null;
  /** The ways that were checked: those up to the first safe one. */
  readonly ways: readonly PairWayJson[];
};

/** `cmodx matrix --pairs --json`. */
export type PairsJson = {
  readonly schema: "cmodx/pairs/1";
  readonly architecture: string;
  readonly cpus: number;
  readonly ways: readonly {
    readonly id: string;
    readonly mark: string;
    readonly means: string;
    readonly strategy: string;
  }[];
  readonly groups: readonly {
    readonly id: string;
    readonly fetch: string;
    readonly offset: number;
    readonly names: readonly string[];
  }[];
  readonly pairs: readonly PairJson[];
};

/** Where the site of an ablation lies: inside one 64-byte line, or over two. */
export type AblateSite = "in one line" | "crossing";

/** One combination of `cmodx ablate --json`. */
export type AblateRowJson = {
  /** Ids of the steps that were left out. */
  readonly dropped: readonly string[];
  readonly profile: string;
  readonly site: AblateSite;
  /** `impossible` when the strategy refuses the site; `not decided` for barriers, which the memory order gives no meaning. */
  readonly verdict: Verdict["verdict"] | "impossible" | "not decided";
  readonly property: PropertyId | null;
  /** Interrupts sent for each flip; null where nothing was checked or the patch call does not end. */
  readonly interruptsPerFlip: number | null;
};

/** `cmodx ablate --json`. */
export type AblateJson = {
  readonly schema: "cmodx/ablate/1";
  readonly architecture: string;
  readonly strategy: string;
  /** `OLD:NEW` */
  readonly site: string;
  readonly cpus: number;
  readonly irq: boolean;
  readonly nmi: boolean;
  readonly preempt: boolean;
  readonly memory: "sequential" | "architectural";
  /** The synchronisations of the strategy. */
  readonly steps: readonly string[];
  readonly rows: readonly AblateRowJson[];
};

/** One file of `cmodx scan --json`. */
export type ScannedJson = {
  readonly file: string;
  readonly machine: string;
  readonly sites: { readonly [kind: string]: number };
  readonly hazards: { readonly [kind: string]: number };
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

/** `cmodx replay --json`. */
export type ReplayJson = {
  readonly schema: "cmodx/replay/1";
  readonly property: PropertyId;
  readonly why: string;
  readonly broken: readonly BrokenJson[];
  readonly counterexample: CounterexampleJson;
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

/** One litmus test. */
export type LitmusTestJson = {
  readonly name: string;
  readonly file: string;
  /** Whether the proposition of its condition can be true. */
  readonly verdict: "Allowed" | "Forbidden";
  readonly observation: "Never" | "Sometimes" | "Always";
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
