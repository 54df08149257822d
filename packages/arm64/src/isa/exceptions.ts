import type { Registers } from "@cmodx/core";
import { conditionFlags } from "./registers.js";

/**
 * The vectors of traps, and where the architecture resumes after them (Arm ARM, D1.3.5 and the instructions' pages).
 *
 * - `brk`: BRK; at the instruction.
 * - `svc`, `hvc`, `smc`: calls of the kernel, the hypervisor and the monitor; behind the instruction.
 * - `ud`: UDF, HLT and DCPS1 to DCPS3 outside debug, and every word that is no instruction; at the instruction.
 * - `pf`: an alignment fault: of an access that must be aligned, of an access by way of a stack pointer that is no multiple of 16,
 *   or of the pc; at the instruction. Faults of translation and permission are the memory's to raise, under the same name.
 */
export const vectors = ["brk", "svc", "hvc", "smc", "ud", "pf"] as const;

/** One of {@link vectors}. */
export type Vector = (typeof vectors)[number];

/**
 * What an exception to EL1 writes: ELR_EL1 is the address to resume at, SPSR_EL1 has the condition flags and no other field.
 * ERET undoes it.
 */
export const exceptionEntry = (registers: Registers, resume: bigint): Registers => ({
  ...registers,
  elr_el1: resume,
  spsr_el1: (registers.nzcv ?? 0n) & conditionFlags,
});
