import {
  type Bytes,
  type FlipSite,
  fence,
  type Impossible,
  type Line,
  type PropertyId,
  store,
  syncCore,
  syncCores,
} from "@cmodx/core";
import { type RiscvInstruction, riscvInstructionSet } from "../isa/index.js";
import { sbiRemoteFenceI } from "./operations.js";

/* What the strategies of this package share. */

/** What a patcher promises that sets no traps. */
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

/** What a patcher of code that traps promises. */
export const trapPromises: readonly PropertyId[] = [...storePromises, "emulation"];

/** What a patcher promises whose code is bound to data. */
export const pairPromises: readonly PropertyId[] = [...storePromises, "pair"];

/** The id of a step that is done for each of `count` sites. */
export const siteStep = (name: string, index: number, count: number): string =>
  count === 1 ? name : `${name}.${index}`;

/** An address as it is printed. */
export const hex = (address: bigint): string => `0x${address.toString(16)}`;

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

/** The instructions of some code, each with its offset; undefined where it is none of the modelled subset. */
export const instructionsOf = (
  code: Bytes,
): readonly { readonly offset: number; readonly insn: RiscvInstruction }[] | undefined => {
  const found: { readonly offset: number; readonly insn: RiscvInstruction }[] = [];
  for (let offset = 0; offset < code.length; ) {
    const insn = riscvInstructionSet.decode(code.slice(offset), "");
    if (typeof insn === "string") return undefined;
    found.push({ offset, insn });
    offset += insn.length;
  }
  return found;
};

const PAIR_LENGTH = 8;

/** Where an AUIPC and the JALR behind it go; undefined where the code is no such pair. */
export const pairTarget = (code: Bytes, address: bigint): bigint | undefined => {
  const [auipc, jalr, ...more] = instructionsOf(code) ?? [];
  const isPair =
    auipc?.insn.op === "auipc" &&
    jalr?.insn.op === "jalr" &&
    jalr.offset === 4 &&
    more.length === 0 &&
    jalr.insn.rs1 === auipc.insn.rd;
  return isPair ? BigInt.asUintN(64, address + (auipc.insn.imm ?? 0n) + (jalr.insn.imm ?? 0n)) : undefined;
};

/** Why a site is no place for two instructions of four bytes; undefined where it is. */
export const refusePair = (site: FlipSite): Impossible | undefined => {
  if (site.next.length === PAIR_LENGTH) return undefined;
  return {
    impossible: `the site at ${hex(site.address)} has ${site.next.length} bytes; an AUIPC and a JALR take ${PAIR_LENGTH}.`,
  };
};
