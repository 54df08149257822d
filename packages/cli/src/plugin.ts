import type { Architecture, PatchStrategy, Plugin } from "@cmodx/core";
import {
  anything,
  assertFits,
  callable,
  list,
  object,
  optional,
  pluginSchema,
  type Schema,
  strategySchema,
  text,
} from "@cmodx/core/schema";

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

const packageSchema: Schema<ArchitecturePackage> = object("an architecture package", {
  id: text,
  create: callable("a function of options"),
  strategies: list("strategies", strategySchema),
  plainStore: optional(callable("a function of a width")),
  multiInstructionSite: optional(text),
  fetchFor: optional(callable("a function of a decoder mode")),
  pairs: optional(anything),
  exports: optional(anything),
});

const cmodxPluginSchema: Schema<CmodxPlugin> = object("a cmodx plugin", {
  strategies: optional(list("strategies", strategySchema)),
  architectures: optional(list("architecture packages", packageSchema)),
  parts: optional(list("plugins", pluginSchema)),
});

/** Checks the form of what a plugin module exports. Throws {@link InputError} when it has another. */
export const parsePlugin = (value: unknown, file: string): CmodxPlugin => {
  assertFits(cmodxPluginSchema, value, "plugin", { file, words: `${file} is no cmodx plugin` });
  return value;
};
