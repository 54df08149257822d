/** Which stores become visible at one moment, "single-copy atomic". Both are powers of two, in bytes. */
export type StoreAtomicity = {
  /** A naturally aligned access of at most this size is; a wider one is a row of such accesses. */
  readonly aligned: number;
  /** So is what of an access lies within one naturally aligned block of this size, wherever it begins; 1: single bytes alone. */
  readonly block: number;
};

/** Which stores of code and of data become visible at one moment. */
export type Stores = { readonly code: StoreAtomicity; readonly data: StoreAtomicity };
