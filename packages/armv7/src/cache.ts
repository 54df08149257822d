import type { CacheMaintenance, Cell } from "@cmodx/core";

const clean = (cell: Cell): Cell => ({ ...cell, sinceClean: [] });
const invalidate = (cell: Cell): Cell => ({ ...cell, sinceFloor: cell.sinceClean });
const nothing = (cell: Cell): Cell => cell;

/**
 * Cleaning by address makes what was stored visible at the point of unification, invalidation of the instruction cache there makes
 * fetches look at it (DDI 0406C, B2.2). Operations that reach the other CPUs are modelled: those by address, and those of the inner
 * shareable domain. ICIALLU reaches its own CPU alone and is taken to do nothing. A wrong guess of the branch predictor cannot
 * be seen here, so its maintenance does nothing either.
 *
 * `line` is in bytes: the smallest line of both caches.
 */
export const cacheMaintenance = (line: number): CacheMaintenance => ({
  line,
  operations: {
    dccmvau: clean,
    dccmvac: clean,
    dccimvac: clean,
    icimvau: invalidate,
    icialluis: invalidate,
    iciallu: nothing,
    bpimva: nothing,
    bpiall: nothing,
    bpiallis: nothing,
  },
  broadcast: ["icimvau", "icialluis"],
});
