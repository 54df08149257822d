import { arm64, nosync } from "@cmodx/arm64";
import { fence, type Line, lock, type PatchStrategy, store, syncCore, unlock } from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import { oneFlip, only } from "./common.js";
import { dropPrefetchedMap, invalidateByTlb, invalidateByTlbRule } from "./operations.js";

/** A JIT that writes new code, makes it visible, and only then branches to it. */
const jit = (hidden: boolean): PatchStrategy => {
  const visible = (id: string, address: bigint): readonly Line[] => [
    fence(`${id}-dsb-store`, "dsb ishst", "CTR_EL0.IDC: no clean is needed"),
    ...(hidden ? [invalidateByTlb(`${id}-invalidate`, address, "CTR_EL0.DIC is hidden")] : []),
    syncCore(`${id}-isb`),
  ];
  return {
    ...nosync(),
    id: hidden ? "jit-dic-hidden" : "jit",
    summary: "new code, cache maintenance as the cache-type register asks for it, then the branch to it",
    source: "the sequence of the erratum's description",
    rules: [invalidateByTlbRule],
    maps: [dropPrefetchedMap],
    plan({ sites }) {
      const { address, next } = only(sites);
      return {
        main: [
          lock("lock", "jit_mutex"),
          store("write-target", address + 4n, next.slice(4), { width: 4, note: "nobody branches to it yet" }),
          ...visible("target", address + 4n),
          store("write-branch", address, next.slice(0, 4), { width: 4 }),
          ...visible("branch", address),
          unlock("unlock", "jit_mutex"),
        ],
      };
    },
  };
};

/** The branch goes past its target at first; what stands there is no code yet. */
const site = { old: "b .+8+udf #0", new: "b .+4+nop" };

/** Item 19. */
export const staleTarget: GalleryEntry = {
  id: "19",
  title: "A new branch is fetched, and then its old target",
  source: "Arm Neoverse-N1 software developer errata notice, 1542419; cured in Linux by J. Morse's series",
  bug: "The cache-type register says that the instruction cache needs no invalidation (DIC). A JIT writes new code, synchronises, and writes the branch to it. The CPU that runs it had prefetched what stood at the target, fetches the new branch, and goes on with the old target.",
  fix: "DIC is hidden from software, so that it does IC IVAU, which is trapped and done by a broadcast TLB invalidation: what was prefetched of the target is gone before the branch is written.",
  architecture: () => arm64({ fetch: "neoverse-n1" }),
  wrong: oneFlip("as the cache-type register says", jit(false), site),
  property: "mid-sequence",
  fixed: oneFlip("the cache-type register's DIC is hidden", jit(true), site),
};
