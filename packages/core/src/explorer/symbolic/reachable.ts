import type { Pause } from "../pace.js";
import { NONE } from "./diagrams.js";
import type { Space, StateSets } from "./space.js";

/** What an exploration is asked beside finding states. */
export type Exploring = {
  /** Told of the states with the same shared parts that a round begins with; all others come behind a round before it. */
  readonly begins?: (shared: number, found: number) => void;
  /** Asked behind each round whether the rest need not be found. */
  readonly enough?: () => boolean;
};

/**
 * Finds all states that can be reached from those of `from`, adds them to `reached` as it goes, and keeps that in the space. At any time
 * it is closed under the steps of single CPUs. Each round takes the states with some shared parts, those steps, and one step of any other kind.
 */
export const reachableFrom = async (
  space: Space,
  from: StateSets,
  reached: StateSets,
  pause: Pause,
  { begins, enough }: Exploring = {},
): Promise<void> => {
  const { diagrams } = space;
  /** Found, and not looked at yet. */
  const open = from.slice();
  diagrams.keep(reached, open);
  for (;;) {
    // What was found first leads to the others more often than they to it.
    const shared = open.findIndex((set) => set !== undefined && set !== NONE);
    if (shared < 0 || enough?.() === true) break;
    await pause();
    diagrams.tidy();
    const before = reached[shared] ?? NONE;
    const found = diagrams.minus(open[shared] as number, before);
    open[shared] = NONE;
    begins?.(shared, found);
    const fresh = diagrams.minus(space.local(shared).closed(found), before);
    reached[shared] = diagrams.union(before, fresh);
    for (const { to, set } of space.shared(shared).images(fresh))
      open[to] = diagrams.union(open[to] ?? NONE, diagrams.minus(set, reached[to] ?? NONE));
  }
  diagrams.release(open);
};
