import type { Passages } from "../contract/state.js";
import type { World } from "../contract/world.js";

/** What a passage through a site looks like after one of its instructions took effect. */
export type Passed = {
  readonly passages: Passages;
  /** The versions that the passage agreed with before; null when this instruction begins it. */
  readonly before: readonly number[] | null;
};

/**
 * R18: one passage through a site lasts from its entry until the code leaves it; preemption, traps and calls that return inside
 * belong to it. `matched` are the versions whose instruction at `offset` this one is.
 */
export const passThrough = (
  passages: Passages,
  site: number,
  offset: number,
  matched: readonly number[],
  next: bigint,
  link: bigint | undefined,
  machine: World,
): Passed => {
  const name = String(site);
  const before = offset === 0 ? null : (passages[name] ?? null);
  const agreed = before === null ? matched : before.filter((version) => matched.includes(version));
  const inside = (address: bigint): boolean => machine.siteAt(address)?.site === site;
  const { [name]: _, ...others } = passages;
  if (inside(next) || (link !== undefined && inside(link))) return { passages: { ...others, [name]: agreed }, before };
  return { passages: others, before };
};
