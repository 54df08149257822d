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
  "fault",
  "progress",
  "trace",
  "rule",
] as const;

/** The id of a property of safe code patching. */
export type PropertyId = (typeof propertyIds)[number];

/** Properties that count whatever a strategy promises. */
export const alwaysPromised: readonly PropertyId[] = ["fault", "lifetime", "old-or-new", "trap-owned"];

/** A property that is judged at single events: pure, and asked once for each distinct effect of a rule. */
export interface Property {
  readonly id: PropertyId;
  /** What breaks it, in one sentence. */
  readonly breaksWhen: string;
  /**
   * Where the same instruction (the `at` of an observation's detail) breaks one of these, and that counts, then what it breaks of this
   * property is only a consequence: shown, but no second property.
   */
  readonly consequenceOf?: readonly PropertyId[];
  /** Why the observation breaks the property, in one sentence with its values; undefined when it does not. */
  judge(observation: Observation): string | undefined;
}
