/** The loads by mnemonic: bytes, and whether the value is sign-extended (RISC-V unprivileged ISA, 2.6 and 4.3). */
export const loads = {
  lb: { size: 1, signed: true },
  lbu: { size: 1, signed: false },
  lh: { size: 2, signed: true },
  lhu: { size: 2, signed: false },
  lw: { size: 4, signed: true },
  lwu: { size: 4, signed: false },
  ld: { size: 8, signed: true },
} as const;

/** A load. */
export type LoadOperation = keyof typeof loads;

/** The stores by mnemonic, and their bytes. */
export const stores = { sb: 1, sh: 2, sw: 4, sd: 8 } as const;

/** A store. */
export type StoreOperation = keyof typeof stores;

/** The loads that reserve their place, and their bytes ("A", 13.2). */
export const reserving = { "lr.w": 4, "lr.d": 8 } as const;

/** A load that reserves its place. */
export type ReservingOperation = keyof typeof reserving;

/** The stores to a reserved place, and their bytes. */
export const conditional = { "sc.w": 4, "sc.d": 8 } as const;

/** A store to a reserved place. */
export type ConditionalOperation = keyof typeof conditional;

/** Whether an operation reserves a place or stores to a reserved one. */
export const exclusive = (op: string): "load" | "store" | undefined =>
  Object.hasOwn(reserving, op) ? "load" : Object.hasOwn(conditional, op) ? "store" : undefined;
