import {
  type Bytes,
  fence,
  type InstructionSet,
  type Line,
  maintain,
  type PlanContext,
  type PropertyId,
  sendIpi,
  store,
  syncCore,
  waitIpi,
} from "@cmodx/core";
import type { Arm64Instruction } from "../isa/index.js";

/* What the strategies of this package share. */

/** What a patcher of code promises that sets no traps. */
export const storePromises: readonly PropertyId[] = [
  "mid-sequence",
  "old-or-new",
  "trap-owned",
  "done",
  "lifetime",
  "exclusive",
  "progress",
  "rule",
];

/** What a patcher promises whose breakpoints are emulated. */
export const trapPromises: readonly PropertyId[] = [...storePromises, "emulation"];

/** What a patcher promises after which others may run the old code as long as they like. */
export const lazyPromises: readonly PropertyId[] = storePromises.filter((id) => id !== "done");

/** The id of a step that is done for each of `count` sites. */
export const siteStep = (name: string, index: number, count: number): string =>
  count === 1 ? name : `${name}.${index}`;

/** An address as it is printed. */
export const hex = (address: bigint): string => `0x${address.toString(16)}`;

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

/** The instruction that is all of some code, or undefined where it is not one of the modelled subset. */
export const instructionOf = (code: Bytes, isa: InstructionSet): Arm64Instruction | undefined => {
  if (code.length !== 4) return undefined;
  const insn = isa.decode(code, "");
  return typeof insn === "string" ? undefined : (insn as Arm64Instruction);
};

/** Where an unconditional immediate branch at `address` goes; undefined for anything else. */
export const branchTarget = (insn: Arm64Instruction | undefined, address: bigint): bigint | undefined => {
  const [operand] = insn?.operands ?? [];
  if (insn?.op !== "b" && insn?.op !== "bl") return undefined;
  return operand?.kind === "relative" ? address + operand.displacement : undefined;
};

/** Eight bytes of data, little-endian. */
export const quad = (value: bigint): Bytes =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** The number that bytes of data hold, little-endian. */
export const numberIn = (bytes: Bytes): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
