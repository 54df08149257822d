import { maskIrq, store, syncCore, unmaskIrq } from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import { likeNosync, oneFlip, ziccif } from "./common.js";

const earlyNop = (flushes: boolean) =>
  likeNosync({
    id: flushes ? "early-nop-flushed" : "early-nop",
    summary: "a call site is made a nop at boot, on the only hart that runs",
    source: "ftrace_init_nop, arch/riscv/kernel/ftrace.c, around 6ca445d8af0e",
    plan: ({ sites }) => ({
      main: [
        maskIrq("boot", "ftrace_init runs with interrupts off"),
        ...sites.map(({ address, next }) => store("write", address, next, { width: 4 })),
        ...(flushes ? [syncCore("fence-i", "local_flush_icache_range")] : []),
        unmaskIrq("booted"),
      ],
    }),
  });

const site = { old: "jal t0", new: "nop" };
const more = { cpus: 1, interrupts: { irq: true } };

/** Item 23. */
export const earlyPatch: GalleryEntry = {
  id: "23",
  title: "The early patching to NOPs is not followed by a FENCE.I",
  source: "Linux 6ca445d8af0e",
  bug: "At boot the calls of the profiler are made no-operations. Only one hart runs, and it needs no other to be told; but it does not even tell itself. Its own fetches still find the call when the patching has long returned.",
  fix: "The hart executes a FENCE.I when it has written.",
  architecture: ziccif,
  wrong: oneFlip("the hart that wrote goes on", earlyNop(false), site, more),
  property: "done",
  fixed: oneFlip("the hart that wrote executes fence.i", earlyNop(true), site, more),
};
