import { armv7, probe } from "@cmodx/armv7";
import type { Scenario } from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";

const SOURCE =
  "the comment over kprobes_remove_breakpoint, arch/arm/probes/kprobes/core.c; linux-arm-kernel, December 2012";

/**
 * A probe over an instruction, put and removed once. Its instruction is on no list of what may be changed under running CPUs, so every
 * removal without stop_machine breaks `rule` too, before anybody's handler does anything; that is not looked at here.
 */
const probing = (name: string, code: string, offset: bigint, removeStopped: boolean): Scenario => ({
  name,
  sites: [{ address: armv7().base + offset, old: code, new: code }],
  patchers: [{ strategy: probe({ removeStopped }), sites: [0], flips: 1 }],
  cpus: 2,
  ignore: ["rule"],
});

/** Item 33. */
export const probeRemoved: GalleryEntry = {
  id: "33",
  title: "A probe is removed before its handler has read it",
  source: SOURCE,
  bug: "A probe is an undefined instruction. A CPU executes it; before its handler reads the instruction, to see whether it is a probe, another CPU puts the probed instruction back. The handler finds an instruction that is none of its own, and the kernel reports an undefined one.",
  fix: "The probe is removed under stop_machine: no CPU is then between the trap and its handler.",
  architecture: () => armv7(),
  wrong: probing("a probe is removed under running CPUs", "mov r0, r1", 0n, false),
  property: "trap-owned",
  fixed: probing("a probe is removed under stop_machine", "mov r0, r1", 0n, true),
};

/** Item 33, where the probe is two halfwords. */
export const probeRemovedByHalves: GalleryEntry = {
  id: "33-half",
  title: "A Thumb-2 probe is removed one halfword after the other",
  source: SOURCE,
  bug: "The probe over a 32-bit Thumb MOVW that straddles two words is removed by two stores. Between them, and as long as a CPU may still fetch what was there, the first halfword of the probed MOVW stands before the second of the probe: a branch that nobody wrote.",
  fix: "The probe is removed under stop_machine, in which every CPU writes the instruction and synchronises.",
  architecture: () => armv7({ fetch: "t32" }),
  wrong: probing("a probe of two halfwords is removed under running CPUs", "movw r0, #1", 2n, false),
  property: "old-or-new",
  fixed: probing("a probe of two halfwords is removed under stop_machine", "movw r0, #1", 2n, true),
};
