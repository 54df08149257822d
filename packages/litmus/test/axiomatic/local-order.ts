import type { Barrier } from "./program.js";
import { type EventKind, isEvent, type Trace } from "./trace.js";

/*
 * The order of one thread's events: "locally ordered before" and "fetch ordered before" of Arm's model (Arm ARM DDI 0487, B2.3;
 * aarch64.cat of herd7).
 */

type Rule = { readonly from: readonly EventKind[]; readonly to: readonly EventKind[] };

const all: readonly EventKind[] = ["read", "write", "fetch", "clean", "invalidate"];
const notFetch: readonly EventKind[] = ["read", "write", "clean", "invalidate", "synchronise"];

const barriers: { readonly [barrier in Barrier]: Rule } = {
  "DSB SY": { from: all, to: notFetch },
  "DSB LD": { from: ["read"], to: notFetch },
  "DSB ST": { from: ["write"], to: notFetch },
  "DMB SY": { from: ["read", "write", "clean"], to: ["read", "write", "clean"] },
  "DMB LD": { from: ["read"], to: ["read", "write"] },
  "DMB ST": { from: ["write"], to: ["write"] },
};

/** What a branch, and an address that a load feeds, holds back until that load is done. */
const afterBranch: readonly EventKind[] = ["write", "clean", "invalidate", "synchronise"];
const afterAddress: readonly EventKind[] = ["write", "synchronise"];

const sameLine = (a: EventKind, b: EventKind): boolean =>
  a === "clean" ? b === "read" || b === "write" || b === "clean" : b === "clean" || b === "write";

/** Pairs of items of a trace, both events, the first of which comes first in every execution. */
export const localOrder = ({ items }: Trace): readonly (readonly [number, number])[] => {
  const pairs: [number, number][] = [];
  items.forEach((b, j) => {
    if (!isEvent(b)) return;
    for (let i = 0; i < j; i++) {
      const a = items[i] as (typeof items)[number];
      if (!isEvent(a)) continue;
      const between = items.slice(i + 1, j);
      const ordered =
        (a.is === "fetch" && b.is !== "fetch" && b.is !== "synchronise") ||
        a.is === "synchronise" ||
        between.some((item) => {
          if (item.is === "barrier") {
            const { from, to } = barriers[item.barrier];
            return from.includes(a.is) && to.includes(b.is);
          }
          if (item.is === "branch") return item.on === i && afterBranch.includes(b.is);
          const accesses = item.is === "read" || item.is === "write";
          return accesses && item.address === i && afterAddress.includes(b.is);
        }) ||
        b.address === i ||
        b.data === i ||
        ((a.is === "read" || a.is === "write" || a.is === "clean") && a.place === b.place && sameLine(a.is, b.is));
      if (ordered) pairs.push([i, j]);
    }
  });
  return pairs;
};

/** The events that an invalidation is before by a barrier that waits for it; undefined where there is none. */
export const behindBarrier = ({ items }: Trace, invalidation: number): readonly number[] | undefined => {
  const barrier = items.findIndex((item, i) => i > invalidation && item.is === "barrier" && item.barrier === "DSB SY");
  if (barrier < 0) return undefined;
  return items.flatMap((item, i) => (i > barrier && isEvent(item) && item.is !== "fetch" ? [i] : []));
};
