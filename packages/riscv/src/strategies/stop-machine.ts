import {
  type FlipSite,
  type Impossible,
  type Line,
  lock,
  type PatchStrategy,
  stopMachine as stopAll,
  syncCore,
  unlock,
} from "@cmodx/core";
import { flushIcacheAll, patchInsnWrite, refusePair, siteStep, storePromises } from "./common.js";
import {
  fenceIMap,
  fencesNowPredicate,
  fixSavedMap,
  fixSavedRegisters,
  fixSavedRegistersRule,
  sbiRemoteFenceIRule,
} from "./operations.js";

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
export const stopMachine = (): PatchStrategy => ({
  ...common,
  id: "stop-machine",
  summary: "patch_text: all harts are stopped while one writes; each executes fence.i before it goes on",
  source: "patch_text and patch_text_cb, arch/riscv/kernel/patch.c, 7.3",
  defaultSite: "nop:j",
  plan: ({ sites }) => ({ main: stopped(sites, {}) }),
});

/** Variants of {@link pairStopMachine}. */
export type PairStopMachineOptions = {
  /** Default `secondaries`, as since 6.12. */
  readonly flush?: StoppedFlush;
};

/** The function tracer before 6.16: AUIPC and JALR are swapped for two no-operations under stop_machine. */
export const pairStopMachine = ({ flush = "secondaries" }: PairStopMachineOptions = {}): PatchStrategy => ({
  ...common,
  id: "pair-stop-machine",
  summary: "ftrace before 6.16: two instructions are swapped while all harts are stopped; each then executes fence.i",
  source: "ftrace_make_call, arch/riscv/kernel/ftrace.c, and patch_text_cb, arch/riscv/kernel/patch.c, 6.12",
  defaultSite: "nop+nop:call t0",
  plan: ({ sites }) => refuse(sites) ?? { main: stopped(sites, { flush }) },
});

/**
 * `bpf_arch_text_poke`: two instructions are swapped by `patch_text`. A candidate, found by reading: nobody has confirmed that a task
 * can be preempted between the two.
 */
export const pairBpf = (): PatchStrategy => ({
  ...common,
  id: "pair-bpf",
  summary: "a candidate, unconfirmed: BPF swaps the two instructions at a program's entry under stop_machine",
  source: "bpf_arch_text_poke, arch/riscv/net/bpf_jit_comp64.c, 7.3",
  defaultSite: "nop+nop:call t1",
  plan: ({ sites }) => refuse(sites) ?? { main: stopped(sites, {}) },
});

/** Variants of {@link fixRegisters}. */
export type FixRegistersOptions = {
  /** Code that was interrupted by an exception which was interrupted itself is looked for as well. Default true. */
  readonly nested?: boolean;
};

/** As {@link pairStopMachine}, and every thread that was interrupted between the two instructions is sent back to the first. */
export const fixRegisters = ({ nested = true }: FixRegistersOptions = {}): PatchStrategy => ({
  ...common,
  id: "fix-registers",
  summary: "as pair-stop-machine; whoever was interrupted inside the pair is sent back to its start",
  source: "named as a way out in the thread on CALL_OPS for riscv, linux-riscv 2024",
  defaultSite: "nop+nop:call t0",
  rules: [...common.rules, fixSavedRegistersRule],
  maps: [...common.maps, fixSavedMap],
  plan: ({ sites }) =>
    refuse(sites) ?? {
      main: stopped(sites, {
        behind: () => [
          fixSavedRegisters(
            "fix-registers",
            sites.map(({ address, next }) => ({ address, length: next.length })),
            nested,
            "the saved pc of every interrupted thread",
          ),
        ],
      }),
    },
});
