import type { Bounds, Choice, Data, PatchProgram, PropertyId, Verdict } from "@cmodx/core";

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

/** `cmodx check --json`. */
export type CheckJson = {
  readonly schema: "cmodx/check/1";
  readonly verdict: Verdict["verdict"];
  readonly property: PropertyId | null;
  readonly why: string | null;
  readonly broken: readonly { readonly property: PropertyId; readonly why: string }[];
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
  readonly counterexample: { readonly steps: readonly CounterexampleStepJson[]; readonly shortest: boolean } | null;
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
  readonly environments: readonly EnvironmentJson[];
  readonly cells: readonly CellJson[];
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
  readonly broken: readonly { readonly property: PropertyId; readonly why: string }[];
  readonly counterexample: { readonly steps: readonly CounterexampleStepJson[] };
};
