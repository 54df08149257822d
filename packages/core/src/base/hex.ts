import type { Bytes } from "./data.js";

/** Bytes as lower-case hex, two digits a byte. */
export const toHex = (bytes: Iterable<number>): string => {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
};

/** The bytes of a hex string of even length. */
export const fromHex = (hex: string): Bytes => {
  const bytes: number[] = [];
  for (let i = 0; i < hex.length; i += 2) bytes.push(Number.parseInt(hex.slice(i, i + 2), 16));
  return bytes;
};

/** An address as it is printed: `0x` and lower-case digits, none in front that is 0. */
export const hexAddress = (address: bigint): string => `0x${address.toString(16)}`;

/** The number that bytes hold, little-endian. */
export const littleEndian = (bytes: Bytes): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** The eight bytes of a number, little-endian; what is above 64 bits is left out. */
export const quadOf = (value: bigint): Bytes =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
