import {
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

/** Where the code lies that goes through a literal, in bytes from it. */
const THROUGH = 0x100;

/** Bytes of `jmp qword ptr [rip + displacement]`. */
const JUMP = 6;

/**
 * Patches data alone: a literal that an indirect jump goes through, as .NET's precode does, whose code page stays as it is. It is stored
 * in accesses of `width` bytes; default 8.
 */
export const literal = withOptions(
  "literal",
  { width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })) },
  ({ width = 8 }: { readonly width?: StoreWidth }): PatchStrategy => ({
    id: "literal",
    summary: `the code stays; the literal that its jump goes through is stored, ${width} bytes at a time`,
    source: ".NET, FixupPrecode, src/coreclr/vm/precode.h",
    architectures: ["x86"],
    defaultSite: ".quad target:.quad callee",
    promises: storePromises,
    plan({ sites }): PatchProgram | Impossible {
      const wrong = sites.find(({ next }) => next.length !== 8);
      if (wrong !== undefined)
        return { impossible: `a literal is eight bytes, not ${wrong.next.length} at ${hexAddress(wrong.address)}.` };
      return patchLiterals(sites, {
        mutex: "patch_mutex",
        width,
        note: "data: nobody fetches it",
        callee: (value) => ({ address: littleEndian(value), code: "ret" }),
        through: (address) => ({
          address: address + BigInt(THROUGH),
          code: `jmp qword ptr [rip - ${THROUGH + JUMP}]`,
        }),
      });
    },
  }),
);
