import type { Admission, Bytes, ByteWindow, FetchModel, FetchPlace } from "@cmodx/core";
import { type RiscvInstruction, riscvInstructionSet } from "./isa/index.js";

/** M of Ziccif for instructions of at most four bytes: what is fetched whole at the least. */
const M = 4;

const decoded = (bytes: Bytes): RiscvInstruction | undefined => {
  const insn = riscvInstructionSet.decode(bytes, "");
  return typeof insn === "string" ? undefined : insn;
};

/** The length of the instruction that begins with this byte (RISC-V unprivileged ISA, 1.5, "Base Instruction-Length Encoding"). */
const lengthBy = (first: number): 2 | 4 => ((first & 0b11) === 0b11 ? 4 : 2);

const spans = (at: bigint, bytes: Bytes): boolean => Number(at % BigInt(M)) + lengthBy(bytes[0] ?? 0) > M;

/** Whether the code is an instruction after which the next one in memory is not executed: a trap, or a jump without a condition. */
const leaves = (bytes: Bytes): boolean => {
  const op = decoded(bytes)?.op;
  return op === "ebreak" || op === "jal" || op === "jalr";
};

const breaks = (why: string): Admission => ({ breaks: "rule", why });

/**
 * The rules that the manual gives for code that is changed while a hart executes it without a FENCE.I: the changed instruction does
 * not span an aligned word, unless a shorter unconditional transfer that does not is put in its place; and smaller instructions are
 * not combined into a larger one.
 */
const ziccifAdmits = (window: readonly ByteWindow[], _chosen: Bytes, { at, versions }: FetchPlace): Admission => {
  if (versions.length < 2) return "run";
  const latest = lengthBy(window[0]?.[0] ?? 0);
  const combines = latest === 4 && versions.some((bytes) => lengthBy(bytes[0] ?? 0) === 2);
  if (combines) {
    return breaks(
      "smaller instructions were combined into a larger one, and this hart has not executed a FENCE.I since (Ziccif allows the reverse alone).",
    );
  }
  const spanning = versions.filter((bytes) => spans(at, bytes));
  if (spanning.length === 0) return "run";
  // What is not as long is shorter, and came last: see above.
  const replaced = spanning.length === 1 && versions.every((bytes) => spans(at, bytes) || leaves(bytes));
  if (replaced) return "run";
  return breaks(
    "the instruction spans an aligned word and was modified, and this hart has not executed a FENCE.I since (Ziccif allows it inside one word alone).",
  );
};

/** The base: nothing but parcels is fetched whole, and nothing is visible to a hart's fetches until its FENCE.I. */
export const zifencei: FetchModel = {
  id: "zifencei",
  source: 'RISC-V unprivileged ISA, "Zifencei"',
  summary: "halfwords are fetched one by one and may tear; stores stay invisible until the hart's own fence.i",
  unit: 2,
  stale: "until-sync",
  granule: 0,
  reports: {},
  admits: () => "run",
};

/** Aligned words are fetched whole. Stores stay invisible as in {@link zifencei}. */
export const ziccif: FetchModel = {
  id: "ziccif",
  source: 'RISC-V unprivileged ISA, "Ziccif Extension for Instruction-Fetch Atomicity", 1.0',
  summary: "aligned words are fetched whole; stores stay invisible until the hart's own fence.i",
  unit: M,
  stale: "until-sync",
  granule: 0,
  reports: {},
  admits: ziccifAdmits,
};

/** Fetches see the stores in the order in which they became visible, sooner or later; an instruction buffer may lag behind. */
export const ziccid: FetchModel = {
  id: "ziccid",
  source: 'RISC-V unprivileged ISA, "Ziccid Extension for Instruction/Data Coherence and Consistency", 1.0',
  summary: "as ziccif, but fetches see the stores in their order, late by what the instruction buffer holds",
  unit: M,
  stale: "in-order",
  behind: 6,
  granule: 0,
  reports: {},
  admits: ziccifAdmits,
};

/** Every fetch model of RISC-V, the weakest first. */
export const fetchModels: readonly FetchModel[] = [zifencei, ziccif, ziccid];
