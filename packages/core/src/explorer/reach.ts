import type { Pause } from "./pace.js";

/** Nodes between two looks at the clock. */
const NODES_BETWEEN_CLOCKS = 0x8000;

/**
 * Tells for each node of a graph whether a node satisfying `goal` can be reached from it: 1 or 0.
 *
 * The successors of node n are `edges[starts[n]]` to `edges[starts[n + 1] - 1]`.
 */
export const reaching = async (
  size: number,
  starts: Int32Array,
  edges: Int32Array,
  goal: (node: number) => boolean,
  pause: Pause,
): Promise<Uint8Array> => {
  const count = starts[size] as number;
  const incoming = new Int32Array(size + 1);
  const sources = new Int32Array(count);
  const reaches = new Uint8Array(size);
  const queue = new Int32Array(size);
  let tail = 0;
  const reach = (node: number): void => {
    if (reaches[node] !== 0) return;
    reaches[node] = 1;
    queue[tail++] = node;
  };
  const each = async (end: () => number, work: (i: number) => void): Promise<void> => {
    for (let i = 0; i < end(); i++) {
      if (i % NODES_BETWEEN_CLOCKS === 0) await pause();
      work(i);
    }
  };
  await each(
    () => count,
    (i) => incoming[(edges[i] as number) + 1]!++,
  );
  for (let i = 0; i < size; i++) incoming[i + 1]! += incoming[i] as number;
  const fill = incoming.slice();
  const nodes = (): number => size;
  await each(nodes, (node) => {
    for (let i = starts[node] as number; i < (starts[node + 1] as number); i++)
      sources[fill[edges[i] as number]!++] = node;
  });
  await each(nodes, (node) => {
    if (goal(node)) reach(node);
  });
  await each(
    () => tail,
    (head) => {
      const node = queue[head] as number;
      for (let i = incoming[node] as number; i < (incoming[node + 1] as number); i++) reach(sources[i] as number);
    },
  );
  return reaches;
};
