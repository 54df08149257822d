import type { EntryLayout, Machine, SiteInstruction, Sled } from "../machines.js";
import type { RelocationRules } from "../relocations.js";
import type { SiteKind } from "../sites.js";
import { halfwordAt, wordAt, wordBranch } from "./words.js";

/**
 * RISC-V ELF psABI 1.0, "Relocations". A difference of two places is a pair of relocations of one field, ADD and SUB, each of
 * which changes what the field holds.
 */
const relocations: RelocationRules = {
  types: {
    1: { name: "R_RISCV_32", size: 4 },
    2: { name: "R_RISCV_64", size: 8 },
    3: { name: "R_RISCV_RELATIVE", size: 8 },
    17: { name: "R_RISCV_JAL", size: 4 },
    35: { name: "R_RISCV_ADD32", size: 4 },
    36: { name: "R_RISCV_ADD64", size: 8 },
    39: { name: "R_RISCV_SUB32", size: 4 },
    40: { name: "R_RISCV_SUB64", size: 8 },
    43: { name: "R_RISCV_ALIGN", size: 0 },
    51: { name: "R_RISCV_RELAX", size: 0 },
    57: { name: "R_RISCV_32_PCREL", size: 4 },
  },
  apply(type, { symbol, addend, place, field }) {
    switch (type) {
      case 35: // ADD32
      case 36: // ADD64
        return field + symbol + addend;
      case 39: // SUB32
      case 40: // SUB64
        return field - symbol - addend;
      case 17: // JAL
      case 57: // 32_PCREL
        return symbol + addend - place;
      case 3: // RELATIVE
        return addend;
      default: // 32, 64
        return symbol + addend;
    }
  },
};

const nop = 0x00000013;
const compressedNop = 0x0001;

/** The immediate of JAL, bits 20|10:1|11|19:12 from the top (Unprivileged ISA, §2.5 "Unconditional Jumps"). */
const immJ = wordBranch(
  0,
  (word) =>
    ((word >> 31) << 20) |
    (((word >>> 12) & 0xff) << 12) |
    (((word >>> 20) & 1) << 11) |
    (((word >>> 21) & 0x3ff) << 1),
  (word, distance) =>
    ((word & 0xfff) |
      (((distance >> 20) & 1) << 31) |
      (((distance >> 1) & 0x3ff) << 21) |
      (((distance >> 11) & 1) << 20) |
      (((distance >> 12) & 0xff) << 12)) >>>
    0,
);

/** What Linux accepts, half of what the instruction can (Linux 7.3 arch/riscv/kernel/jump_label.c). */
const reach = { least: -(2 ** 19), most: 2 ** 19 - 2 } as const;

function siteInstruction(kind: SiteKind, code: Uint8Array): SiteInstruction | undefined {
  const word = wordAt(code);
  if (kind !== "jump-label" || word === undefined) return undefined;
  if (word === nop) return { name: "nop", length: 4, reach };
  return (word & 0xfff) === 0x06f ? { name: "jal", length: 4, branch: immJ, reach } : undefined;
}

/**
 * Linux arch/riscv/kernel/ftrace.c: AUIPC and JALR in eight bytes. Up to 6.15 both are swapped with nops. With the literal of
 * CALL_OPS (6.16 and later, `-fpatchable-function-entry=8,4`) the AUIPC is written once and only the JALR changes; what is
 * without it may be of either time, and is taken for the earlier.
 */
const entry: EntryLayout = {
  length: 8,
  literal: 8,
  patched: (hasLiteral) => (hasLiteral ? { at: 4, length: 4, instructions: 1 } : { at: 0, length: 8, instructions: 2 }),
  landingPad: () => 0,
};

function nopLength(code: Uint8Array, at: number): number {
  if (halfwordAt(code, at) === compressedNop) return 2;
  return wordAt(code, at) === nop ? 4 : 0;
}

/** C.J: imm[11|4|9:8|10|6|7|3:1|5] in bits 12 to 2 (Unprivileged ISA, "C" extension, "CJ-type"). */
function compressedJump(half: number): number {
  const bits = [5, 1, 2, 3, 7, 6, 10, 8, 9, 4, 11];
  const value = bits.reduce((sum, bit, i) => sum | (((half >> (i + 2)) & 1) << bit), 0);
  return (value << 20) >> 20;
}

/** LLVM 20, RISCVAsmPrinter.cpp (`emitSled`): a jump, compressed where there are such, over no-operations. */
function sled(code: Uint8Array): Sled | undefined {
  const [half, word] = [halfwordAt(code), wordAt(code)];
  if (half !== undefined && (half & 0xe003) === 0xa001)
    return { name: "c.j", length: 2, to: compressedJump(half), stored: 4 };
  return word !== undefined && (word & 0xfff) === 0x06f
    ? { name: "j", length: 4, to: immJ.read(code), stored: 4 }
    : undefined;
}

/** RV64: relocations of its ABI and the instructions that Linux puts at its patch sites. */
export const riscv64: Machine = {
  name: "RISC-V",
  bits: 64,
  relocations,
  jumpEntries: "relative",
  fetchAlignment: 4,
  entry,
  siteInstruction,
  sled,
  nopLength,
};
