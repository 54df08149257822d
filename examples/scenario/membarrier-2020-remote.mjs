// The other bug of before December 2020: the interrupt of a membarrier left it to its IRET to synchronise the core. The scheduler may go to
// a thread that sleeps in a system call before that, and this one comes back by SYSRET.
export default ({ x86 }) => ({
  name: "membarrier before 758c9373d841",
  sites: [{ address: 0x401000n, old: "nop5", new: "call" }],
  patchers: [{ strategy: x86.int3Membarrier({ syncsRemote: false }), sites: [0], flips: 1 }],
  executors: [{ count: 2 }],
  cpus: 2,
  preempt: true,
});
