import type { PropertyId, Verdict } from "@cmodx/core";

/* The documents of `cmodx matrix` and `cmodx ablate`: many verdicts beside each other. */

/** An environment of `cmodx matrix`: a column. */
export type EnvironmentJson = {
  readonly id: string;
  /** `OLD:NEW`; null where each strategy has its own default site. */
  readonly site: string | null;
  /** In the 64-byte line; null where it is chosen by each site's length, so that it lies over two. */
  readonly offset: number | null;
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
  /** What breaks in the sequential order alone, which lets CPUs fetch more than the architecture does. */
  readonly sequential: PropertyId | null;
  /** Where in its line the site began; null where nothing was checked. */
  readonly offset: number | null;
  /** 1 where the strategy has no way back; 0 where nothing was checked. */
  readonly flips: number;
  readonly states: number;
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
  /** The first way that is safe; null where none is, where it was not decided, or where both are the same instruction. */
  readonly needs: string | null;
  /** The ways that were checked: those up to the first safe one, or to one by which nothing changes. */
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
  /** What breaks in the sequential order alone, which lets CPUs fetch more than the architecture does. */
  readonly sequential: PropertyId | null;
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
  /** How many of them were left out together at the most. */
  readonly most: number;
  readonly rows: readonly AblateRowJson[];
};
