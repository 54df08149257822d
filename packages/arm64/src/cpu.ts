import type { Cpu } from "@cmodx/core";
import { exceptionEntry } from "./isa/index.js";

/** The exception model of AArch64 at EL1. */
export const arm64Cpu: Cpu = {
  id: "arm64",
  source: 'Arm ARM DDI 0487, D1.3 "Exceptions" and B2.6.2 "Context synchronization events"',
  accepts(interrupt, levels, masked) {
    if (interrupt === "nmi") return !levels.includes("nmi");
    return !masked && !levels.includes("nmi") && !levels.includes("irq");
  },
  // Without FEAT_ExS every exception entry and return is a context synchronisation event.
  synchronizes: [
    "irq-entry",
    "irq-return",
    "trap-entry",
    "trap-return",
    "nmi-entry",
    "nmi-return",
    "resume-preempted",
    "user-return",
    "isb",
    "eret",
  ],
  // An exception return restores the masks of what was interrupted, those of pseudo-NMIs and of ALLINT included.
  unblocksNmis: [],
  breakpoints: ["brk"],
  trapsMask: true,
  raise: exceptionEntry,
};
