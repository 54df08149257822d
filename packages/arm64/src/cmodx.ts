import type { Bytes } from "@cmodx/core";
import { type Arm64Instruction, arm64InstructionSet, type Operation } from "./isa/index.js";

/** A list of instructions that may be modified while they are executed. */
export type CmodxList = { readonly id: string; readonly source: string; readonly operations: ReadonlySet<Operation> };

const arm: readonly Operation[] = ["b", "bl", "brk", "hvc", "isb", "nop", "smc", "svc"];

/** The lists by id, the architecture's own first. */
export const cmodxLists = {
  /** What the architecture allows. */
  arm: {
    id: "arm",
    source: "Arm ARM DDI 0487, B2.2.5, 'Concurrent modification and execution of instructions'",
    operations: new Set<Operation>([...arm, "b.cond", "cbnz", "cbz", "tbnz", "tbz"]),
  },
  /** What Linux patches without stopping other CPUs. */
  linux: {
    id: "linux",
    source: "aarch64_insn_hotpatch_safe, arch/arm64/kernel/patching.c, 7.3",
    operations: new Set<Operation>(arm),
  },
  /** What herd7 allows: no BRK, HVC or SMC, and no B.cond. */
  herd: {
    id: "herd",
    source: "herdtools7, herd/AArch64ParseTest, Restricted-CMODX",
    operations: new Set<Operation>(["b", "bl", "cbnz", "cbz", "isb", "nop", "svc", "tbnz", "tbz"]),
  },
} as const satisfies { readonly [id: string]: CmodxList };

/** Whether a word is an instruction of a list. */
export const isInList = (bytes: Bytes, { operations }: CmodxList): boolean => {
  const insn: Arm64Instruction | string = arm64InstructionSet.decode(bytes, "");
  return typeof insn !== "string" && operations.has(insn.op);
};
