import { x86_64 } from "./machines/x86-64.js";
import type { RelocationRules } from "./relocations.js";
import type { SiteKind } from "./sites.js";

/** An instruction found at a patch site. */
export type SiteInstruction = {
  /** What it is, e.g. `nop5`, `jmp8`, `call`. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  /** A direct branch: where its displacement, relative to the end of the instruction, lies in it; bytes. */
  readonly displacement?: { readonly at: number; readonly size: 1 | 4 };
};

/** What differs between machines: data, and pure functions over it. */
export interface Machine {
  /** As `describeMachine` says it. */
  readonly name: string;
  readonly relocations: RelocationRules;
  /** The instruction at the start of `code`, if it is one that the kernel puts at a site of this kind. */
  siteInstruction(kind: SiteKind, code: Uint8Array): SiteInstruction | undefined;
  /** Length in bytes of the no-operation that starts at `at`; 0 when it is something else or cut off. */
  nopLength(code: Uint8Array, at: number): number;
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

const machines: Readonly<Record<number, Machine>> = { 62: x86_64 };

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

/** Names of the machines that can be read, for messages. */
export const supportedMachines: string = Object.keys(machines)
  .map((machine) => describeMachine(Number(machine)))
  .join(", ");
