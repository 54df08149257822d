import {
  type FlipSite,
  hexAddress,
  type Line,
  lock,
  type PatchStrategy,
  type PlanContext,
  siteStep,
  store,
  unlock,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { cleanAndInvalidate, lazyPromises } from "./text-patching.js";

const WORD = 4;

/** Bytes of a sled at a function's entry or return; that of an event is one instruction. */
const SLED = 32;

/** The smallest line of an instruction cache that is cleaned. */
const CACHE_LINE = 64n;

/** The opcode of B. */
const isJump = (code: FlipSite["next"]): boolean => (code[3] ?? 0) >> 2 === 0b000101;

/**
 * A sled of LLVM's XRay under running threads, which nobody tells: all words behind its jump are stored first, then that over the jump, and
 * the caches are maintained; to take it out the jump alone is stored. Of an event's sled one word is stored, and that is all.
 */
export const xray = withoutOptions("xray", (): PatchStrategy => {
  const patch = ({ address, next }: FlipSite, id: string, context: PlanContext): readonly Line[] => {
    const last = address + BigInt(next.length - 1);
    const behind =
      next.length > WORD && !isJump(next)
        ? [
            store(`${id}-behind`, address + BigInt(WORD), next.slice(WORD), {
              width: WORD,
              note: "behind the jump",
            }),
          ]
        : [];
    return [
      ...behind,
      store(id, address, next.slice(0, WORD), { width: WORD, note: "std::atomic_store_explicit, release" }),
      // Nothing maintains the caches behind the sled of an event.
      ...(next.length === WORD ? [] : cleanAndInvalidate(id, address, context)),
      ...(last / CACHE_LINE === address / CACHE_LINE ? [] : cleanAndInvalidate(`${id}-last`, last, context)),
    ];
  };
  return {
    id: "xray",
    summary: "XRay's sleds: all behind the jump, then what replaces it, cache maintenance, and no word to anybody",
    source: "patchSled and patchCustomEvent, LLVM 19, compiler-rt/lib/xray/xray_AArch64.cpp",
    architectures: ["arm64"],
    user: true,
    defaultSite: "b .+0x18:nop",
    promises: lazyPromises,
    plan({ sites }, context) {
      const wrong = sites.find(({ next }) => next.length !== SLED && next.length !== WORD);
      if (wrong !== undefined)
        return {
          impossible: `the code at ${hexAddress(wrong.address)} has ${wrong.next.length} bytes; a sled has ${SLED}, that of an event ${WORD}.`,
        };
      return {
        main: [
          lock("lock", "XRayInstrMapMutex"),
          ...sites.flatMap((site, i) => patch(site, siteStep("write", i, sites.length), context)),
          unlock("unlock", "XRayInstrMapMutex"),
        ],
      };
    },
  };
});
