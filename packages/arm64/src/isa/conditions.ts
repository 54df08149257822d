import { own } from "@cmodx/core";
import { flag } from "./registers.js";

/** The sixteen conditions in the order of their encoding (Arm ARM, C1.2.4). `al` and `nv` both always hold. */
export const conditions = [
  "eq",
  "ne",
  "hs",
  "lo",
  "mi",
  "pl",
  "vs",
  "vc",
  "hi",
  "ls",
  "ge",
  "lt",
  "gt",
  "le",
  "al",
  "nv",
] as const;

/** A condition code. */
export type Condition = (typeof conditions)[number];

const synonyms: { readonly [name: string]: Condition } = { cs: "hs", cc: "lo" };

/** The condition of this assembler name, nothing when there is none. */
export const conditionByName = (name: string): Condition | undefined =>
  own(synonyms, name) ?? conditions.find((condition) => condition === name);

/** Whether a condition asks for no flag. */
export const isAlways = (condition: Condition): boolean => condition === "al" || condition === "nv";

/** The condition that holds where this one does not; of `al` there is none in meaning, only in encoding. */
export const inverse = (condition: Condition): Condition => conditions[conditions.indexOf(condition) ^ 1]!;

/** Whether a condition holds (Arm ARM, shared pseudocode ConditionHolds). */
export const holds = (condition: Condition, nzcv: bigint): boolean => {
  const isSet = (mask: bigint) => (nzcv & mask) !== 0n;
  const signed = isSet(flag.negative) === isSet(flag.overflow);
  const number = conditions.indexOf(condition);
  const positive = [
    isSet(flag.zero),
    isSet(flag.carry),
    isSet(flag.negative),
    isSet(flag.overflow),
    isSet(flag.carry) && !isSet(flag.zero),
    signed,
    signed && !isSet(flag.zero),
    true,
  ][number >> 1]!;
  // The lowest bit of the encoding negates, but for NV.
  return isAlways(condition) || positive !== (number % 2 === 1);
};
