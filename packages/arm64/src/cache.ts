import type { CacheMaintenance } from "@cmodx/core";

/**
 * What the cache-type register tells: whether data-cache cleans and instruction-cache invalidations are not needed; and the CPU of which
 * it does not tell the truth.
 */
export type CacheType = "none" | "idc" | "idc+dic" | "neoverse-n1";

/**
 * DC CVAU cleans to the point of unification, IC invalidates there; with IDC the data cache need not be cleaned, with DIC the
 * instruction cache need not be invalidated (Arm ARM, B2.7.4 and CTR_EL0).
 *
 * `line` is in bytes: the smallest line of both caches.
 */
export const cacheMaintenance = (type: CacheType, line: number): CacheMaintenance => {
  const clean = (cell: Cell): Cell => ({ ...cell, sinceClean: [] });
  const invalidate = (cell: Cell): Cell => ({ ...cell, sinceFloor: type === "none" ? cell.sinceClean : [] });
  // What is not needed can be done all the same.
  const nothing = (cell: Cell): Cell => cell;
  if (type === "idc+dic" || type === "neoverse-n1") {
    const operations = { "dc cvau": nothing, "ic ivau": nothing, "ic iallu": nothing, "ic ialluis": nothing };
    return { line, operations, broadcast: [] };
  }
  return {
    line,
    operations: { "dc cvau": clean, "ic ivau": invalidate, "ic iallu": invalidate, "ic ialluis": invalidate },
    broadcast: ["ic ivau", "ic ialluis"],
  };
};

type Cell = Parameters<CacheMaintenance["operations"][string]>[0];
