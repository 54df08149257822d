import type { Bytes, Data } from "../base/data.js";
import type { InstructionSet } from "./instruction-set.js";
import type { PatchProgram } from "./program.js";
import type { PropertyId } from "./property.js";
import type { CpuMap, CpuPredicate, Rule } from "./rule.js";

/** One site of a flip: where it is, the bytes it holds and the bytes it is to hold; both have the same length. */
export type FlipSite = { readonly address: bigint; readonly old: Bytes; readonly next: Bytes };

/** One patch call: the sites that it changes together, in the order the caller gives them. */
export type Flip = { readonly sites: readonly FlipSite[] };

/** Why a flip cannot be done by a strategy at all: one sentence. */
export type Impossible = { readonly impossible: string };

/** What a strategy may ask about the machine that it plans for. */
export type PlanContext = {
  readonly instructionSet: InstructionSet;
  /** Decoder mode of the sites, e.g. `a32` or `t32`; empty where the architecture has one. */
  readonly mode: string;
  /** Online CPUs, 1 to 64. */
  readonly cpus: number;
  /** What software is told about the hardware ({@link FetchModel.reports}). */
  readonly reports: Data;
};

/**
 * A way of changing code: turns a flip into a patch program. A strategy is an inert value; its `plan` is pure.
 */
export interface PatchStrategy {
  /** Lower-case words joined by `-`. */
  readonly id: string;
  /** One sentence on what it is. */
  readonly summary: string;
  /** Kernel file and version, mail or paper that it follows. */
  readonly source: string;
  /** Ids of the architectures it is for. */
  readonly architectures: readonly string[] | "any";
  /**
   * Sites it is shown on when the user names none: `OLD:NEW`, by architecture id where it is for several, and by `ID FETCH` where a fetch
   * model needs another.
   */
  readonly defaultSite: string | { readonly [architecture: string]: string };
  /** The properties it promises; `lifetime`, `old-or-new` and `trap-owned` count always. */
  readonly promises: readonly PropertyId[];
  /** It changes the code of a user-space process: a scenario runs it there unless it says otherwise ({@link Scenario.user}). */
  readonly user?: true;
  /** The program of one flip, or why there is none. */
  plan(flip: Flip, context: PlanContext): PatchProgram | Impossible;
  /** Rules for operations that its programs use and core does not know: a rule's id is the operation. */
  readonly rules?: readonly Rule[];
  /** Maps over CPUs that its rules name. */
  readonly maps?: readonly CpuMap[];
  /** Predicates over CPUs that its rules name. */
  readonly predicates?: readonly CpuPredicate[];
}

/** Whether a plan is a refusal. */
export const isImpossible = (plan: PatchProgram | Impossible): plan is Impossible => "impossible" in plan;
