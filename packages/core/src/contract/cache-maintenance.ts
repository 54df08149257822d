import type { Cell } from "./state.js";

/** What cache-maintenance instructions do to a cell, and how far they reach. */
export interface CacheMaintenance {
  /** Bytes that one operation covers, naturally aligned. */
  readonly line: number;
  /** By the name of the machine step (`dc-cvau`, `ic-ivau`, …). */
  readonly operations: { readonly [step: string]: (cell: Cell) => Cell };
  /** Operations that reach the other CPUs in steps of their own. */
  readonly broadcast: readonly string[];
}

/** An architecture without cache maintenance: x86, or RISC-V, where `fence.i` does it all. */
export const noCacheMaintenance: CacheMaintenance = { line: 64, operations: {}, broadcast: [] };
