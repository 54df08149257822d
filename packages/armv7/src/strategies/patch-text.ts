import {
  type Bytes,
  enterWindow,
  fence,
  type Line,
  leaveWindow,
  lock,
  maintain,
  step,
  stopMachine,
  store,
  syncCore,
  unlock,
} from "@cmodx/core";
import type { Target } from "./target.js";

/* How the kernel writes one instruction: arch/arm/kernel/patch.c, 7.3. */

const PAGE = 4096n;

/** Whether a store of the instruction is two stores of halfwords: a 32-bit Thumb instruction that no word holds. */
export const straddlesWord = (address: bigint, code: Bytes, { mode }: Target): boolean =>
  mode === "t32" && code.length === 4 && address % 4n !== 0n;

/** The store through the fixmap: one access, but two of halfwords where the instruction straddles words, perhaps on two pages. */
const write = (id: string, address: bigint, code: Bytes, target: Target): readonly Line[] => {
  const mapped = (name: string, window: string, lines: readonly Line[]): readonly Line[] => [
    enterWindow(`${id}-map${name}`, window),
    ...lines,
    leaveWindow(`${id}-unmap${name}`, window),
  ];
  if (!straddlesWord(address, code, target)) {
    const width = code.length === 2 ? 2 : 4;
    return mapped("", "FIX_TEXT_POKE0", [store(`${id}-write`, address, code, { width })]);
  }
  const low = store(`${id}-write-low`, address, code.slice(0, 2), { width: 2, note: "the first halfword" });
  const high = store(`${id}-write-high`, address + 2n, code.slice(2), { width: 2, note: "the second halfword" });
  if ((address + 2n) % PAGE !== 0n) return mapped("", "FIX_TEXT_POKE0", [low, high]);
  return mapped("", "FIX_TEXT_POKE0", mapped("-next", "FIX_TEXT_POKE1", [low, high]));
};

/** The addresses by which cache maintenance covers some code, one for each line. */
const lines = (address: bigint, length: number, { line }: Target): readonly bigint[] => {
  const size = BigInt(line);
  const last = (address + BigInt(length) - 1n) / size;
  const first = address / size;
  return Array.from({ length: Number(last - first) + 1 }, (_, i) => (i === 0 ? address : (first + BigInt(i)) * size));
};

/** `flush_icache_range`: clean, invalidate, and synchronise this CPU alone (v7_coherent_kern_range, arch/arm/mm/cache-v7.S, 7.3). */
export const flushIcacheRange = (id: string, address: bigint, length: number, target: Target): readonly Line[] => {
  const covered = lines(address, length, target);
  const each = (name: string, operation: string): readonly Line[] =>
    covered.map((at, i) => maintain(`${id}-${name}${i === 0 ? "" : "-next"}`, operation, at));
  return [
    ...each("clean", "dccmvau"),
    fence(`${id}-dsb-clean`, "dsb ishst"),
    ...each("invalidate", "icimvau"),
    step(`${id}-predictors`, "maintain", { operation: "bpiallis" }, "branch predictors"),
    fence(`${id}-dsb`, "dsb ishst"),
    syncCore(`${id}-isb`, "an ISB on this CPU alone"),
  ];
};

/** `__patch_text`: writes an instruction and makes it visible to fetches; each CPU has still to synchronise. */
export const patchNow = (id: string, address: bigint, code: Bytes, target: Target): readonly Line[] => [
  lock(`${id}-lock`, "patch_lock"),
  ...write(id, address, code, target),
  unlock(`${id}-unlock`, "patch_lock"),
  ...flushIcacheRange(id, address, code.length, target),
];

/** What a stopped CPU that does not patch does before it goes on. */
export type Secondaries =
  /** An ISB. */
  | "isb"
  /** Nothing, as `multi_cpu_stop` leaves. */
  | "as-linux";

/**
 * `patch_text`: stop_machine, in which the first online CPU patches.
 *
 * `secondaries`: what the others do before they go on.
 */
export const patchText = (
  id: string,
  address: bigint,
  code: Bytes,
  target: Target,
  secondaries: Secondaries,
): readonly Line[] => [stopped(id, patchNow(id, address, code, target), secondaries)];

/** stop_machine around some lines of the first online CPU. */
export const stopped = (id: string, run: readonly Line[], secondaries: Secondaries): Line =>
  stopMachine(`${id}-stop`, {
    run,
    secondaries: secondaries === "isb" ? [syncCore(`${id}-secondaries`, "an ISB before a stopped CPU goes on")] : [],
  });
