import type { Cpu } from "@cmodx/core";

/** The exception model of RISC-V in supervisor mode. */
export const riscvCpu: Cpu = {
  id: "riscv",
  source:
    'RISC-V privileged ISA, "Supervisor Status Register", "Resumable Non-Maskable Interrupts (Smrnmi)"; unprivileged ISA, "Zifencei"',
  accepts(interrupt, levels, masked) {
    if (interrupt === "nmi") return !levels.includes("nmi");
    return !masked && !levels.includes("nmi") && !levels.includes("irq");
  },
  // FENCE.I alone: neither the entry of a trap nor xRET does it, nor does a switch of tasks.
  synchronizes: ["fence.i"],
  // The NMIE bit of Smrnmi is set by MNRET alone; a trap in the handler returns by another instruction.
  unblocksNmis: [],
  breakpoints: ["ebreak"],
  trapsMask: true,
};
