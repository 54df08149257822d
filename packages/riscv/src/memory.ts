import { type FetchModel, type MemoryOrder, type Ordering, reorderingBuffer } from "@cmodx/core";

/** The sets of the kernel's `mb`, `smp_wmb` and `smp_rmb` (arch/riscv/include/asm/barrier.h, 7.3). */
const kernelFences: { readonly [word: string]: string } = { mb: "iorw,iorw", wmb: "w,w", rmb: "r,r" };

/** What a fence orders before what; undefined for what is no fence. */
const setsOf = (ordering: Ordering): { readonly before: string; readonly after: string } | undefined => {
  if (ordering === "fence.tso") return { before: "w", after: "w" };
  const [, before, after] = /^(?:fence )?([iorw]+),([iorw]+)$/.exec(kernelFences[ordering] ?? ordering) ?? [];
  return before === undefined || after === undefined ? undefined : { before, after };
};

/** Atomic accesses of programs, and what the kernel orders by itself: switches of tasks, entries and returns of its handlers. */
const always: ReadonlySet<string> = new Set(["atomic", "event", "release"]);

/**
 * RVWMO as far as fences, fetches, interrupts between harts and literals need it: stores wait in a buffer and become visible in any
 * order but that of one place; the hart's own loads see them at once. `fence w,w` keeps the stores on its two sides apart; a fence
 * from writes to anything else waits until they are visible. An interrupt to other harts is no memory: it overtakes what no fence
 * `w,o` holds it behind. Loads are performed in program order.
 *
 * Under Ziccid a FENCE.I makes the hart's older stores visible to all; else it makes them visible to its own fetches alone.
 */
const rvwmo = (drainsAtFenceI: boolean): MemoryOrder =>
  reorderingBuffer({
    id: "rvwmo",
    source: 'RISC-V unprivileged ISA, "RVWMO Memory Consistency Model", "Zifencei" and "Ziccid"',
    drainedBy(ordering) {
      if (always.has(ordering)) return true;
      if (ordering === "context-synchronisation" || ordering === "fence.i") return drainsAtFenceI;
      const sets = setsOf(ordering);
      return sets?.before.includes("w") === true && /[ior]/.test(sets.after);
    },
    separatedBy(ordering) {
      const sets = setsOf(ordering);
      return sets?.before.includes("w") === true && sets.after === "w";
    },
  });

/** The memory order of a hart with this fetch model. */
export const rvwmoFor = ({ stale }: FetchModel): MemoryOrder => rvwmo(stale === "in-order");
