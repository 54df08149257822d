import { keyOf, same } from "../base/key.js";
import type { CpuState, Posted } from "../contract/state.js";

/* What is posted to a CPU, and stays pending until it takes it. */

/** Whether it is pending. */
export const isPosted = ({ pending }: CpuState, what: Posted): boolean => pending.some((each) => same(each, what));

/** The CPU with it pending; what is pending already is not posted twice. */
export const post = (cpu: CpuState, what: Posted): CpuState =>
  isPosted(cpu, what) ? cpu : { ...cpu, pending: [...cpu.pending, what].sort(byKey) };

/** What is pending once it is taken. */
export const without = ({ pending }: CpuState, what: Posted): CpuState["pending"] =>
  pending.filter((each) => !same(each, what));

const byKey = (a: Posted, b: Posted): number => (keyOf(a) < keyOf(b) ? -1 : 1);
