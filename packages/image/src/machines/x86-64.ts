import type { Branch, Machine, SiteInstruction, Sled } from "../machines.js";
import type { RelocationRules } from "../relocations.js";
import type { SiteKind } from "../sites.js";

/** System V ABI, AMD64 supplement 1.0, §4.4 "Relocation"; B is 0, since addresses are taken as linked. */
const relocations: RelocationRules = {
  types: {
    1: { name: "R_X86_64_64", size: 8 },
    2: { name: "R_X86_64_PC32", size: 4 },
    4: { name: "R_X86_64_PLT32", size: 4 },
    8: { name: "R_X86_64_RELATIVE", size: 8 },
    10: { name: "R_X86_64_32", size: 4 },
    11: { name: "R_X86_64_32S", size: 4 },
    24: { name: "R_X86_64_PC64", size: 8 },
  },
  apply(type, { symbol, addend, place }) {
    switch (type) {
      case 2: // PC32
      case 4: // PLT32: the kernel's loader and a static link reach the function itself
      case 24: // PC64
        return symbol + addend - place;
      case 8: // RELATIVE
        return addend;
      default: // 64, 32, 32S
        return symbol + addend;
    }
  },
};

type Pattern = SiteInstruction & { readonly starts: readonly number[]; readonly kinds: readonly SiteKind[] };

const view = (code: Uint8Array) => new DataView(code.buffer, code.byteOffset, code.byteLength);

const rel8: Branch = {
  at: 1,
  size: 1,
  origin: 2,
  read: (code) => view(code).getInt8(1),
  write: (code, distance) => view(code).setInt8(1, distance),
};

/** A displacement of 4 bytes, relative to its end. */
const rel32 = (at: number): Branch => ({
  at,
  size: 4,
  origin: at + 4,
  read: (code) => view(code).getInt32(at, true),
  write: (code, distance) => view(code).setInt32(at, distance, true),
});

const near = { least: -(2 ** 7) + 2, most: 2 ** 7 - 1 + 2 } as const;
const padded = (name: string, ...starts: number[]): Pattern => ({
  name,
  length: starts.length,
  starts,
  kinds: ["static-call"],
});

// Linux 7.3: arch/x86/kernel/jump_label.c, ftrace.c and static_call.c say what may stand at a site.
const patterns: readonly Pattern[] = [
  { name: "nop5", length: 5, starts: [0x0f, 0x1f, 0x44, 0x00, 0x00], kinds: ["jump-label", "ftrace", "static-call"] },
  { name: "call", length: 5, starts: [0xe8], branch: rel32(1), kinds: ["ftrace", "static-call"] },
  // What -mfentry makes in position-independent code, as compiled and as a linker that knows the place makes of it.
  { name: "call-got", length: 6, starts: [0xff, 0x15], kinds: ["ftrace"] },
  { name: "addr32-call", length: 6, starts: [0x67, 0xe8], branch: rel32(2), kinds: ["ftrace"] },
  { name: "nop2", length: 2, reach: near, starts: [0x66, 0x90], kinds: ["jump-label"] },
  { name: "jmp32", length: 5, starts: [0xe9], branch: rel32(1), kinds: ["jump-label", "ftrace", "static-call"] },
  { name: "jmp8", length: 2, reach: near, starts: [0xeb], branch: rel8, kinds: ["jump-label"] },
  padded("xor5", 0x2e, 0x2e, 0x2e, 0x31, 0xc0),
  padded("ret5", 0xc3, 0xcc, 0xcc, 0xcc, 0xcc),
  padded("warn5", 0x67, 0x48, 0x0f, 0xb9, 0x3a),
  padded("unlock5", 0x3e, 0x3e, 0xc6, 0x07, 0x00),
];

const jcc: SiteInstruction = { name: "jcc32", length: 6, branch: rel32(2) };

function siteInstruction(kind: SiteKind, code: Uint8Array): SiteInstruction | undefined {
  const found = patterns.find(
    ({ starts, length, kinds }) =>
      kinds.includes(kind) && length <= code.length && starts.every((byte, i) => code[i] === byte),
  );
  if (found) return found;
  const isJcc = code[0] === 0x0f && code[1] !== undefined && code[1] >> 4 === 8;
  return kind === "static-call" && isJcc && code.length >= jcc.length ? jcc : undefined;
}

/** Intel SDM vol. 2B, NOP: `90` and `0f 1f /0`, with operand-size and segment prefixes; at most 15 bytes. */
function nopLength(code: Uint8Array, at: number): number {
  let end = at;
  while (code[end] === 0x66 || code[end] === 0x2e) end++;
  if (code[end] === 0x90) end += 1;
  else if (code[end] === 0x0f && code[end + 1] === 0x1f) {
    const modrm = code[end + 2];
    if (modrm === undefined || (modrm & 0x38) !== 0) return 0;
    const mod = modrm >> 6;
    if (mod === 3) return 0;
    const hasSib = (modrm & 7) === 4;
    const base = hasSib ? (code[end + 3] ?? 0) & 7 : modrm & 7;
    const displacement = mod === 1 ? 1 : mod === 2 || base === 5 ? 4 : 0;
    end += 3 + (hasSib ? 1 : 0) + displacement;
  } else return 0;
  const length = end - at;
  return end <= code.length && length <= 15 ? length : 0;
}

/** Of a sled at a return: the return itself, and ten bytes. */
const RETURN_SLED = 11;

/** LLVM 19, compiler-rt/lib/xray/xray_x86_64.cpp: a jump or a return, in whose place two bytes are stored at once. */
function sled(code: Uint8Array): Sled | undefined {
  if (code[0] === 0xc3) return { name: "ret", length: 1, to: RETURN_SLED, stored: 2 };
  const to = code[0] === 0xeb && code.length >= 2 ? 2 + view(code).getInt8(1) : 0;
  return to >= 2 ? { name: "jmp8", length: 2, to, stored: 2 } : undefined;
}

/** x86-64: relocations of its ABI and the instructions that Linux puts at its patch sites. */
export const x86_64: Machine = {
  name: "x86-64",
  bits: 64,
  relocations,
  jumpEntries: "relative",
  fetchAlignment: 1,
  hotPatch: { far: 5, back: 2 },
  siteInstruction,
  sled,
  nopLength,
};
