import type { Shift, ShiftType } from "./instruction.js";

/** The types of shift in the order of their encoding. */
export const shiftTypes: readonly ShiftType[] = ["lsl", "lsr", "asr", "ror"];

/** The shift of a type and five bits (DDI 0406C, A8.4.3); none for LSL by 0. */
export const decodeShift = (type: number, amount: number): Shift | undefined => {
  if (type === 0) return amount === 0 ? undefined : { type: "lsl", amount };
  if (type === 3) return amount === 0 ? { type: "rrx", amount: 1 } : { type: "ror", amount };
  return { type: shiftTypes[type]!, amount: amount === 0 ? 32 : amount };
};

/** Type and five bits of a shift by a constant. */
export const encodeShift = (shift: Shift | undefined): { readonly y: number; readonly k: number } | undefined => {
  if (shift === undefined) return { y: 0, k: 0 };
  const { type, amount } = shift;
  if (typeof amount !== "number") return undefined;
  if (type === "rrx") return { y: 3, k: 0 };
  const isRight = type === "lsr" || type === "asr";
  if (amount < 1 || amount > (isRight ? 32 : 31)) return undefined;
  return { y: shiftTypes.indexOf(type), k: amount % 32 };
};
