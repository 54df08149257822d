import type { Pause } from "../pace.js";
import type { SharedParts } from "./column-steps.js";
import { NONE } from "./diagrams.js";
import type { Space, StateSets } from "./space.js";

/** A condition on states that each of their parts satisfies or not. */
export type Condition = {
  shared(of: SharedParts): boolean;
  cpu(part: number): boolean;
};

/** The states among these in which a condition holds. */
export const statesWhere = ({ diagrams, steps }: Space, sets: StateSets, condition: Condition): StateSets => {
  const operation = diagrams.operation();
  return sets.map((set, shared) =>
    condition.shared(steps.parts(shared)) ? diagrams.filter(operation, set, (part) => condition.cpu(part)) : NONE,
  );
};

/** Of all reachable states those from which none of the `goals` can be reached; `goals` are reachable too. Keeps them in the space. */
export const neverReaching = async (
  space: Space,
  reached: StateSets,
  goals: StateSets,
  pause: Pause,
): Promise<StateSets> => {
  const { diagrams } = space;
  const left = reached.slice();
  const open = goals.slice();
  const sources: number[][] = reached.map(() => []);
  reached.forEach((_, from) => {
    for (const to of space.shared(from).targets) sources[to]?.push(from);
  });
  diagrams.keep(left, open);
  for (;;) {
    // What was found last is nearest to the end.
    const shared = open.findLastIndex((set) => set !== undefined && set !== NONE);
    if (shared < 0) break;
    await pause();
    diagrams.tidy();
    const leading = space.local(shared).leadingTo(open[shared] as number, left[shared] ?? NONE);
    open[shared] = NONE;
    left[shared] = diagrams.minus(left[shared] ?? NONE, leading);
    for (const from of sources[shared] ?? [])
      open[from] = diagrams.union(
        open[from] ?? NONE,
        space.shared(from).leadingTo(shared, leading, left[from] ?? NONE),
      );
  }
  diagrams.release(open);
  return left;
};
