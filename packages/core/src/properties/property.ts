import type { Observation } from "../rule.js";

/** The ids of the properties, in the order in which they are reported. */
export const propertyIds = [
  "mid-sequence",
  "old-or-new",
  "trap-owned",
  "emulation",
  "done",
  "pair",
  "lifetime",
  "exclusive",
  "progress",
  "trace",
  "rule",
] as const;

/** The id of a property of safe code patching. */
export type PropertyId = (typeof propertyIds)[number];

/** Properties that count whatever a strategy promises. */
export const alwaysPromised: readonly PropertyId[] = ["lifetime", "old-or-new", "trap-owned"];

/** A property that is judged at single events: pure, and asked once for each distinct effect of a rule. */
export interface Property {
  readonly id: PropertyId;
  /** What breaks it, in one sentence. */
  readonly breaksWhen: string;
  /** Why the observation breaks the property, in one sentence with its values; undefined when it does not. */
  judge(observation: Observation): string | undefined;
}
