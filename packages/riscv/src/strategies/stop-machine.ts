import {
  ack,
  type FlipSite,
  type Impossible,
  type Line,
  lock,
  maskIrq,
  type PatchStrategy,
  put,
  sendIpi,
  set,
  setEachCpu,
  siteStep,
  stopMachine as stopAll,
  storePromises,
  syncCore,
  toHex,
  unlock,
  unmaskIrq,
  until,
  untilEachCpu,
  waitIpi,
} from "@cmodx/core";
import { flag, oneOf, optional, withOptions, withoutOptions } from "@cmodx/core/schema";
import { refusePair } from "./decoded.js";
import {
  fenceIMap,
  fencesNowPredicate,
  fixSavedMap,
  fixSavedRegisters,
  fixSavedRegistersRule,
  sbiRemoteFenceIRule,
} from "./operations.js";
import { flushIcacheAll, patchInsnWrite } from "./text-patching.js";

/**
 * Who executes a FENCE.I while the machine is stopped: each stopped hart before it goes on; the one that writes alone; or whom that one
 * asks by an interrupt, or through the firmware, from inside.
 */
export type StoppedFlush = "secondaries" | "none" | "ipi" | "sbi";

type Stopped = {
  readonly flush?: StoppedFlush;
  /** Done by the one that writes, behind its stores. */
  readonly behind?: (sites: readonly FlipSite[]) => readonly Line[];
};

const stopped = (
  sites: readonly FlipSite[],
  { flush = "secondaries", behind = () => [] }: Stopped,
): readonly Line[] => [
  lock("lock", "text_mutex"),
  stopAll("stop", {
    run: [
      ...sites.flatMap((site, i) =>
        patchInsnWrite(siteStep("write", i, sites.length), site.address, site.next, "every task is stopped"),
      ),
      ...behind(sites),
      ...(flush === "ipi" || flush === "sbi" ? flushIcacheAll("flush", "from inside stop_machine", { by: flush }) : []),
    ],
    secondaries: flush === "secondaries" ? [syncCore("sync-secondaries", "fence.i before a stopped hart goes on")] : [],
  }),
  unlock("unlock", "text_mutex"),
];

const refuse = (sites: readonly FlipSite[]): Impossible | undefined =>
  sites.map(refusePair).find((refused) => refused !== undefined);

const common = {
  architectures: ["riscv"],
  promises: storePromises,
  rules: [sbiRemoteFenceIRule],
  maps: [fenceIMap],
  predicates: [fencesNowPredicate],
} as const;

/** `patch_text`: every hart is stopped, the last to arrive writes, and each executes a FENCE.I before it goes on. */
export const stopMachine = withoutOptions(
  "stopMachine",
  (): PatchStrategy => ({
    ...common,
    id: "stop-machine",
    summary: "patch_text: all harts are stopped while one writes; each executes fence.i before it goes on",
    source: "patch_text and patch_text_cb, arch/riscv/kernel/patch.c, 7.3",
    defaultSite: "nop:j .+0x11450",
    plan: ({ sites }) => ({ main: stopped(sites, {}) }),
  }),
);

/** Variants of {@link pairStopMachine}. */
export type PairStopMachineOptions = {
  /** Default `secondaries`, as since 6.12. */
  readonly flush?: StoppedFlush;
};

/** The function tracer before 6.16: AUIPC and JALR are swapped for two no-operations under stop_machine. */
export const pairStopMachine = withOptions(
  "pairStopMachine",
  { flush: optional(oneOf<StoppedFlush>({ secondaries: true, none: true, ipi: true, sbi: true })) },
  ({ flush = "secondaries" }: PairStopMachineOptions): PatchStrategy => ({
    ...common,
    id: "pair-stop-machine",
    summary: "ftrace before 6.16: two instructions are swapped while all harts are stopped; each then executes fence.i",
    source: "ftrace_make_call, arch/riscv/kernel/ftrace.c, and patch_text_cb, arch/riscv/kernel/patch.c, 6.12",
    defaultSite: "nop+nop:call t0, .+0x1234640",
    plan: ({ sites }) => refuse(sites) ?? { main: stopped(sites, { flush }) },
  }),
);

/**
 * `bpf_arch_text_poke`: two instructions are swapped by `patch_text`. A candidate, found by reading: nobody has confirmed that a task
 * can be preempted between the two.
 */
export const pairBpf = withoutOptions(
  "pairBpf",
  (): PatchStrategy => ({
    ...common,
    id: "pair-bpf",
    summary: "a candidate, unconfirmed: BPF swaps the two instructions at a program's entry under stop_machine",
    source: "bpf_arch_text_poke, arch/riscv/net/bpf_jit_comp64.c, 7.3",
    defaultSite: "nop+nop:call t1, .+0x1234640",
    plan: ({ sites }) => refuse(sites) ?? { main: stopped(sites, {}) },
  }),
);

/** Variants of {@link fixRegisters}. */
export type FixRegistersOptions = {
  /** Code that was interrupted by an exception which was interrupted itself is looked for as well. Default true. */
  readonly nested?: boolean;
  /**
   * How the harts are stopped: by stop_machine, which waits for tasks (default); or in the handler of an interrupt, which comes over
   * whatever runs with interrupts on, a softirq over an interrupted task among it.
   */
  readonly stops?: "stop-machine" | "ipi";
};

/** Every other hart waits in the handler of an interrupt until all is written, and executes a FENCE.I before it goes on. */
const stoppedByIpi = (sites: readonly FlipSite[], behind: readonly Line[]): readonly Line[] => {
  const now = toHex(sites.flatMap(({ next }) => next));
  return [
    lock("lock", "text_mutex"),
    setEachCpu("stop-begin", STOPPED, 1),
    sendIpi("stop", [
      ack(),
      until("stopped", WRITTEN, now),
      syncCore("sync-stopped", "fence.i before it goes on"),
      put("stopped-end", STOPPED),
    ]),
    waitIpi("stop-wait", "stop", "every other hart waits"),
    maskIrq("irq-off", "local_irq_disable"),
    ...sites.flatMap((site, i) =>
      patchInsnWrite(siteStep("write", i, sites.length), site.address, site.next, "every hart is stopped"),
    ),
    ...behind,
    unmaskIrq("irq-on", "local_irq_enable"),
    set("release", WRITTEN, now, "the harts go on"),
    put("stop-end", STOPPED),
    untilEachCpu("stop-left", STOPPED, 0, "no hart waits any more"),
    unlock("unlock", "text_mutex"),
  ];
};

/** The word that stopped harts wait for, which says what has been written, and the per-CPU word that says that a hart is stopped. */
const WRITTEN = "text_written";
const STOPPED = "stopped_by_ipi";

/** As {@link pairStopMachine}, and every thread that was interrupted between the two instructions is sent back to the first. */
export const fixRegisters = withOptions(
  "fixRegisters",
  { nested: optional(flag), stops: optional(oneOf({ "stop-machine": true, ipi: true })) },
  ({ nested = true, stops = "stop-machine" }: FixRegistersOptions): PatchStrategy => ({
    ...common,
    id: "fix-registers",
    summary: "as pair-stop-machine; whoever was interrupted inside the pair is sent back to its start",
    source: "named as a way out in the thread on CALL_OPS for riscv, linux-riscv 2024",
    defaultSite: "nop+nop:call t0, .+0x1234640",
    rules: [...common.rules, fixSavedRegistersRule],
    maps: [...common.maps, fixSavedMap],
    plan({ sites }) {
      const refused = refuse(sites);
      if (refused !== undefined) return refused;
      const places = sites.map(({ address, next }) => ({ address, length: next.length }));
      const fix = fixSavedRegisters("fix-registers", places, nested, "the saved pc of every interrupted thread");
      return stops === "ipi"
        ? { main: stoppedByIpi(sites, [fix]), words: { [WRITTEN]: "" }, cpuWords: { [STOPPED]: 0 } }
        : { main: stopped(sites, { behind: () => [fix] }) };
    },
  }),
);
