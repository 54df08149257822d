import {
  claim,
  emulate,
  type FlipSite,
  hexAddress,
  isImpossible,
  type Line,
  local,
  lock,
  lookup,
  ne,
  type PatchStrategy,
  sendIpi,
  set,
  siteStep,
  store,
  syncCore,
  syncCores,
  toHex,
  unlock,
  unmaskIrq,
  waitIpi,
  when,
} from "@cmodx/core";
import { flag, optional, withOptions } from "@cmodx/core/schema";
import { INT3 } from "./decoded.js";
import { int3 } from "./int3.js";

/** Variants of {@link int3Membarrier}. */
export type Int3MembarrierOptions = {
  /** The SIGTRAP handler goes on knowing the site when the patching is done. Default true. */
  readonly keepHandler?: boolean;
  /**
   * The interrupt of a membarrier synchronises the core itself (since 758c9373d841); before, that was left to the IRET of its return,
   * which does not come first where the scheduler goes to a thread that sleeps in a system call. Default true.
   */
  readonly syncsRemote?: boolean;
  /**
   * A membarrier synchronises the caller's core too (since e45cdc71d1fa); before, another thread could come to that one unsynchronised.
   * Default true.
   */
  readonly syncsCaller?: boolean;
};

/** What the handler knows of a site. */
const entryOf = (site: FlipSite): string => `patched@${hexAddress(site.address)}`;

/** The SIGTRAP handler. It runs in user mode, so the interrupts of a membarrier do not wait for its end. */
const sigtrap = (sites: readonly FlipSite[]): readonly Line[] => [
  unmaskIrq("handler-user", "a signal handler runs with interrupts on"),
  ...sites.flatMap((site, i) => {
    const id = (name: string): string => siteStep(name, i, sites.length);
    return [
      lookup(id("handler-find"), entryOf(site), "entry", "by address"),
      when(id("handler-ours"), ne(local("entry"), null), [
        // Whoever puts an INT3 there for its own sake wants to handle it.
        when(id("handler-not-int3"), ne(local("entry"), toHex([INT3])), [
          emulate(id("handler-emulate"), local("entry"), "the new instruction, in the signal's frame"),
          claim(id("handler-claim")),
        ]),
      ]),
    ];
  }),
];

/**
 * int3 in a user-space process: `membarrier(PRIVATE_EXPEDITED_SYNC_CORE)` synchronises the cores that run its threads, and a SIGTRAP
 * handler emulates. Nothing waits for handlers, so what they look at has to stay.
 */
export const int3Membarrier = withOptions(
  "int3Membarrier",
  { keepHandler: optional(flag), syncsRemote: optional(flag), syncsCaller: optional(flag) },
  (options: Int3MembarrierOptions): PatchStrategy => {
    const { keepHandler = true, syncsRemote = true, syncsCaller = true } = options;
    const membarrier = (id: string, note: string): readonly Line[] =>
      syncsRemote && syncsCaller
        ? [syncCores(id, note)]
        : [
            sendIpi(id, syncsRemote ? [syncCore(`${id}-remote`)] : [], note, syncsCaller),
            waitIpi(`${id}-wait`, id, "until all have acknowledged"),
          ];
    const patch = (site: FlipSite, id: (name: string) => string): readonly Line[] => [
      set(
        id("fill-entry"),
        entryOf(site),
        [{ address: site.address, bytes: toHex(site.next) }],
        "for the SIGTRAP handler",
      ),
      store(id("write-int3"), site.address, [INT3], { note: "through a second, writable mapping" }),
      ...membarrier(id("membarrier-1"), "all threads now fetch the INT3"),
      ...(site.next.length === 1
        ? []
        : [
            store(id("write-tail"), site.address + 1n, site.next.slice(1), { note: "everything but the first byte" }),
            ...membarrier(id("membarrier-2"), "all threads now fetch the new tail"),
          ]),
      store(id("write-first"), site.address, site.next.slice(0, 1), { note: "replaces the INT3" }),
      ...membarrier(id("membarrier-3"), "all threads now fetch the new instruction"),
      ...(keepHandler ? [] : [set(id("clear-entry"), entryOf(site), [])]),
    ];
    return {
      ...int3(),
      id: "int3-membarrier",
      user: true,
      summary: "int3 in user space: membarrier SYNC_CORE instead of IPIs, a SIGTRAP handler that nobody waits for",
      source: "membarrier(2), kernel/sched/membarrier.c, 7.3; the measurements of docs/hardware.md",
      plan({ sites }, context) {
        for (const site of sites) {
          const kernel = int3().plan({ sites: [site] }, context);
          if (isImpossible(kernel)) return kernel;
        }
        return {
          main: [
            lock("lock", "patch_lock"),
            ...sites.flatMap((site, i) => patch(site, (name) => siteStep(name, i, sites.length))),
            unlock("unlock", "patch_lock"),
          ],
          traps: { int3: sigtrap(sites) },
          words: Object.fromEntries(sites.map((site) => [entryOf(site), []])),
        };
      },
    };
  },
);
