// A process patches itself under INT3 while one of its threads sleeps in a system call. The membarrier of before December 2020 left the
// caller's own core to itself, and the thread comes to that one by SYSRET.
export default ({ x86 }) => ({
  name: "membarrier before e45cdc71d1fa",
  sites: [{ address: 0x401000n, old: "nop5", new: "call" }],
  patchers: [{ strategy: x86.int3Membarrier({ syncsCaller: false }), sites: [0], flips: 1 }],
  // Two threads beside the one that patches, and a CPU for one of them.
  executors: [{ count: 2 }],
  cpus: 2,
  preempt: true,
});
