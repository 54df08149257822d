import { InputError } from "@cmodx/core";
import type { PatchSite } from "./sites.js";

/** One write to code: the bytes that it stores, and where. */
export type TextWrite = { readonly address: bigint; readonly bytes: Uint8Array };

/** What of a site says how it is written. */
export type ToggledSite = Pick<PatchSite, "kind" | "address" | "bytes" | "instruction" | "target" | "key" | "init">;

/** The most sites that are patched together: as many as fit in a page (Linux arch/x86/kernel/alternative.c, TP_VEC_MAX). */
const TOGETHER = 256;

const BREAKPOINT = 0xcc;
const nops: { readonly [instruction: string]: readonly number[] } = {
  jmp8: [0x66, 0x90],
  jmp32: [0x0f, 0x1f, 0x44, 0x00, 0x00],
};

/**
 * The writes to code that a running x86-64 kernel makes when a static key is turned to its other value, in their order: of all its
 * jump labels together the breakpoint, then all bytes behind the first, then the first.
 *
 * Sites in code that is freed after boot are left out.
 *
 * @param sites The sites of a linked x86-64 kernel, as {@link findSites} gives them, in the state that the file has.
 * @param key The key's symbol, as in `PatchSite.key`.
 * @returns Three writes for each site.
 * @throws InputError when no site has the key, or one is not a jump label that can be written.
 *
 * Sources: Linux 6.1 and 7.3 kernel/jump_label.c, arch/x86/kernel/jump_label.c and alternative.c (`text_poke_bp_batch`).
 */
export function toggleWrites(sites: readonly ToggledSite[], key: string): TextWrite[] {
  const toggled = sites
    .filter((site) => site.kind === "jump-label" && site.key === key && site.init !== true)
    .map((site) => ({ address: site.address, bytes: toggledBytes(site) }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  if (toggled.length === 0)
    throw new InputError(`${key}: no jump label of running code has this key`, { code: "unknown-name", place: key });
  const writes: TextWrite[] = [];
  for (let start = 0; start < toggled.length; start += TOGETHER) {
    const batch = toggled.slice(start, start + TOGETHER);
    for (const { address } of batch) writes.push({ address, bytes: Uint8Array.of(BREAKPOINT) });
    for (const { address, bytes } of batch) writes.push({ address: address + 1n, bytes: bytes.subarray(1) });
    for (const { address, bytes } of batch) writes.push({ address, bytes: bytes.subarray(0, 1) });
  }
  return writes;
}

/** What stands at a label when its key has the other value. */
function toggledBytes({ address, bytes, instruction, target }: ToggledSite): Uint8Array {
  const nop = nops[instruction];
  if (nop) return Uint8Array.from(nop);
  const place = `0x${address.toString(16)}`;
  if (target === undefined || (instruction !== "nop2" && instruction !== "nop5"))
    throw new InputError(`${place}: ${instruction} is no jump label of x86-64 with a target`, {
      code: "wrong-type",
      place,
    });
  const jump = new Uint8Array(bytes.length);
  const view = new DataView(jump.buffer);
  const distance = Number(target - address) - bytes.length;
  view.setUint8(0, instruction === "nop2" ? 0xeb : 0xe9);
  if (instruction === "nop2") view.setInt8(1, distance);
  else view.setInt32(1, distance, true);
  return jump;
}
