import type { Choice } from "../contract/trace.js";
import type { Bounds } from "../contract/verdict.js";
import type { CheckOptions } from "../explorer/explorer.js";
import type { OutcomesOptions } from "../explorer/outcomes.js";
import type { Reductions } from "../explorer/search.js";
import type { RepairOptions } from "../repair.js";
import type { WalkOptions } from "../simulator/walk.js";
import {
  anything,
  atLeast,
  callable,
  either,
  flag,
  list,
  object,
  only,
  optional,
  type Schema,
  where,
  whole,
} from "./schema.js";

const boundsSchema: Schema<Bounds> = object("bounds", {
  states: optional(atLeast(1)),
  bytes: optional(atLeast(0)),
  milliseconds: optional(atLeast(0)),
});

const signal: Schema<AbortSignal> = where<AbortSignal>(anything, (value) =>
  typeof value?.aborted === "boolean" ? undefined : "has to be the signal of an AbortController.",
);

/** The schema of {@link CheckOptions}. */
export const checkOptionsSchema: Schema<CheckOptions> = object("options of a check", {
  cpus: optional(only("any")),
  bounds: optional(boundsSchema),
  memory: optional(callable("a function that tells how many bytes are in use")),
  signal: optional(signal),
  onProgress: optional(callable("a function that is told how far the run is")),
  reduce: optional(
    either(
      "true, false, or the names of reductions",
      flag,
      object<Partial<Reductions>>("reductions", {
        urgent: optional(flag),
        symmetry: optional(flag),
        stubborn: optional(flag),
      }),
    ),
  ),
  beyond: optional(whole(0)),
  singly: optional(whole(0)),
  shortest: optional(flag),
});

/** The schema of {@link OutcomesOptions}. */
export const outcomesOptionsSchema: Schema<OutcomesOptions> = object("options of outcomes", {
  bounds: optional(boundsSchema),
  memory: optional(callable("a function that tells how many bytes are in use")),
  signal: optional(signal),
  onProgress: optional(callable("a function that is told how far the run is")),
  reduce: optional(flag),
});

/** The schema of {@link RepairOptions}. */
export const repairOptionsSchema: Schema<RepairOptions> = object("options of repairs", {
  bounds: optional(boundsSchema),
  memory: optional(callable("a function that tells how many bytes are in use")),
  states: optional(whole(1)),
  signal: optional(signal),
  counterexample: optional(list<Choice>("steps", anything)),
  all: optional(flag),
  onTry: optional(callable("a function that is told how many were tried")),
});

/** The schema of the options of one simulated run. */
export const runOptionsSchema: Schema<Partial<WalkOptions>> = object("options of a run", {
  flips: optional(whole(1)),
  seed: optional(whole(0, 2 ** 32 - 1)),
});
