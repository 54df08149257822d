import { lock, type PatchStrategy, siteStep, store, storePromises, unlock } from "@cmodx/core";
import { oneOfNumbers, optional, withOptions } from "@cmodx/core/schema";
import { cleanAndInvalidate, kickAllCpus } from "./text-patching.js";

/** Widths of the accesses of {@link plainStore} in bytes. */
export type StoreWidth = 1 | 2 | 4 | 8;

/**
 * Just writes the new bytes over the old, in accesses of `width` bytes (default 1), maintains the caches, and synchronises all CPUs at
 * the end: memcpy and flush_icache_range.
 */
export const plainStore = withOptions(
  "plainStore",
  { width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })) },
  ({ width = 1 }: { readonly width?: StoreWidth }): PatchStrategy => ({
    id: "plain-store",
    summary: `the new bytes are stored over the old, ${width} at a time, caches maintained, and all CPUs synchronised`,
    source: "memcpy and flush_icache_range, arch/arm64/include/asm/cacheflush.h, 7.3",
    architectures: ["arm64"],
    defaultSite: "nop:b",
    promises: storePromises,
    plan: ({ sites }, context) => ({
      main: [
        lock("lock", "text_mutex"),
        ...sites.flatMap((site, i) => {
          const id = siteStep("write", i, sites.length);
          return [store(id, site.address, site.next, { width }), ...cleanAndInvalidate(id, site.address, context)];
        }),
        ...kickAllCpus("kick", "all CPUs now fetch the new instruction"),
        unlock("unlock", "text_mutex"),
      ],
    }),
  }),
);
