/**
 * The exceptions of the instruction set by the names of their vectors; what is saved as pc is the preferred return address
 * (DDI 0406C, B1.8.3), with which Linux handlers work too, after the vectors' stubs took the offset of the mode from `lr`.
 *
 * - `bkpt`: a breakpoint, saved at itself. In the machine's words a prefetch abort whose status names a debug event.
 * - `und`: an undefined instruction, saved at itself; the probes of Linux among them, whatever their condition.
 * - `svc`, `hvc`, `smc`: calls of the system, the hypervisor, the secure monitor; saved behind themselves.
 * - `pf`: an aborted fetch or access, saved at the fetch or the instruction: a translation, permission or alignment fault.
 */
export const exceptionVectors = ["bkpt", "und", "svc", "hvc", "smc", "pf"] as const;

/** An exception of the instruction set. */
export type ExceptionVector = (typeof exceptionVectors)[number];
