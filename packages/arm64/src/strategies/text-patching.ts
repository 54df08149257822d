import {
  type Bytes,
  fence,
  type Line,
  maintain,
  type PlanContext,
  type PropertyId,
  sendIpi,
  store,
  storePromises,
  syncCore,
  waitIpi,
} from "@cmodx/core";

/* How the kernel writes code and makes it seen. */

/** What a patcher promises after which others may run the old code as long as they like. */
export const lazyPromises: readonly PropertyId[] = storePromises.filter((id) => id !== "done");

/** What the cache-type register says of the maintenance that new code needs. */
type CacheTypeRegister = { readonly idc?: boolean; readonly dic?: boolean };

/**
 * `caches_clean_inval_pou` of one instruction, as far as the cache-type register asks for it: clean the data cache, invalidate the
 * instruction cache everywhere, synchronise this CPU. (arch/arm64/mm/cache.S, 7.3)
 */
export const cleanAndInvalidate = (id: string, address: bigint, { reports }: PlanContext): readonly Line[] => {
  const { idc = false, dic = false } = reports as CacheTypeRegister;
  const clean = idc
    ? [fence(`${id}-dsb-store`, "dsb ishst", "CTR_EL0.IDC: no clean is needed")]
    : [
        maintain(`${id}-clean`, "dc cvau", address, "to the point of unification"),
        fence(`${id}-dsb-clean`, "dsb ish", "the clean is complete"),
      ];
  const invalidate = dic
    ? []
    : [
        maintain(`${id}-invalidate`, "ic ivau", address, "on every CPU"),
        fence(`${id}-dsb-invalidate`, "dsb ish", "the invalidation is complete on every CPU"),
      ];
  return [...clean, ...invalidate, syncCore(`${id}-isb`, "this CPU fetches the new instruction; nobody else has to")];
};

/**
 * `aarch64_insn_patch_text_nosync`: one store through a mapping of its own, and the cache maintenance that it needs. Other CPUs may
 * run the old instruction until they synchronise. (arch/arm64/kernel/patching.c; `__set_pte` in arch/arm64/include/asm/pgtable.h and
 * `flush_tlb_kernel_range` in asm/tlbflush.h, 7.3)
 */
export const patchNosync = (
  id: string,
  address: bigint,
  bytes: Bytes,
  context: PlanContext,
  note?: string,
): readonly Line[] => [
  fence(`${id}-map`, "dsb ishst", "the mapping is there, and all that was stored before"),
  store(id, address, bytes, { width: 4, ...(note === undefined ? {} : { note }) }),
  fence(`${id}-unmap`, "dsb ish", "the mapping is gone, and the store complete"),
  ...cleanAndInvalidate(id, address, context),
];

/**
 * `kick_all_cpus_sync`: an interrupt to every other CPU whose handler does nothing; its entry synchronises the context. (kernel/smp.c,
 * 7.3; SCTLR_EL1.EIS and EOS are set)
 */
export const kickAllCpus = (id: string, note?: string): readonly Line[] => [
  fence(`${id}-mb`, "dmb ish", "smp_mb: the caller's writes come before the interrupt"),
  sendIpi(`${id}-send`, [], note),
  waitIpi(`${id}-wait`, `${id}-send`),
];
