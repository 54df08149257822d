import { type Bytes, fence, type Line, type PropertyId, store, storePromises, syncCore, syncCores } from "@cmodx/core";
import { sbiRemoteFenceI } from "./operations.js";

/* How the kernel writes code and makes it seen. */

/** What a patcher promises whose code is bound to data. */
export const pairPromises: readonly PropertyId[] = [...storePromises, "pair"];

/** How the other harts are made to execute a FENCE.I: by the firmware, or by an interrupt of the kernel's own. */
export type RemoteFence = "ipi" | "sbi";

/**
 * `flush_icache_all` (arch/riscv/mm/cacheflush.c, 7.3): a local FENCE.I, the data fence before the request, and a FENCE.I on every
 * hart, this one included: the task may have moved to another one since.
 *
 * `dataFence`: the fence is there, as since ca358692de41.
 */
export const flushIcacheAll = (
  id: string,
  note: string,
  { by = "ipi", dataFence = true }: { readonly by?: RemoteFence; readonly dataFence?: boolean } = {},
): readonly Line[] => [
  syncCore(`${id}-local`, "fence.i on this hart"),
  ...(dataFence ? [fence(`${id}-fence`, "w,o", "the stores before the request")] : []),
  by === "sbi" ? sbiRemoteFenceI(id, note) : syncCores(id, note),
];

/** The access with which code is written: aligned, and no wider than a word or the code. */
const widthAt = (address: bigint, bytes: Bytes): 1 | 2 | 4 => (address % 4n === 0n && bytes.length >= 4 ? 4 : 2);

/** `__patch_insn_write`: the code through its fixmap alias, by the widest aligned accesses, and a FENCE.I on this hart alone. */
export const patchInsnWrite = (id: string, address: bigint, bytes: Bytes, note?: string): readonly Line[] => [
  store(id, address, bytes, { width: widthAt(address, bytes), ...(note === undefined ? {} : { note }) }),
  syncCore(`${id}-local`, "fence.i on this hart"),
];
