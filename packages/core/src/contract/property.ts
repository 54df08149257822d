import type { Observation } from "./events.js";

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
  "assertion",
  "progress",
  "trace",
  "rule",
] as const;

/** The id of one of core's own properties. */
export type CorePropertyId = (typeof propertyIds)[number];

/** The id of a property: core's, or one that a plugin or a scenario brings. The latter count always, unless they are ignored. */
export type PropertyId = CorePropertyId | (string & Record<never, never>);

/** Properties that count whatever a strategy promises. */
export const alwaysPromised: readonly PropertyId[] = ["fault", "assertion", "lifetime", "old-or-new", "trap-owned"];

/** Properties of one simulation at the most, core's own among them. */
export const MOST_PROPERTIES = 31;

const places: ReadonlyMap<string, number> = new Map(propertyIds.map((id, i) => [id, i]));

/** Where a property stands in the order in which they are reported: core's own in that of {@link propertyIds}, then all others. */
export const reportedAt = (id: PropertyId): number => places.get(id) ?? propertyIds.length;

/** Whether a property is one of core's own. */
export const isOwnOfCore = (id: PropertyId): id is CorePropertyId => places.has(id);

/** A property that is judged at single events: pure, and asked once for each distinct effect of a rule. */
export interface Property {
  /** One of core's, or an own one: lower-case words joined by `-`, unlike all others of the simulation. */
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
