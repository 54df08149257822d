import { executeRule } from "./machine/execute.js";
import type { Rule } from "./rule.js";

/**
 * How the accesses of machine code reach memory: the rule that takes one step of a context, and the steps that memory takes by
 * itself (a store buffer that drains).
 */
export interface MemoryOrder {
  readonly id: string;
  readonly source: string;
  readonly execute: Rule;
  readonly spontaneous: readonly Rule[];
}

/** Instructions execute one at a time, and every access is visible to all CPUs at once. */
export const sequential: MemoryOrder = {
  id: "sequential",
  source: "Lamport 1979; design of the machine, ARCHITECTURE.md",
  execute: executeRule,
  spontaneous: [],
};
