import { type CostModel, type CostName, type CostValue, withCosts } from "./cost-model.js";

/* Machines whose costs are known well enough to begin with. What was measured says where; the rest is marked assumed. */

const VM = "measured on a Zen 5 guest, docs/cost.md";
const IPIS = "Linux commit 4180bf1b655a: totals of 100,000 sends on 80 vCPUs";
const IRET = "Linux commit c198b121b1a1: IRET to self about 110 ns";
const PROBES = "Documentation/trace/kprobes.rst, x86-64: 0.43 µs boosted, 0.06 µs by jump";
const BATCHES = 'LKML 2018-12-21, "[PATCH V3 8/9] jump_label: Batch updates"';
const assumed = (why: string): string => `assumed: ${why}`;

const small: { readonly [name in CostName]: CostValue } = {
  step: { value: 5, source: assumed("some instructions in the first-level cache") },
  textWrite: { value: 700, source: assumed("page-table entries, a switch of mm and back, a local flush") },
  dataWrite: { value: 5, source: assumed("a store to a line that the CPU has") },
  eachCpuWord: { value: 10, source: assumed("a store to a line that another CPU has last written, several under way") },
  mapWindow: { value: 300, source: assumed("a page-table entry and a local flush") },
  setMemory: { value: 1500, source: assumed("page tables split and walked") },
  tlbFlush: { value: 250, source: assumed("one invalidation in an interrupt, beside its delivery") },
  event: { value: 500, source: assumed("one record in a ring buffer") },
  sync: { value: 110, source: IRET },
  barrier: { value: 30, source: `${VM}: MFENCE 30 ns` },
  cacheLine: { value: 30, source: assumed("as a write to executed code, 27 to 40 ns measured there") },
  cacheAll: { value: 3000, source: assumed("an instruction cache of 32 KiB") },
  remoteCall: { value: 1000, source: assumed("a call of firmware or the kernel") },
  remoteCallEach: { value: 300, source: assumed("an interrupt sent and answered there") },
  ipiSelf: { value: 150, source: assumed("as in the guest of 4180bf1b655a") },
  ipiSend: { value: 100, source: assumed("a write of one register of the interrupt controller") },
  ipiGroup: { value: 16, source: "Intel SDM vol. 3, x2APIC: a cluster has 16 logical CPUs" },
  ipiSendEach: { value: 20, source: assumed("one entry of a list per CPU is filled") },
  ipiDeliver: { value: 700, source: assumed("over one die, to a CPU that runs") },
  ipiFar: { value: 400, source: assumed("over the link of sockets") },
  ipiAck: { value: 60, source: `half of a cache line's round trip, ${VM}: 110 ns` },
  socketCpus: { value: 64, source: assumed("all of a small server") },
  interruptEntry: { value: 150, source: assumed("entry code, RCU and time accounting") },
  interruptReturn: { value: 110, source: IRET },
  trapEntry: { value: 290, source: `${PROBES}: 0.43 µs less the handler and an IRET` },
  trapReturn: { value: 110, source: IRET },
  trapCompare: { value: 17, source: `${BATCHES}: 45 ns to 180 ns with a binary search over 8 or 9 compares` },
  trapEmulate: { value: 20, source: assumed("registers of a frame are changed") },
  stopQueue: { value: 300, source: assumed("a wake-up on another run queue") },
  stopWake: { value: 4000, source: assumed("a reschedule interrupt and a switch") },
  stopAck: { value: 60, source: `half of a cache line's round trip, ${VM}` },
  stopReturn: { value: 1500, source: assumed("a switch back") },
  mutexTake: { value: 20, source: assumed("one atomic operation") },
  mutexWake: { value: 5000, source: assumed("a wake-up on another CPU") },
  graceRcu: { value: 16_000_000, source: `${VM}: synchronize_rcu by membarrier GLOBAL, 16 ms` },
  graceTasks: { value: 100_000_000, source: assumed("RCU-tasks looks at most ten times a second") },
  maskedPart: { value: 0.02, source: assumed("a machine at moderate load") },
  maskedLength: { value: 5000, source: assumed("a short critical section") },
  passRate: { value: 100_000, source: assumed("one traced function in each 10 µs") },
  callNop: { value: 0.3, source: assumed("one slot of the decoder") },
  callDirect: { value: 3, source: assumed("a call and a return, predicted") },
  callTrampoline: { value: 12, source: assumed("six registers saved and restored") },
  callCommon: { value: 14, source: assumed("the same, and a load of the global ops") },
  callOpsLoad: { value: 2, source: assumed("two loads that hit, and an indirect branch") },
  callListEntry: { value: 8, source: assumed("a hash looked up and an indirect call") },
  textByte: { value: 0.005, source: assumed("a miss of 30 ns for each 64 bytes of padding, every hundredth passage") },
  paddingBytes: { value: 0, source: assumed("none") },
  probeHandler: { value: 30, source: `${PROBES}: the half of what a hit by jump takes` },
  probeJump: { value: 30, source: `${PROBES}: the other half` },
};

const smallServer: CostModel = { id: "small-server", summary: "one socket of up to 64 x86 CPUs", values: small };

const guest: CostModel = withCosts(
  smallServer,
  {
    sync: { value: 3990, source: `${VM}: CPUID leaves the guest, 3.99 µs` },
    ipiSelf: { value: 150, source: `${IPIS}: 0.15 µs to itself` },
    // One command for each cluster: a + b = 2.5 µs to one other CPU, 5 a + 80 b = 93 µs to all.
    ipiSend: { value: 1427, source: `${IPIS}: fitted on one other CPU and on the broadcast by cluster` },
    ipiSendEach: { value: 1073, source: `${IPIS}: fitted on the same two` },
    ipiDeliver: { value: 7000, source: `${VM}: membarrier SYNC_CORE with one running peer, 9.6 µs in all` },
    interruptReturn: { value: 40, source: `${VM}: IRET to self 40 ns` },
    trapReturn: { value: 40, source: `${VM}: IRET to self 40 ns` },
    tlbFlush: { value: 2500, source: assumed("an interrupt sent to a vCPU") },
  },
  "",
  { id: "vm", summary: "a guest whose interrupt commands leave it, as x2APIC by cluster" },
);

/** The cost models that come with cmodx, the first the default. */
export const costPresets: readonly CostModel[] = [
  smallServer,
  withCosts(
    smallServer,
    {
      socketCpus: { value: 56, source: assumed("28 cores of two threads") },
      ipiDeliver: { value: 900, source: assumed("a larger die") },
      ipiFar: { value: 1100, source: assumed("over the link of sockets, both ways") },
      stopAck: { value: 120, source: assumed("a counter that two sockets write in turn") },
      ipiAck: { value: 110, source: assumed("half of the lines come from the other socket") },
    },
    "",
    { id: "two-sockets", summary: "two sockets of 56 x86 CPUs each" },
  ),
  withCosts(
    smallServer,
    {
      textWrite: { value: 20, source: assumed("a store; the window has a parameter of its own") },
      mapWindow: { value: 400, source: assumed("a fixmap entry, TLBI broadcast, DSB and ISB") },
      sync: { value: 20, source: assumed("ISB") },
      cacheLine: { value: 150, source: assumed("IC IVAU and DC CVAU, broadcast over the mesh, with its DSB") },
      cacheAll: { value: 1500, source: assumed("IC IALLUIS") },
      ipiGroup: { value: 16, source: "GICv3 architecture specification, ICC_SGI1R_EL1: a target list of 16 CPUs" },
      ipiDeliver: {
        value: 5700,
        source: "Norov, linux-arm-kernel 2017-12: 5.7 µs delivery on a ThunderX2 of 112 CPUs",
      },
      ipiSendEach: { value: 150, source: "the same: a broadcast takes 23 µs, over 112 CPUs, less delivery" },
      socketCpus: { value: 128, source: "one socket" },
      trapEntry: { value: 250, source: assumed("an exception at the same level, registers saved") },
      trapReturn: { value: 100, source: assumed("registers restored, ERET") },
      interruptReturn: { value: 100, source: assumed("registers restored, ERET") },
    },
    "",
    { id: "arm-128", summary: "one socket of 128 Arm CPUs" },
  ),
  withCosts(
    smallServer,
    {
      step: { value: 20, source: assumed("an in-order core at 1.5 GHz") },
      textWrite: { value: 60, source: assumed("stores of bytes through the window") },
      mapWindow: { value: 1000, source: assumed("a fixmap entry and SFENCE.VMA") },
      sync: { value: 100, source: assumed("FENCE.I of an in-order core with a small cache") },
      cacheLine: { value: 100, source: assumed("there is no maintenance by line, FENCE.I does all") },
      ipiGroup: { value: 64, source: "RISC-V SBI specification: a hart mask of XLEN bits" },
      ipiSend: { value: 1500, source: assumed("a call of the SBI firmware") },
      ipiDeliver: { value: 3000, source: assumed("machine mode passes the interrupt on") },
      remoteCall: { value: 2000, source: assumed("a call of the SBI firmware") },
      remoteCallEach: { value: 1500, source: assumed("an interrupt to machine mode and its answer") },
      interruptEntry: { value: 800, source: assumed("an in-order core at 1.5 GHz") },
      interruptReturn: { value: 400, source: assumed("an in-order core at 1.5 GHz") },
      trapEntry: { value: 800, source: assumed("an in-order core at 1.5 GHz") },
      trapReturn: { value: 400, source: assumed("an in-order core at 1.5 GHz") },
      stopWake: { value: 20_000, source: assumed("a switch on a slow core") },
      ipiAck: { value: 150, source: assumed("a slow interconnect") },
      stopAck: { value: 150, source: assumed("a slow interconnect") },
    },
    "",
    { id: "riscv-board", summary: "a board of 4 in-order RISC-V CPUs" },
  ),
  guest,
];
