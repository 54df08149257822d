import type { Pause } from "../pace.js";
import { CPU0 } from "../row.js";
import { NONE } from "./diagrams.js";
import type { Space, StateSets } from "./space.js";

/** Whether a state lies so many steps from the start on a shortest way to the goal; `row`: its parts, as in a search. */
export type OnShortestWay = (row: Int32Array, depth: number) => boolean;

/** The shortest ways to a goal: how long they are, and which states lie on them. */
export type ShortestWays = { readonly length: number; readonly on: OnShortestWay };

/**
 * Breadth first from the initial state, a set of states for each number of steps. `goals` picks those in a set that are looked for, once
 * the steps of that set were looked at; undefined where there are none at any depth.
 */
export const shortestWays = async (
  space: Space,
  goals: (layer: StateSets) => StateSets,
  pause: Pause,
): Promise<ShortestWays | undefined> => {
  const { diagrams } = space;
  const seen: StateSets = [];
  const layers = [space.initial()];
  diagrams.keep(seen);
  for (let layer = layers[0] as StateSets; !space.isEmpty(layer); layer = layers.at(-1) as StateSets) {
    diagrams.keep(layer);
    diagrams.tidy();
    const next: StateSets = [];
    layer.forEach((set, shared) => {
      seen[shared] = diagrams.union(seen[shared] ?? NONE, set);
    });
    for (const [shared, set] of layer.entries()) {
      if (set === undefined || set === NONE) continue;
      await pause();
      for (const image of space.single(shared).images(set))
        next[image.to] = diagrams.union(next[image.to] ?? NONE, image.set);
    }
    const found = goals(layer);
    if (!space.isEmpty(found)) return { length: layers.length - 1, on: await backFrom(space, found, layers, pause) };
    next.forEach((set, shared) => {
      next[shared] = diagrams.minus(set, seen[shared] ?? NONE);
    });
    layers.push(next);
  }
  return undefined;
};

/** The states of each layer from which those that were found are reached in as many steps as there are layers between. */
const backFrom = async (
  space: Space,
  found: StateSets,
  layers: readonly StateSets[],
  pause: Pause,
): Promise<OnShortestWay> => {
  const { diagrams } = space;
  const ways: StateSets[] = [];
  ways[layers.length - 1] = found;
  for (let depth = layers.length - 2; depth >= 0; depth--) {
    const behind = ways[depth + 1] as StateSets;
    const before: StateSets = [];
    for (const [shared, set] of (layers[depth] as StateSets).entries()) {
      if (set === undefined || set === NONE) continue;
      await pause();
      before[shared] = behind.reduce(
        (all, goal, to) => diagrams.union(all, space.single(shared).leadingTo(to, goal, set)),
        NONE,
      );
    }
    ways[depth] = before;
  }
  return (row, depth) => diagrams.has(ways[depth]?.[space.sharedOf(row)] ?? NONE, row, CPU0);
};

/**
 * The same for states whose CPUs come in any order, where all CPUs but the first start alike: whatever the order of these, they can do
 * the same.
 */
export const inAnyOrder = (on: OnShortestWay): OnShortestWay => {
  return (row, depth) => {
    const arranged = row.slice();
    for (let first = CPU0; first < row.length; first++) {
      if (first > CPU0 && row[first] === row[first - 1]) continue;
      arranged.set(row);
      arranged[CPU0] = row[first] as number;
      arranged[first] = row[CPU0] as number;
      if (on(arranged, depth)) return true;
    }
    return false;
  };
};
