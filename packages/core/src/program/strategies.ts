import type { Line } from "../contract/program.js";
import type { PropertyId } from "../contract/property.js";
import { lock, unlock } from "../services/locks.js";

/* What strategies have in common, whatever the architecture. */

/** What a patcher of code promises that sets no traps. */
export const storePromises: readonly PropertyId[] = [
  "mid-sequence",
  "old-or-new",
  "trap-owned",
  "done",
  "lifetime",
  "exclusive",
  "progress",
  "rule",
];

/** What a patcher of code promises whose traps are emulated. */
export const trapPromises: readonly PropertyId[] = [...storePromises, "emulation"];

/** The id of a step that is done for each of `count` sites, of which this is the one at `index`. */
export const siteStep = (name: string, index: number, count: number): string =>
  count === 1 ? name : `${name}.${index}`;

/** Lines with a sleeping lock around them, in the steps `lock` and `unlock`. */
export const lockedBy = (mutex: string, lines: readonly Line[]): readonly Line[] => [
  lock("lock", mutex),
  ...lines,
  unlock("unlock", mutex),
];
