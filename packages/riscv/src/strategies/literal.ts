import { type Impossible, lock, type PatchProgram, type PatchStrategy, storeData, unlock } from "@cmodx/core";
import { oneOfNumbers, optional, withOptions } from "@cmodx/core/schema";
import { hex, siteStep, storePromises } from "./common.js";
import type { StoreWidth } from "./store.js";

/** Where the code lies that goes through a literal, in bytes from it. */
const THROUGH = 0x100n;

const numberIn = (bytes: readonly number[]): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

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
        return { impossible: `a literal is eight bytes, not ${wrong.next.length} at ${hex(wrong.address)}.` };
      const odd = sites.find(({ old, next }) => [old, next].some(([low = 0]) => low % 2 === 1));
      if (odd !== undefined)
        return { impossible: `a literal holds an address of code, which is even; that at ${hex(odd.address)} is not.` };
      const functions = [...new Set(sites.flatMap(({ old, next }) => [numberIn(old), numberIn(next)]))];
      const through = sites.map(({ address }) => ({
        address: address + THROUGH,
        code: `auipc t1, %pcrel_hi(${hex(address)})+ld t1, %pcrel_lo(${hex(address)})(t1)+jr t1`,
      }));
      return {
        main: [
          lock("lock", "text_mutex"),
          ...sites.map(({ address, next }, i) =>
            storeData(siteStep("write-literal", i, sites.length), address, next, {
              width,
              note: "data: nobody fetches it",
            }),
          ),
          unlock("unlock", "text_mutex"),
        ],
        around: {
          blocks: [...functions.map((address) => ({ address, code: "ret" })), ...through],
          entries: through.map(({ address }) => address),
        },
      };
    },
  }),
);
