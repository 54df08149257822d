import { nosyncIpi, stopMachine } from "@cmodx/arm64";
import { isImpossible, maskIrq, type PatchStrategy, unmaskIrq } from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import { label, oneFlip, weakest } from "./common.js";

/** A strategy whose caller may not sleep. */
const inAtomic = (base: PatchStrategy): PatchStrategy => ({
  ...base,
  id: `${base.id}-in-atomic`,
  plan(flip, context) {
    const plan = base.plan(flip, context);
    if (isImpossible(plan)) return plan;
    return {
      ...plan,
      main: [maskIrq("irq-off", "the caller: a secondary CPU that comes up"), ...plan.main, unmaskIrq("irq-on")],
    };
  },
});

/** Item 17. */
export const atomicCaller: GalleryEntry = {
  id: "17",
  title: "A static key is flipped by a caller that may not sleep",
  source: "Linux f6cc0c501649, fixes 693350a79980; what it blames is put right by cfb00a357864",
  bug: "Jump labels are patched under stop_machine, whose caller sleeps until the stopper thread of its own CPU has run. A caller with interrupts off cannot sleep: its stopper never runs, and everybody who was stopped waits for it.",
  fix: "Jump labels are single instructions of the list that may be modified while they are executed: they are patched without stopping anybody. The interrupts to all CPUs that this takes are no matter, as the wait for them does not sleep.",
  architecture: weakest,
  wrong: oneFlip("stop_machine", inAtomic(stopMachine()), label),
  property: "progress",
  fixed: oneFlip("nosync and an interrupt", inAtomic(nosyncIpi()), label),
};
