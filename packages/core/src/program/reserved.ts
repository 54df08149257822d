/* Addresses that the machine keeps for itself. */

/** The address to which a routine returns: its task stands at home again. No code lies here. */
export const HOME = 0x7ff8_0000n;
/** The stack of every context of machine code grows down from here; it is the context's own. */
export const STACK_TOP = 0x7ff0_0000n;
/** The lowest address of a context's stack. */
export const STACK_BOTTOM = 0x7fe0_0000n;

/** A guard of a patcher, by where it stands and its bytes in hex. */
export const guardKey = (address: bigint, bytes: string): string => `${address} ${bytes}`;
