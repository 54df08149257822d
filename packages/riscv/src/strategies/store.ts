import { lock, type PatchStrategy, siteStep, store, storePromises, unlock } from "@cmodx/core";
import { oneOfNumbers, optional, withOptions } from "@cmodx/core/schema";
import { flushIcacheAll } from "./text-patching.js";

/** Widths of the accesses of {@link plainStore} in bytes. */
export type StoreWidth = 1 | 2 | 4 | 8;

/**
 * Just writes the new bytes over the old, in accesses of `width` bytes (default 4), and has every hart execute a FENCE.I at the end.
 */
export const plainStore = withOptions(
  "plainStore",
  { width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })) },
  (options: { readonly width?: StoreWidth }): PatchStrategy => {
    const { width = 4 } = options;
    return {
      id: "plain-store",
      summary: `the new bytes are stored over the old, ${width} at a time, and all harts execute fence.i`,
      source: "patch_text_nosync without a rule on what may be patched so, arch/riscv/kernel/patch.c, 7.3",
      architectures: ["riscv"],
      defaultSite: "nop:j .+0x11450",
      promises: storePromises,
      plan: ({ sites }) => ({
        main: [
          lock("lock", "text_mutex"),
          ...sites.map((site, i) => store(siteStep("write", i, sites.length), site.address, site.next, { width })),
          ...flushIcacheAll("flush", "all harts now fetch the new code"),
          unlock("unlock", "text_mutex"),
        ],
      }),
    };
  },
);
