import type { Width } from "./instruction.js";

/** The fields of a logical immediate. */
export type BitmaskFields = { readonly N: number; readonly immr: number; readonly imms: number };

const ones = (count: number): bigint => (1n << BigInt(count)) - 1n;

const rotateRight = (value: bigint, amount: number, bits: number): bigint =>
  BigInt.asUintN(bits, (value >> BigInt(amount)) | (value << BigInt(bits - amount)));

const replicate = (element: bigint, bits: number, size: Width): bigint => {
  let value = 0n;
  for (let at = 0; at < size * 8; at += bits) value |= element << BigInt(at);
  return value;
};

/**
 * The constant that the fields of a logical immediate stand for, nothing where they are reserved: a run of ones, rotated inside
 * an element of 2 to 64 bits, which is repeated (Arm ARM, shared pseudocode DecodeBitMasks).
 */
export const decodeBitmask = ({ N, immr, imms }: BitmaskFields, size: Width): bigint | undefined => {
  const length = 31 - Math.clz32((N << 6) | (~imms & 0x3f));
  if (length < 1) return undefined;
  const bits = 1 << length;
  const run = imms & (bits - 1);
  if (run === bits - 1 || bits > size * 8) return undefined;
  return replicate(rotateRight(ones(run + 1), immr & (bits - 1), bits), bits, size);
};

/** The fields that stand for a constant of `size` bytes, nothing when none do; the inverse of {@link decodeBitmask}. */
export const encodeBitmask = (value: bigint, size: Width): BitmaskFields | undefined => {
  for (let bits = 2; bits <= size * 8; bits *= 2) {
    const element = BigInt.asUintN(bits, value);
    if (replicate(element, bits, size) !== value) continue;
    const count = element.toString(2).replaceAll("0", "").length;
    for (let immr = 0; immr < bits; immr += 1) {
      if (count === 0 || count === bits || rotateRight(ones(count), immr, bits) !== element) continue;
      return { N: bits === 64 ? 1 : 0, immr, imms: (~(2 * bits - 1) & 0x3f) | (count - 1) };
    }
  }
  return undefined;
};
