import { fromHex, toHex } from "../hex.js";

/** A part of a store that becomes visible at one moment: its address and bytes (hex). */
export type Piece = readonly [address: bigint, bytes: string];

/** R4: cuts a store by the width of its accesses, and each access by the fetch model's unit; both in bytes. */
export const piecesOf = (address: bigint, bytes: string, width: number, unit: number): readonly Piece[] => {
  const pieces: Piece[] = [];
  const all = fromHex(bytes);
  for (let at = 0; at < all.length; ) {
    const here = address + BigInt(at);
    const size = Math.min(width - (at % width), unit - Number(here % BigInt(unit)), all.length - at);
    pieces.push([here, toHex(all.slice(at, at + size))]);
    at += size;
  }
  return pieces;
};
