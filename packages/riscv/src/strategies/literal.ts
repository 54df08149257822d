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
const THROUGH = 0x100n;

/** Patches data alone: a literal that a load and an indirect jump go through, as the kernel's `ftrace_call_dest`. */
export const literal = withOptions(
  "literal",
  { width: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })) },
  ({ width = 8 }: { readonly width?: StoreWidth }): PatchStrategy => ({
    id: "literal",
    summary: `the code stays; the literal that its jump goes through is stored, ${width} bytes at a time`,
    source: "ftrace_update_ftrace_func, ftrace_call_dest, arch/riscv/kernel/ftrace.c, 7.3",
    architectures: ["riscv"],
    defaultSite: ".quad target:.quad callee",
    promises: storePromises,
    plan({ sites }): PatchProgram | Impossible {
      const wrong = sites.find(({ next }) => next.length !== 8);
      if (wrong !== undefined)
        return { impossible: `a literal is eight bytes, not ${wrong.next.length} at ${hexAddress(wrong.address)}.` };
      const odd = sites.find(({ old, next }) => [old, next].some(([low = 0]) => low % 2 === 1));
      if (odd !== undefined)
        return {
          impossible: `a literal holds an address of code, which is even; that at ${hexAddress(odd.address)} is not.`,
        };
      return patchLiterals(sites, {
        mutex: "text_mutex",
        width,
        note: "data: nobody fetches it",
        callee: (value) => ({ address: littleEndian(value), code: "ret" }),
        through(address) {
          const at = hexAddress(address);
          const code = `auipc t1, %pcrel_hi(${at})+ld t1, %pcrel_lo(${at})(t1)+jr t1`;
          return { address: address + THROUGH, code };
        },
      });
    },
  }),
);
