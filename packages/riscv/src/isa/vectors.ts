/**
 * The exceptions that instructions raise (RISC-V privileged ISA, "Machine Cause Register").
 *
 * - `ebreak`: a breakpoint, of `ebreak` or `c.ebreak` (cause 3).
 * - `ecall`: an environment call (causes 8 to 11).
 * - `ud`: an illegal instruction (cause 2). The machine raises it for what decodes as undefined.
 * - `pf`: a page fault of a load or store (causes 13 and 15).
 * - `misaligned`: the address of an atomic memory operation is not a multiple of its width (cause 6).
 *
 * The saved pc is that of the instruction for all of them.
 */
export const vectors = ["ebreak", "ecall", "ud", "pf", "misaligned"] as const;

/** One of {@link vectors}. */
export type Vector = (typeof vectors)[number];
