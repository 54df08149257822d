import { lock, type PatchStrategy, siteStep, store, storePromises, unlock } from "@cmodx/core";
import { flag, optional, withOptions } from "@cmodx/core/schema";
import {
  fenceOrMarkMap,
  fencesNowPredicate,
  flushIcacheDeferred,
  flushIcacheDeferredRule,
  flushIcacheMm,
  flushIcacheMmRule,
  ICACHE_STALE,
} from "./operations.js";

/** Variants of {@link userFlush}. */
export type UserFlushOptions = {
  /** A hart that was marked executes a FENCE.I when it switches to the process. Default true. */
  readonly deferred?: boolean;
};

/**
 * A JIT compiler: one thread writes code that the others run, and calls `riscv_flush_icache`. Harts that do not run the process then
 * are not interrupted but marked; what executes the FENCE.I there is the kernel's switch to one of its threads, and not xRET.
 */
export const userFlush = withOptions(
  "userFlush",
  { deferred: optional(flag) },
  ({ deferred = true }: UserFlushOptions): PatchStrategy => ({
    id: "user-flush",
    summary:
      "a process patches itself and calls riscv_flush_icache; harts that do not run it flush when they switch to it",
    source: "riscv_flush_icache(2): flush_icache_mm, arch/riscv/mm/cacheflush.c; flush_icache_deferred, context.c, 7.3",
    architectures: ["riscv"],
    user: true,
    defaultSite: "nop:j .+0x11450",
    promises: storePromises,
    rules: [flushIcacheMmRule, flushIcacheDeferredRule],
    maps: [fenceOrMarkMap],
    predicates: [fencesNowPredicate],
    plan: ({ sites }) => ({
      main: [
        lock("lock", "jit_lock"),
        ...sites.map((site, i) => store(siteStep("write", i, sites.length), site.address, site.next, { width: 4 })),
        flushIcacheMm("flush", "riscv_flush_icache"),
        unlock("unlock", "jit_lock"),
      ],
      ...(deferred
        ? { traps: { switch: [flushIcacheDeferred("switch-flush", "switch_mm, the task's own xRET does not")] } }
        : {}),
      cpuWords: { [ICACHE_STALE]: false },
    }),
  }),
);
