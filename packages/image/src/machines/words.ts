import type { Branch } from "../machines.js";

/** The little-endian word at `at`; undefined when it is cut off. */
export function wordAt(code: Uint8Array, at = 0): number | undefined {
  if (at + 4 > code.length) return undefined;
  return new DataView(code.buffer, code.byteOffset + at, 4).getUint32(0, true);
}

/** The little-endian halfword at `at`; undefined when it is cut off. */
export function halfwordAt(code: Uint8Array, at = 0): number | undefined {
  const [low, high] = [code[at], code[at + 1]];
  return low === undefined || high === undefined ? undefined : low | (high << 8);
}

/** A branch whose instruction is one little-endian word. */
export function wordBranch(
  origin: number,
  decode: (word: number) => number,
  encode: (word: number, distance: number) => number,
): Branch {
  const view = (code: Uint8Array) => new DataView(code.buffer, code.byteOffset, code.byteLength);
  return {
    at: 0,
    size: 4,
    origin,
    read: (code) => decode(view(code).getUint32(0, true)),
    write: (code, distance) => view(code).setUint32(0, encode(view(code).getUint32(0, true), distance), true),
  };
}
