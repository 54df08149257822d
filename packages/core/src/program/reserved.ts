/* Addresses and program names that the machine keeps for itself. */

/** The address to which a routine returns: its task stands at home again. No code lies here. */
export const HOME = 0x7ff8_0000n;
/** The stack of every context of machine code grows down from here; it is the context's own. */
export const STACK_TOP = 0x7ff0_0000n;
/** The lowest address of a context's stack. */
export const STACK_BOTTOM = 0x7fe0_0000n;

/** The program of a patcher, by its index. */
export const patcherProgram = (patcher: number): string => `patcher ${patcher}`;
/** The program of a vector's handlers. */
export const trapProgram = (vector: string): string => `trap ${vector}`;
/** Stopper work as it is posted to a CPU. */
export const stopperWork = (program: string): string => `stop ${program}`;
/** A guard of a patcher, by where it stands and its bytes in hex. */
export const guardKey = (address: bigint, bytes: string): string => `${address} ${bytes}`;
