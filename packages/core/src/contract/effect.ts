import type { Data } from "../base/data.js";
import type { Observation } from "./events.js";
import type { Part, Parts } from "./state.js";

/** A named map or predicate over every CPU's part, with its arguments. */
export type EveryCpu = { readonly id: string; readonly args: Data };

/**
 * One outcome of a step: new parts of the acting CPU and of the shared row, then a map over the part of every CPU (a store makes
 * values stale everywhere) or of the other CPUs (an interrupt sent), and what was observed.
 */
export type Effect = {
  readonly set: Partial<Parts>;
  readonly everyCpu?: EveryCpu;
  readonly otherCpus?: EveryCpu;
  readonly observed?: readonly Observation[];
};

/** What else a rule writes beside the parts of {@link Effect.set}: the parts of other CPUs. */
export type Writes = Part | "everyCpu";
