import type { Cpu } from "@cmodx/core";

/** The exception model of ARMv7-A at PL1. FIQs stand for NMIs: what masks IRQs leaves them on. */
export const armv7Cpu: Cpu = {
  id: "armv7",
  source:
    'Arm ARM DDI 0406C, B1.8 "Exception handling"; A3.8.3 and the glossary, "Context synchronization operation": an ISB, the entry of an exception and the return from one',
  accepts(interrupt, levels, masked) {
    if (interrupt === "nmi") return !levels.includes("nmi");
    return !masked && !levels.includes("nmi") && !levels.includes("irq");
  },
  // A preempted task goes on through the return from the interrupt that preempted it; a switch of tasks is no such operation.
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
  ],
  // FIQs are masked by a bit of the CPSR, which a return from an exception restores.
  unblocksNmis: [],
  breakpoints: ["und", "bkpt"],
  trapsMask: true,
  raise: (registers, resume) => ({ ...registers, lr: resume }),
};
