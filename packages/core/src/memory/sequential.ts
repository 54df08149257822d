import type { MemoryOrder, Write } from "../contract/memory-order.js";
import { executeRule } from "../execution/execute.js";
import { perform } from "./perform.js";

const NONE: readonly Write[] = [];

/** Instructions execute one at a time, and every access is visible to all CPUs at once. */
export const sequential: MemoryOrder = {
  id: "sequential",
  source: "L. Lamport, How to make a multiprocessor computer that correctly executes multiprocess programs, 1979",
  execute: executeRule,
  spontaneous: [],
  write: perform,
  pending: () => NONE,
  holdsBack: () => false,
};
