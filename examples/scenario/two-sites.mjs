// Two jump labels of one key in one function, patched in one batch while two CPUs run the function.
export default ({ x86 }) => ({
  name: "two jump labels in one function",
  sites: [
    // Over a cache line; when it does not jump, the second label follows.
    { address: 0xffffffff_8100003en, old: "nop5", new: "jmp 0xffffffff81000080", after: "nop" },
    { address: 0xffffffff_81000044n, old: "nop5", new: "jmp 0xffffffff81000080" },
  ],
  // Where both jumps lead.
  blocks: [{ address: 0xffffffff_81000080n, code: "nop+ret" }],
  patchers: [{ strategy: x86.int3Batch(), sites: [0, 1], flips: 2 }],
  // Callers enter the function at its beginning only.
  executors: [{ entries: [0xffffffff_8100003en], count: 2 }],
  cpus: 3,
});
