import type { Machine, SiteInstruction, Sled } from "../machines.js";
import type { RelocationRules } from "../relocations.js";
import type { SiteKind } from "../sites.js";
import { halfwordAt, wordAt, wordBranch } from "./words.js";

/**
 * ELF for the Arm Architecture (AAELF32), §5.6 "Relocation". T, the bit that says Thumb, is left out: places are addresses of
 * code.
 */
const relocations: RelocationRules = {
  addendInField: true,
  types: {
    1: { name: "R_ARM_PC24", size: 4 },
    2: { name: "R_ARM_ABS32", size: 4 },
    3: { name: "R_ARM_REL32", size: 4 },
    10: { name: "R_ARM_THM_CALL", size: 4 },
    23: { name: "R_ARM_RELATIVE", size: 4 },
    28: { name: "R_ARM_CALL", size: 4 },
    29: { name: "R_ARM_JUMP24", size: 4 },
    30: { name: "R_ARM_THM_JUMP24", size: 4 },
    40: { name: "R_ARM_V4BX", size: 0 },
  },
  apply(type, { symbol, addend, place }) {
    switch (type) {
      case 2: // ABS32
        return symbol + addend;
      case 23: // RELATIVE
        return addend;
      default: // REL32, PC24, CALL, JUMP24, THM_CALL, THM_JUMP24
        return symbol + addend - place;
    }
  },
};

/** A32 B and BL: imm24 words from the instruction after the next (DDI 0406C, A8.8.18 and A8.8.25). */
const imm24 = wordBranch(
  8,
  (word) => (word << 8) >> 6,
  (word, distance) => ((word & 0xff000000) | ((distance >> 2) & 0xffffff)) >>> 0,
);

/**
 * T32 B.W and BL, encodings T4 and T1: S:I1:I2:imm10:imm11 halfwords from the end of the instruction, where I1 and I2 are J1 and J2
 * turned over when S is clear (DDI 0406C, A8.8.18 and A8.8.25). The first halfword is the low one of the word.
 */
const imm25 = wordBranch(
  4,
  (word) => {
    const sign = (word << 21) >> 31;
    const i1 = ~((word >>> 29) ^ sign) & 1;
    const i2 = ~((word >>> 27) ^ sign) & 1;
    return (sign << 24) | (i1 << 23) | (i2 << 22) | ((word & 0x3ff) << 12) | (((word >>> 16) & 0x7ff) << 1);
  },
  (word, distance) => {
    const sign = (distance >> 24) & 1;
    const j1 = ~((distance >> 23) ^ sign) & 1;
    const j2 = ~((distance >> 22) ^ sign) & 1;
    const first = (sign << 10) | ((distance >> 12) & 0x3ff);
    const second = (j1 << 13) | (j2 << 11) | ((distance >> 1) & 0x7ff);
    return ((word & 0xd000f800) | (second << 16) | first) >>> 0;
  },
);

type Pattern = SiteInstruction & { readonly value: number; readonly mask: number; readonly kind: SiteKind };

const patterns = (
  reach: SiteInstruction["reach"],
  rows: readonly (readonly [string, number, number, SiteKind, SiteInstruction["branch"]?])[],
): readonly Pattern[] =>
  rows.map(([name, value, mask, kind, branch]) => ({
    name,
    length: 4,
    value,
    mask,
    kind,
    ...(branch && { branch }),
    ...(kind === "jump-label" && reach && { reach }),
  }));

const exactly = 0xffffffff;

// Linux 7.3: arch/arm/kernel/jump_label.c, ftrace.c and arch/arm/include/asm/ftrace.h. A removed call is no plain nop: it undoes the
// `push {lr}` before it.
const a32 = patterns({ least: -(2 ** 25) + 8, most: 2 ** 25 - 4 + 8 }, [
  ["nop", 0xe320f000, exactly, "jump-label"],
  ["mov r0, r0", 0xe1a00000, exactly, "jump-label"],
  ["b", 0xea000000, 0xff000000, "jump-label", imm24],
  ["bl", 0xeb000000, 0xff000000, "ftrace", imm24],
  ["add sp, sp, #4", 0xe28dd004, exactly, "ftrace"],
]);

const t32 = patterns({ least: -(2 ** 24) + 4, most: 2 ** 24 - 2 + 4 }, [
  ["nop.w", 0x8000f3af, exactly, "jump-label"],
  ["b.w", 0x9000f000, 0xd000f800, "jump-label", imm25],
  ["bl", 0xd000f000, 0xd000f800, "ftrace", imm25],
  ["add.w sp, sp, #4", 0x0d04f10d, exactly, "ftrace"],
]);

function siteInstruction(kind: SiteKind, code: Uint8Array, mode?: string): SiteInstruction | undefined {
  const word = wordAt(code);
  if (word === undefined) return undefined;
  return (mode === "t32" ? t32 : a32).find(
    (pattern) => pattern.kind === kind && (word & pattern.mask) >>> 0 === pattern.value,
  );
}

function nopLength(code: Uint8Array, at: number, mode?: string): number {
  const word = wordAt(code, at);
  if (mode !== "t32") return word === 0xe320f000 || word === 0xe1a00000 ? 4 : 0;
  if (halfwordAt(code, at) === 0xbf00) return 2;
  return word === 0x8000f3af ? 4 : 0;
}

/** LLVM 19, compiler-rt/lib/xray/xray_arm.cpp, which is A32 alone. */
function sled(code: Uint8Array, mode?: string): Sled | undefined {
  const word = wordAt(code);
  if (mode === "t32" || word === undefined || word >>> 24 !== 0xea) return undefined;
  const to = 8 + imm24.read(code);
  return to >= 4 ? { name: "b", length: 4, to, stored: 4 } : undefined;
}

/** Armv7: relocations of its ABI and the instructions, A32 and T32, that Linux puts at its patch sites. */
export const armv7: Machine = {
  name: "ARM",
  bits: 32,
  relocations,
  jumpEntries: "absolute",
  fetchAlignment: 4,
  modes: {
    ofFunction: (value) => (value % 2 === 0 ? "a32" : "t32"),
    // AAELF32, §5.5.5 "Mapping symbols".
    ofMappingSymbol: (name) => (/^\$a(\.|$)/.test(name) ? "a32" : /^\$t(\.|$)/.test(name) ? "t32" : undefined),
  },
  siteInstruction,
  sled,
  nopLength,
};
