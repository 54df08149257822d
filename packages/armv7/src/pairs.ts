import type { PatchStrategy } from "@cmodx/core";
import { bkpt } from "./strategies/bkpt.js";
import { nosync } from "./strategies/nosync.js";
import { stopMachine, stopMachineLinux } from "./strategies/stop-machine.js";

/* The table of the 2012 thread: which instruction may be changed into which, and how. */

/** Instructions of one size and state, each to be changed into each. */
export type PairGroup = {
  readonly id: string;
  /** The fetch model, which is the instruction set state. */
  readonly fetch: string;
  /** Byte offset of the site in its line. */
  readonly offset: number;
  /** By name, the assembler text of an instruction and of another one of its kind, into which it is changed on the diagonal. */
  readonly forms: { readonly [name: string]: readonly [text: string, other: string] };
};

/** A way to change an instruction; `mark` stands for it in a table. */
export type PairWay = {
  readonly id: string;
  readonly mark: string;
  readonly means: string;
  readonly strategy: PatchStrategy;
};

const wide: PairGroup["forms"] = {
  "B.W": ["b.w", "b.w .+0x80"],
  // One halfword differs.
  BL: ["bl", "bl .+0x2000"],
  "NOP.W": ["nop.w", "nop.w"],
  HVC: ["hvc #0", "hvc #1"],
  SMC: ["smc #0", "smc #1"],
  "MOV.W": ["mov.w r0, r1", "mov.w r0, r2"],
  "LDR.W": ["ldr.w r0, [r11]", "ldr.w r2, [r11]"],
  "PUSH.W": ["push.w {r4, r5}", "push.w {r4, r6}"],
  "UDF.W": ["udf.w #24", "udf.w #25"],
};

/** The instructions of the thread in A32, in 16-bit Thumb, and in 32-bit Thumb in a word and over two. */
export const pairGroups: readonly PairGroup[] = [
  {
    id: "A32",
    fetch: "a32",
    offset: 0,
    forms: {
      B: ["b", "b .+0x80"],
      BL: ["bl", "bl .+0x2000"],
      NOP: ["nop", "nop"],
      BKPT: ["bkpt #0", "bkpt #1"],
      SVC: ["svc #0", "svc #1"],
      HVC: ["hvc #0", "hvc #1"],
      SMC: ["smc #0", "smc #1"],
      MOV: ["mov r0, r1", "mov r0, r2"],
      LDR: ["ldr r0, [r11]", "ldr r2, [r11]"],
      PUSH: ["push {r4}", "push {r5}"],
      UDF: ["udf #24", "udf #25"],
    },
  },
  {
    id: "16-bit Thumb",
    fetch: "t32",
    offset: 0,
    forms: {
      B: ["b", "b .+0x80"],
      NOP: ["nop", "nop"],
      BKPT: ["bkpt #0", "bkpt #1"],
      SVC: ["svc #0", "svc #1"],
      MOV: ["mov r0, r1", "mov r0, r2"],
      LDR: ["ldr r0, [sp]", "ldr r2, [sp]"],
      PUSH: ["push {r4}", "push {r5}"],
      UDF: ["udf #24", "udf #25"],
    },
  },
  { id: "32-bit Thumb in one word", fetch: "t32", offset: 0, forms: wide },
  { id: "32-bit Thumb over two words", fetch: "t32", offset: 2, forms: wide },
];

/** The ways in the order of what they cost; the first that is safe is what a pair needs. */
export const pairWays: readonly PairWay[] = [
  { id: "nosync", mark: "ok", means: "stored under running CPUs", strategy: nosync() },
  { id: "bkpt", mark: "B", means: "by way of a BKPT, all CPUs synchronised after each step", strategy: bkpt() },
  { id: "stop", mark: "S", means: "stop_machine, without an ISB on the other CPUs", strategy: stopMachineLinux() },
  { id: "stop+isb", mark: "S+", means: "stop_machine, with an ISB on every CPU", strategy: stopMachine() },
];
