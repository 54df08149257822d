import type { EntryLayout, Machine, SiteInstruction, Sled } from "../machines.js";
import type { RelocationRules } from "../relocations.js";
import type { SiteKind } from "../sites.js";
import { wordAt, wordBranch } from "./words.js";

/** ELF for the Arm 64-bit Architecture (AAELF64), §5.7 "Relocation". */
const relocations: RelocationRules = {
  types: {
    257: { name: "R_AARCH64_ABS64", size: 8 },
    258: { name: "R_AARCH64_ABS32", size: 4 },
    260: { name: "R_AARCH64_PREL64", size: 8 },
    261: { name: "R_AARCH64_PREL32", size: 4 },
    282: { name: "R_AARCH64_JUMP26", size: 4 },
    283: { name: "R_AARCH64_CALL26", size: 4 },
    1027: { name: "R_AARCH64_RELATIVE", size: 8 },
  },
  apply(type, { symbol, addend, place }) {
    switch (type) {
      case 257: // ABS64
      case 258: // ABS32
        return symbol + addend;
      case 1027: // RELATIVE
        return addend;
      default: // PREL64, PREL32, JUMP26, CALL26
        return symbol + addend - place;
    }
  },
};

const nop = 0xd503201f;

/** B and BL: imm26 words from the instruction (DDI 0487, C6.2 "B", "BL"). */
const imm26 = wordBranch(
  0,
  (word) => (word << 6) >> 4,
  (word, distance) => ((word & 0xfc000000) | ((distance >> 2) & 0x3ffffff)) >>> 0,
);

const reach = { least: -(2 ** 27), most: 2 ** 27 - 4 } as const;

/** Linux 7.3 arch/arm64/kernel/jump_label.c; ftrace's sites of the time of `-pg` are calls of `_mcount`. */
function siteInstruction(kind: SiteKind, code: Uint8Array): SiteInstruction | undefined {
  const word = wordAt(code);
  if (word === undefined) return undefined;
  if (word === nop) return { name: "nop", length: 4, reach };
  const opcode = word >>> 26;
  if (kind === "jump-label" && opcode === 0b000101) return { name: "b", length: 4, branch: imm26, reach };
  return kind === "ftrace" && opcode === 0b100101 ? { name: "bl", length: 4, branch: imm26 } : undefined;
}

/**
 * Linux 7.3 arch/arm64/kernel/ftrace.c: of the two nops at the entry the first becomes `mov x9, lr` before the code can be
 * executed; the second alone changes later. With `-fpatchable-function-entry=4,2` the two before the entry become the
 * literal of CALL_OPS.
 */
const entry: EntryLayout = {
  length: 8,
  literal: 8,
  patched: () => ({ at: 4, length: 4, instructions: 1 }),
  landingPad(code) {
    // BTI, with its targets in bits 6 and 7 (DDI 0487, C6.2 "BTI").
    const word = wordAt(code);
    return word !== undefined && (word & 0xffffff3f) >>> 0 === 0xd503241f ? 4 : 0;
  },
};

/** LLVM 19, compiler-rt/lib/xray/xray_AArch64.cpp. */
function sled(code: Uint8Array): Sled | undefined {
  const word = wordAt(code);
  if (word === undefined || word >>> 26 !== 0b000101) return undefined;
  const to = imm26.read(code);
  return to >= 4 ? { name: "b", length: 4, to, stored: 4 } : undefined;
}

/** AArch64: relocations of its ABI and the instructions that Linux puts at its patch sites. */
export const arm64: Machine = {
  name: "AArch64",
  bits: 64,
  relocations,
  jumpEntries: "relative",
  fetchAlignment: 4,
  entry,
  siteInstruction,
  sled,
  nopLength: (code, at) => (wordAt(code, at) === nop ? 4 : 0),
};
