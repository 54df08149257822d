import {
  type Bytes,
  type FlipSite,
  hexAddress,
  type Line,
  lock,
  type PatchStrategy,
  siteStep,
  store,
  storePromises,
  syncCores,
  unlock,
} from "@cmodx/core";
import { flag, optional, withOptions } from "@cmodx/core/schema";

/** Variants of {@link selfJump}. */
export type SelfJumpOptions = {
  /** All CPUs synchronise after each of the three stores. Default false, as in HotSpot on x86. */
  readonly syncs?: boolean;
};

/** Two jumps to themselves: whoever comes spins until the first is gone. */
const GUARD: Bytes = [0xeb, 0xfe, 0xeb, 0xfe];

const WORD = GUARD.length;

/**
 * HotSpot's replacement of a call under running threads: the first four bytes become a jump to itself, then the fifth byte is
 * written, then the first four. No trap is needed; the site has to lie at a multiple of four bytes. It is for threads: an interrupt on
 * the patcher's own CPU that comes to the guard spins for ever.
 */
export const selfJump = withOptions(
  "selfJump",
  { syncs: optional(flag) },
  (options: SelfJumpOptions): PatchStrategy => {
    const { syncs = false } = options;
    const patch = (site: FlipSite, id: (name: string) => string): readonly Line[] => {
      const sync = (name: string, note: string): readonly Line[] => (syncs ? [syncCores(id(name), note)] : []);
      return [
        store(id("write-guard"), site.address, GUARD, { width: 4, note: "whoever comes spins here" }),
        ...sync("sync-guard", "all CPUs now fetch the guard"),
        store(id("write-tail"), site.address + BigInt(WORD), site.next.slice(WORD), { note: "behind the guard" }),
        ...sync("sync-tail", "all CPUs now fetch the new tail"),
        store(id("write-first"), site.address, site.next.slice(0, WORD), { width: 4, note: "replaces the guard" }),
        ...sync("sync-first", "all CPUs now fetch the new instruction"),
      ];
    };
    return {
      id: "self-jump",
      summary: "HotSpot's guard: the first word becomes a jump to itself, then the rest, then the first word",
      source: "NativeCall::replace_mt_safe, OpenJDK, src/hotspot/cpu/x86/nativeInst_x86.cpp",
      architectures: ["x86"],
      user: true,
      defaultSite: "call:call .+0x123456c",
      promises: storePromises.filter((id) => id !== "done"),
      plan({ sites }) {
        for (const { address, next } of sites) {
          if (address % BigInt(WORD) !== 0n) return { impossible: `${hexAddress(address)} is no multiple of ${WORD}.` };
          if (next.length !== WORD + 1)
            return { impossible: `the code at ${hexAddress(address)} has ${next.length} bytes, not 5.` };
        }
        return {
          main: [
            lock("lock", "Patching_lock"),
            ...sites.flatMap((site, i) => patch(site, (name) => siteStep(name, i, sites.length))),
            unlock("unlock", "Patching_lock"),
          ],
          guards: sites.map(({ address }) => ({ address, bytes: GUARD.slice(0, 2) })),
        };
      },
    };
  },
);
