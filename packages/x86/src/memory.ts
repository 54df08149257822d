import { storeBuffer } from "@cmodx/core";

/** Total store order: each CPU has a store buffer, and a CPU alone sees its own stores early. */
export const tso = storeBuffer({
  id: "tso",
  source:
    'Intel SDM vol. 3, "Memory Ordering" and "Store Buffer"; AMD APM vol. 2, 7.2; P. Sewell et al., x86-TSO, CACM 2010',
  // LFENCE and SFENCE wait for no store: nothing that they order can be seen out of order here. smp_wmb and smp_rmb are no instructions.
  drainedBy: ["atomic", "event", "release", "context-synchronisation", "mb", "mfence", "cpuid", "serialize", "iret"],
});
