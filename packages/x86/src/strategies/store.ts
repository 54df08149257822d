import {
  type FlipSite,
  type Line,
  lock,
  type PatchStrategy,
  store,
  storePromises,
  syncCores,
  unlock,
} from "@cmodx/core";
import { oneOfNumbers, optional, withOptions, withoutOptions } from "@cmodx/core/schema";

/** Widths of the accesses of {@link plainStore} in bytes. */
export type StoreWidth = 1 | 2 | 4 | 8;

/**
 * Just writes the new bytes over the old, in accesses of `width` bytes (default 1), and synchronises all CPUs at the end: what
 * every patcher would like to do.
 */
export const plainStore = withOptions(
  "plainStore",
  { width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })) },
  (options: { readonly width?: StoreWidth }): PatchStrategy => {
    const width = options.width ?? 1;
    return {
      id: "plain-store",
      summary: `the new bytes are stored over the old, ${width} at a time, and all CPUs synchronised`,
      source: "text_poke of the whole instruction without a protocol around it",
      architectures: ["x86"],
      defaultSite: "nop5:call .+0x123456c",
      promises: storePromises,
      plan: (flip) => ({
        main: [
          lock("lock", "text_mutex"),
          ...flip.sites.map((site, i) =>
            store(flip.sites.length === 1 ? "write" : `write.${i}`, site.address, site.next, { width }),
          ),
          syncCores("sync", "all CPUs now fetch the new instruction"),
          unlock("unlock", "text_mutex"),
        ],
      }),
    };
  },
);

const crosses = (site: FlipSite): boolean => site.address % 8n > 8n - BigInt(site.next.length);

/**
 * One aligned 8-byte store that holds the whole site, and a synchronisation of all CPUs: what AMD's manual allows and V8's jump
 * tables do. A site that crosses an aligned quadword cannot be written so.
 */
export const alignedStore = withoutOptions(
  "alignedStore",
  (): PatchStrategy => ({
    id: "aligned-store",
    summary: "one aligned 8-byte store that holds the whole site, and all CPUs synchronised",
    source: "AMD APM vol. 2, 7.6.1; V8, src/wasm/jump-table-assembler.cc, x64",
    architectures: ["x86"],
    defaultSite: "nop5:call .+0x123456c",
    promises: storePromises,
    plan(flip) {
      const wide = flip.sites.find(crosses);
      if (wide !== undefined) {
        return {
          impossible: `the ${wide.next.length} bytes at 0x${wide.address.toString(16)} cross an aligned 8-byte word.`,
        };
      }
      return {
        main: [
          lock("lock", "text_mutex"),
          ...flip.sites.map(
            (site, i): Line =>
              store(flip.sites.length === 1 ? "write" : `write.${i}`, site.address, site.next, {
                width: 8,
                note: "the rest of the word is rewritten as it is",
              }),
          ),
          syncCores("sync", "all CPUs now fetch the new instruction"),
          unlock("unlock", "text_mutex"),
        ],
      };
    },
  }),
);
