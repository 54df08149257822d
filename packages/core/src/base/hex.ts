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
