import type { ImmediateOperand } from "./instruction.js";

/** A value rotated right, as 32 unsigned bits. */
export const rotateRight = (value: number, amount: number): number =>
  ((value >>> (amount & 31)) | (value << (-amount & 31))) >>> 0;

const immediate = (value: number, rotation = 0): ImmediateOperand => ({
  kind: "immediate",
  value,
  ...(rotation !== 0 && { rotation }),
});

/** The constant of 12 bits in an A32 instruction: a byte, rotated right by an even number (DDI 0406C, A5.2.4). */
export const expandA32 = (field: number): ImmediateOperand => {
  const rotation = (field >>> 8) * 2;
  return immediate(rotateRight(field & 0xff, rotation), rotation);
};

/** The 12 bits that encode a constant in A32: with the rotation asked for, otherwise the smallest that does. */
export const encodeA32 = ({ value, rotation }: ImmediateOperand): number | undefined => {
  for (let amount = rotation ?? 0; amount <= (rotation ?? 30); amount += 2) {
    const byte = rotateRight(value, 32 - amount);
    if (byte < 0x100) return (amount << 7) | byte;
  }
  return undefined;
};

/**
 * The constant of 12 bits in a T32 instruction (DDI 0406C, A6.3.2): a byte, a byte repeated, or a byte with bit 7 set, rotated by 8
 * to 31. A repeated zero is UNPREDICTABLE, for which there is no constant.
 */
export const expandT32 = (field: number): ImmediateOperand | undefined => {
  const byte = field & 0xff;
  if (field >>> 10 !== 0) return immediate(rotateRight(0x80 | (field & 0x7f), field >>> 7), field >>> 7);
  const repeat = [0x00000001, 0x00010001, 0x01000100, 0x01010101][field >>> 8]!;
  return repeat !== 1 && byte === 0 ? undefined : immediate((byte * repeat) >>> 0);
};

/** The 12 bits that encode a constant in T32; there is at most one way. */
export const encodeT32 = ({ value }: ImmediateOperand): number | undefined => {
  for (let form = 0; form < 4; form += 1) {
    const field = (form << 8) | ((form === 2 ? value >>> 8 : value) & 0xff);
    if (expandT32(field)?.value === value) return field;
  }
  for (let rotation = 8; rotation < 32; rotation += 1) {
    const byte = rotateRight(value, 32 - rotation);
    if (byte >= 0x80 && byte < 0x100) return (rotation << 7) | (byte & 0x7f);
  }
  return undefined;
};
