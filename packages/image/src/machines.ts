import { arm64 } from "./machines/arm64.js";
import { armv7 } from "./machines/armv7.js";
import { riscv64 } from "./machines/riscv64.js";
import { x86_64 } from "./machines/x86-64.js";
import type { RelocationRules } from "./relocations.js";
import type { SiteKind } from "./sites.js";

/** How a direct branch says where it leads. */
export type Branch = {
  /** The field that a relocation changes: where in the instruction it starts, and how long it is; bytes. */
  readonly at: number;
  readonly size: 1 | 4;
  /** What the distance counts from: bytes after the start of the instruction. */
  readonly origin: number;
  /** The distance that an instruction holds, in bytes. */
  read(code: Uint8Array): number;
  /** Changes it, cut to the bits that the instruction has. */
  write(code: Uint8Array, distance: number): void;
};

/** An instruction found at a patch site. */
export type SiteInstruction = {
  /** What it is, e.g. `nop5`, `jmp8`, `call`, `b`. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  /** Present when it is a direct branch. */
  readonly branch?: Branch;
  /** The distances, from the start of the instruction, that the kernel's branch at such a jump label can lead over. */
  readonly reach?: { readonly least: number; readonly most: number };
};

/** What ftrace makes of the nops at a function's entry, where it uses `-fpatchable-function-entry`. */
export type EntryLayout = {
  /** Bytes of nops at the entry that are ftrace's. */
  readonly length: number;
  /** Bytes of nops before the entry that become the literal of CALL_OPS. */
  readonly literal: number;
  /** The part of the nops at the entry that is rewritten while the kernel runs, and of how many instructions it is. */
  patched(hasLiteral: boolean): { readonly at: number; readonly length: number; readonly instructions: number };
  /** Length of the landing pad for indirect branches at the start of `code`, which stands before the nops; else 0. */
  landingPad(code: Uint8Array): number;
};

/** What a sled of XRay begins with; see {@link Machine.sled}. */
export type Sled = { readonly name: string; readonly length: number; readonly to: number; readonly stored: number };

/** What differs between machines: data, and pure functions over it. */
export interface Machine {
  /** As `describeMachine` says it. */
  readonly name: string;
  readonly bits: 32 | 64;
  readonly relocations: RelocationRules;
  /** Whether the fields of `struct jump_entry` hold distances from themselves or addresses. */
  readonly jumpEntries: "relative" | "absolute";
  /** Alignment in bytes at which instructions of a site are fetched whole; 1 where alignment decides nothing. */
  readonly fetchAlignment: 1 | 4;
  /** Absent where ftrace does not patch the nops of `-fpatchable-function-entry`. */
  readonly entry?: EntryLayout;
  /** Where a function may be hot patched: bytes of a far jump before its entry, and of the jump back to that in its first. */
  readonly hotPatch?: { readonly far: number; readonly back: number };
  /**
   * The instruction that a sled of XRay begins with: its length, where it leads or the sled ends, both in bytes from its start, and
   * how many bytes of the patched sled are stored last.
   */
  sled?(code: Uint8Array, mode?: string): Sled | undefined;
  /** Decoder modes, where there are several. */
  readonly modes?: {
    /** Whether a function of this symbol value starts in the mode; the value's bit 0 is no part of its address. */
    ofFunction(value: number): string;
    /** The mode of the code from a mapping symbol on; undefined for another symbol. */
    ofMappingSymbol(name: string): string | undefined;
  };
  /** The instruction at the start of `code`, if it is one that the kernel puts at a site of this kind. */
  siteInstruction(kind: SiteKind, code: Uint8Array, mode?: string): SiteInstruction | undefined;
  /** Length in bytes of the no-operation that starts at `at`; 0 when it is something else or cut off. */
  nopLength(code: Uint8Array, at: number, mode?: string): number;
}

// The names are those of the ELF specification's e_machine table, in the spelling their users know.
const names: Readonly<Record<number, string>> = {
  2: "SPARC",
  3: "x86 (32-bit)",
  8: "MIPS",
  15: "PA-RISC",
  20: "PowerPC",
  21: "PowerPC64",
  22: "S/390",
  40: "ARM",
  42: "SuperH",
  43: "SPARC V9",
  50: "IA-64",
  62: "x86-64",
  164: "Hexagon",
  183: "AArch64",
  224: "AMD GPU",
  243: "RISC-V",
  247: "BPF",
  258: "LoongArch",
};

const machines: Readonly<Record<number, Machine>> = { 40: armv7, 62: x86_64, 183: arm64, 243: riscv64 };

/**
 * The name of a machine by its number in the ELF header.
 *
 * @param machine `e_machine`, 0 to 65535 (System V ABI, chapter 4, "ELF Header").
 * @returns e.g. `x86-64`, `AArch64`, `ARM`, `RISC-V`; `machine 0x1234` when the number is not known. Throws nothing.
 */
export function describeMachine(machine: number): string {
  return names[machine] ?? `machine 0x${machine.toString(16)}`;
}

/** The rules of a machine by `e_machine`; undefined when it is not supported. */
export function findMachine(machine: number): Machine | undefined {
  return machines[machine];
}

/** The machines that can be read, for messages. */
export const supportedMachines: string = Object.values(machines)
  .map(({ bits, name }) => `${bits}-bit ${name}`)
  .join(", ");
