import {
  type CodeBlock,
  type Impossible,
  lock,
  type PatchProgram,
  type PatchStrategy,
  storeData,
  unlock,
} from "@cmodx/core";
import { oneOfNumbers, optional, withOptions } from "@cmodx/core/schema";
import { hex, siteStep, storePromises, targetOf } from "./common.js";
import type { StoreWidth } from "./store.js";

/** A word, little-endian. */
const wordIn = (bytes: readonly number[]): bigint =>
  bytes.slice(0, 4).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** A function that returns at once, in the instruction set state that the lowest bit of a code pointer says. */
const functionAt = (pointer: bigint): CodeBlock => ({
  address: pointer & ~1n,
  code: "bx lr",
  mode: (pointer & 1n) === 1n ? "t32" : "a32",
});

/**
 * Patches data alone: the literal behind `ldr pc, [pc, #-4]`. The site is eight bytes, of which the first four are the literal and the
 * others stay as they are. It is stored in accesses of `width` bytes; default 4.
 */
export const literal = withOptions(
  "literal",
  { width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })) },
  ({ width = 4 }: { readonly width?: StoreWidth }): PatchStrategy => ({
    id: "literal",
    summary: `the code stays; the word behind its ldr pc is stored, ${width} bytes at a time`,
    source: "V8, src/wasm/jump-table-assembler.cc, arm",
    architectures: ["armv7"],
    defaultSite: ".quad target:.quad callee",
    promises: storePromises,
    plan({ sites }, context): PatchProgram | Impossible {
      const { mode } = targetOf(context);
      const wrong = sites.find(({ address, old, next }) => {
        const high = [old, next].map((bytes) => bytes.slice(4).join());
        return next.length !== 8 || address % 4n !== 0n || high[0] !== high[1];
      });
      if (wrong !== undefined)
        return {
          impossible: `a literal is a word at a multiple of 4 and four more bytes that stay, not what is at ${hex(wrong.address)}.`,
        };
      const pointers = [...new Set(sites.flatMap(({ old, next }) => [wordIn(old), wordIn(next)]))];
      const through = sites.map(
        ({ address }): CodeBlock => ({
          address: address - 4n,
          code: mode === "a32" ? "ldr pc, [pc, #-4]" : "ldr.w pc, [pc, #0]",
          mode,
        }),
      );
      return {
        main: [
          lock("lock", "patch_mutex"),
          ...sites.map(({ address, next }, i) =>
            storeData(siteStep("write-literal", i, sites.length), address, next.slice(0, 4), {
              width,
              note: "data: nobody fetches it",
            }),
          ),
          unlock("unlock", "patch_mutex"),
        ],
        around: { blocks: [...pointers.map(functionAt), ...through], entries: through.map(({ address }) => address) },
      };
    },
  }),
);
