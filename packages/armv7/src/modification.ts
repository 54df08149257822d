import type { Bytes } from "@cmodx/core";
import { type Armv7Instruction, armv7InstructionSet, type Mode, type Operation } from "./isa/index.js";

/** Instructions of one instruction set state that may be modified while they are executed. */
export type ModificationList = {
  /** Operations whose encodings of `length` bytes may be changed into each other. */
  readonly operations: readonly Operation[];
  readonly length: 2 | 4;
  /** Operations of two halfwords of which one may be changed, for another one of the same operation. */
  readonly halves: readonly Operation[];
};

/** The lists of DDI 0406C, A3.5.4, "Concurrent modification and execution of instructions". All else is UNPREDICTABLE. */
export const modificationLists: { readonly [mode in Mode]: ModificationList } = {
  a32: { operations: ["b", "bl", "nop", "bkpt", "svc", "hvc", "smc"], length: 4, halves: [] },
  t32: { operations: ["b", "nop", "bkpt", "svc"], length: 2, halves: ["bl"] },
};

const decoded = (bytes: Bytes, mode: Mode): Armv7Instruction | undefined => {
  const insn = armv7InstructionSet.decode(bytes, mode);
  return typeof insn === "string" ? undefined : insn;
};

/** Whether bytes are an instruction of the list. */
export const isInList = (bytes: Bytes, mode: Mode): boolean => {
  const { operations, length } = modificationLists[mode];
  const insn = decoded(bytes, mode);
  return insn !== undefined && insn.length === length && operations.includes(insn.op);
};

/** Whether all are one operation of two halfwords that differ in one of these alone. */
const differInHalf = (versions: readonly Bytes[], mode: Mode): boolean => {
  const { halves } = modificationLists[mode];
  const operations = new Set(versions.map((bytes) => decoded(bytes, mode)?.op));
  const [op, ...others] = operations;
  if (op === undefined || others.length > 0 || !halves.includes(op)) return false;
  const distinct = (from: number): number => new Set(versions.map((bytes) => bytes.slice(from, from + 2).join())).size;
  return distinct(0) === 1 || distinct(2) === 1;
};

/**
 * Whether an instruction may be executed while what stands in its place is any of these versions, each of which the CPU could have
 * fetched: the effect is then that of one of them.
 */
export const mayBeModified = (versions: readonly Bytes[], mode: Mode): boolean =>
  versions.length < 2 || versions.every((bytes) => isInList(bytes, mode)) || differInHalf(versions, mode);
