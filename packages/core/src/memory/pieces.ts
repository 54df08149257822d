import { fromHex, toHex } from "../base/hex.js";
import type { Architecture } from "../contract/architecture.js";
import type { FetchModel } from "../contract/fetch-model.js";
import type { StoreAtomicity, Stores } from "../contract/store-atomicity.js";

/** A part of a store that becomes visible at one moment: its address and bytes (hex). */
export type Piece = readonly [address: bigint, bytes: string];

/** Those of an architecture with a fetch model: what was measured is more than what the architecture says. */
export const storesOf = ({ stores }: Architecture, { unit, stored }: FetchModel): Stores => {
  const code = stores ?? { aligned: 1, block: unit };
  return {
    code: stored === undefined ? code : { ...code, block: stored },
    data: stores ?? { aligned: 8, block: 8 },
  };
};

/**
 * R4: cuts a store into its accesses of `width` bytes, and what the architecture does not perform whole at the borders of its blocks. An
 * access with fewer bytes than its width stands for one of the aligned place around them, the rest of which it rewrites as it is.
 */
export const piecesOf = (
  address: bigint,
  bytes: string,
  width: number,
  { aligned, block }: StoreAtomicity,
): readonly Piece[] => {
  const access = aligned > block ? Math.min(width, aligned) : width;
  const all = fromHex(bytes);
  const pieces: Piece[] = [];
  for (let begin = 0; begin < all.length; begin += access) {
    const end = Math.min(begin + access, all.length);
    const isAligned = Number((address + BigInt(begin)) % BigInt(access)) + end - begin <= access;
    const isWhole = access <= aligned && isAligned;
    for (let at = begin; at < end; ) {
      const here = address + BigInt(at);
      const size = isWhole ? end - at : Math.min(block - Number(here % BigInt(block)), end - at);
      pieces.push([here, toHex(all.slice(at, at + size))]);
      at += size;
    }
  }
  return pieces;
};
