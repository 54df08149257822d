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
