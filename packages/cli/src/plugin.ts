import { type Architecture, InputError, type PatchStrategy, type Plugin } from "@cmodx/core";

/** Instructions of one size and state, each to be changed into each. */
export type PairGroup = {
  readonly id: string;
  readonly fetch: string;
  /** Byte offset of the site in its line. */
  readonly offset: number;
  /** By name, the assembler text of an instruction and of another one of its kind, into which it is changed on the diagonal. */
  readonly forms: { readonly [name: string]: readonly [text: string, other: string] };
};

/** A way to change one instruction into another; `mark` stands for it in the table, in at most two characters. */
export type PairWay = {
  readonly id: string;
  readonly mark: string;
  readonly means: string;
  readonly strategy: PatchStrategy;
};

/** What `cmodx matrix --pairs` goes through; ways in the order of what they cost: the first that is safe is what a pair needs. */
export type PairTable = { readonly groups: readonly PairGroup[]; readonly ways: readonly PairWay[] };

/** An architecture as the command line knows it. */
export type ArchitecturePackage = {
  /** The id that `--arch` takes. */
  readonly id: string;
  /** The architecture with one of its fetch models, by default the weakest. */
  create(options: { readonly fetch?: string }): Architecture;
  readonly strategies: readonly PatchStrategy[];
  /** The strategy `plain-store` with accesses of `width` bytes, for `--width`. */
  plainStore?(width: 1 | 2 | 4 | 8): PatchStrategy;
  /** `OLD:NEW` of a site whose old code is several instructions and whose new code is one, for `cmodx matrix`. */
  readonly multiInstructionSite?: string;
  /** The fetch model for sites of a binary whose code is in this decoder mode; absent where modes do not matter to it. */
  fetchFor?(mode: string): string;
  /** What `cmodx matrix --pairs` goes through. */
  readonly pairs?: PairTable;
  /** What a scenario module finds under the architecture's id. */
  readonly exports?: object;
};

/** What a module named by `--plugin`, or `cmodx.config.mjs`, exports by default: inert values. */
export type CmodxPlugin = {
  readonly strategies?: readonly PatchStrategy[];
  readonly architectures?: readonly ArchitecturePackage[];
  /** Parts of a simulation that replace or extend those of core and of the architecture. */
  readonly parts?: readonly Plugin[];
};

/** Checks the form of what a plugin module exports. */
export const parsePlugin = (value: unknown, file: string): CmodxPlugin => {
  const fail = (what: string): never => {
    throw new InputError(`${file} is no cmodx plugin: ${what}.`, { file, place: "default export" });
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail("its default export is no object with strategies, architectures or parts");
  }
  const plugin = value as CmodxPlugin;
  for (const name of Object.keys(plugin)) {
    if (!["strategies", "architectures", "parts"].includes(name)) {
      fail(`it has ${name}, expected strategies, architectures or parts`);
    }
    if (!Array.isArray(plugin[name as keyof CmodxPlugin])) fail(`its ${name} are no list`);
  }
  plugin.strategies?.forEach((strategy, i) => {
    if (typeof strategy?.id !== "string" || typeof strategy.plan !== "function" || !Array.isArray(strategy.promises)) {
      fail(`strategy ${i + 1} of it is no strategy with an id, promises and a plan`);
    }
  });
  plugin.architectures?.forEach((architecture, i) => {
    if (typeof architecture?.id !== "string" || typeof architecture.create !== "function") {
      fail(`architecture ${i + 1} of it has no id and create`);
    }
  });
  return plugin;
};
