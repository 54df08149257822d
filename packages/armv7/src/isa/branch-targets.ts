import type { OperandCode } from "./operand-codes.js";
import type { Fields } from "./pattern.js";

/** How far a branch goes: `bits` wide in units of `scale` bytes, from what it reads as pc, `ahead` bytes after itself. */
type Reach = {
  readonly bits: number;
  readonly scale: 2 | 4;
  readonly ahead: 4n | 8n;
  readonly unsigned?: true;
};

/** How a branch target is encoded; `distance` and the limits are in bytes from the branch, for whoever words an error. */
export type TargetCode = OperandCode & {
  readonly low: number;
  readonly high: number;
  readonly scale: 2 | 4;
  /** What the branch reads as pc, less `at`. */
  readonly ahead: (at: bigint) => bigint;
};

const target = (
  { bits, scale, ahead, unsigned }: Reach,
  join: (fields: Fields) => number = ({ i }) => i!,
  split: (value: number) => Fields = (i) => ({ i }),
): TargetCode => {
  const low = unsigned ? 0 : -(2 ** (bits - 1));
  const high = unsigned ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
  // BLX reads the pc aligned to the words that it counts in.
  const from = (at: bigint) => ahead - (BigInt.asUintN(2, at) % BigInt(scale));
  return {
    low: low * scale,
    high: high * scale,
    scale,
    ahead: from,
    decode: (fields) => {
      const value = join(fields);
      return { kind: "relative", displacement: (value > high ? value - 2 ** bits : value) * scale };
    },
    encode: (operand, at) => {
      if (operand.kind !== "address") return undefined;
      const units = Number(BigInt.asIntN(32, operand.value - at - from(at))) / scale;
      if (!Number.isInteger(units) || units < low || units > high) return undefined;
      return split(units < 0 ? units + 2 ** bits : units);
    },
  };
};

/** I1:I2 stand in place of J1:J2, which are inverted where the sign N is 0 (DDI 0406C, A8.8.18, encoding T4). */
const invertedBits = ({ N, J }: Fields): number => (N! === 1 ? J! : J! ^ 3);
const joinWide = (lowBits: number) => (fields: Fields) =>
  fields.N! * 2 ** (lowBits + 2) + invertedBits(fields) * 2 ** lowBits + fields.i!;
const splitWide = (lowBits: number) => (value: number) => {
  const N = Math.floor(value / 2 ** (lowBits + 2));
  const J = Math.floor(value / 2 ** lowBits) % 4;
  return { N, J: invertedBits({ N, J }), i: value % 2 ** lowBits };
};

const branchTargets = {
  a32: target({ bits: 24, scale: 4, ahead: 8n }),
  // The H bit makes halfwords of words.
  a32x: target(
    { bits: 25, scale: 2, ahead: 8n },
    ({ i, H }) => i! * 2 + H!,
    (value) => ({ i: value >>> 1, H: value & 1 }),
  ),
  t16: target({ bits: 11, scale: 2, ahead: 4n }),
  t16c: target({ bits: 8, scale: 2, ahead: 4n }),
  cbz: target({ bits: 6, scale: 2, ahead: 4n, unsigned: true }),
  // N:J2:J1:imm6:imm11, without inversion.
  t32c: target(
    { bits: 20, scale: 2, ahead: 4n },
    ({ N, J, K, i }) => N! * 2 ** 19 + K! * 2 ** 18 + J! * 2 ** 17 + i!,
    (value) => ({ N: value >>> 19, K: (value >>> 18) & 1, J: (value >>> 17) & 1, i: value & 0x1ffff }),
  ),
  t32: target({ bits: 24, scale: 2, ahead: 4n }, joinWide(21), splitWide(21)),
  t32x: target({ bits: 23, scale: 4, ahead: 4n }, joinWide(20), splitWide(20)),
} as const;

/** Branch targets by the name that tables give them. */
export const targetCodes: ReadonlyMap<string, TargetCode> = new Map(
  Object.entries(branchTargets).map(([name, code]) => [`>${name}`, code]),
);
