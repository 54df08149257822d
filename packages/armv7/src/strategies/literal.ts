import {
  type CodeBlock,
  hexAddress,
  type Impossible,
  littleEndian,
  type PatchProgram,
  type PatchStrategy,
  patchLiterals,
  storePromises,
} from "@cmodx/core";
import { oneOfNumbers, optional, withOptions } from "@cmodx/core/schema";
import type { StoreWidth } from "./store.js";
import { targetOf } from "./target.js";

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
          impossible: `a literal is a word at a multiple of 4 and four more bytes that stay, not what is at ${hexAddress(wrong.address)}.`,
        };
      return patchLiterals(sites, {
        mutex: "patch_mutex",
        width,
        size: 4,
        note: "data: nobody fetches it",
        callee: (value) => functionAt(littleEndian(value)),
        through: (address) => ({
          address: address - 4n,
          code: mode === "a32" ? "ldr pc, [pc, #-4]" : "ldr.w pc, [pc, #0]",
          mode,
        }),
      });
    },
  }),
);
