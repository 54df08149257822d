import { lock, type PatchStrategy, siteStep, store, storePromises, syncCores, unlock } from "@cmodx/core";
import { oneOfNumbers, optional, withOptions } from "@cmodx/core/schema";
import { flushIcacheRange } from "./patch-text.js";
import { targetOf, wrongState } from "./target.js";

/** Widths of the accesses of {@link plainStore} in bytes. */
export type StoreWidth = 1 | 2 | 4 | 8;

/**
 * Just writes the new bytes over the old, in accesses of `width` bytes (default 4), maintains the caches and synchronises all CPUs
 * at the end.
 */
export const plainStore = withOptions(
  "plainStore",
  { width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })) },
  ({ width = 4 }: { readonly width?: StoreWidth }): PatchStrategy => ({
    id: "plain-store",
    summary: `the new bytes are stored over the old, ${width} at a time, the caches maintained and all CPUs synchronised`,
    source: "__patch_text_real, arch/arm/kernel/patch.c, and kick_all_cpus_sync, kernel/smp.c, 7.3",
    architectures: ["armv7"],
    defaultSite: "nop:b",
    promises: storePromises,
    plan({ sites }, context) {
      const target = targetOf(context);
      return (
        wrongState(context) ?? {
          main: [
            lock("lock", "text_mutex"),
            ...sites.flatMap(({ address, next }, i) => {
              const id = siteStep("patch", i, sites.length);
              return [
                store(`${id}-write`, address, next, { width }),
                ...flushIcacheRange(id, address, next.length, target),
              ];
            }),
            syncCores("sync", "all CPUs now fetch the new instruction"),
            unlock("unlock", "text_mutex"),
          ],
        }
      );
    },
  }),
);
