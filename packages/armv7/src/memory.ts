import { type MemoryOrder, type Ordering, reorderingBuffer } from "@cmodx/core";

/** What the kernel's `mb`, `smp_wmb` and `smp_rmb` are (arch/arm/include/asm/barrier.h, 7.3). */
const kernelBarriers: { readonly [word: string]: string } = { mb: "dsb sy", wmb: "dmb ishst", rmb: "dmb ish" };

/** Atomic accesses of programs, and what the kernel orders by itself: switches of tasks, entries and returns of its handlers. */
const always: ReadonlySet<string> = new Set(["atomic", "event", "release"]);

/** Cleaning by address is ordered behind the stores before it as a store is (DDI 0406C, B2.2.9). */
const cleans: ReadonlySet<string> = new Set(["dccmvau", "dccmvac", "dccimvac"]);

const barrierOf = (ordering: Ordering): string => kernelBarriers[ordering] ?? ordering;

/** DMB ST, which orders stores with stores alone. */
const isStoreBarrier = (barrier: string): boolean => /^dmb (.*)st$/.test(barrier);

const { synchronise: _, ...order } = reorderingBuffer({
  id: "armv7",
  source: "Arm ARM DDI 0406C, A3.8 and B2.2.9",
  drainedBy(ordering) {
    const barrier = barrierOf(ordering);
    return always.has(ordering) || cleans.has(ordering) || (/^d[ms]b /.test(barrier) && !isStoreBarrier(barrier));
  },
  separatedBy: (ordering) => isStoreBarrier(barrierOf(ordering)),
});

/**
 * The memory order of ARMv7 as far as the barriers of patch programs and interrupts between processors need it: stores wait in a
 * buffer and become visible in any order but that of one place; the CPU's own loads and fetches may see them at once. DMB ST keeps
 * stores on its two sides apart, DMB, DSB and cleaning by address wait until the stores before them are visible, and an ISB waits for
 * nothing. Loads are performed in program order, and cache maintenance takes effect at once, so a DSB between two such operations
 * makes no difference. There are neither load-acquire nor store-release here.
 */
export const armv7Memory: MemoryOrder = order;
