import type { Cpu } from "@cmodx/core";

/** The exception model of x86-64 in kernel mode. */
export const x86Cpu: Cpu = {
  id: "x86",
  source: 'Intel SDM vol. 3, "Serializing Instructions" and "Interrupt and Exception Handling"; AMD APM vol. 2, 7.6.4',
  accepts(interrupt, levels, masked) {
    // An NMI blocks further NMIs until its IRET; interrupt gates mask the rest.
    if (interrupt === "nmi") return !levels.includes("nmi");
    return !masked && !levels.includes("nmi") && !levels.includes("irq");
  },
  // Interrupt delivery does not serialise, IRET does; a task that was preempted goes on through the IRET of that interrupt. A system
  // call returns by SYSRET, which does not serialise, nor does a switch between tasks of one address space.
  synchronizes: ["irq-return", "trap-return", "nmi-return", "resume-preempted", "iret", "cpuid", "serialize"],
  // Every IRET does, whatever it returns from. sync_core is taken for SERIALIZE or CPUID, and not for an IRET to itself.
  unblocksNmis: ["trap-return", "iret"],
  breakpoints: ["int3"],
  trapsMask: true,
};
