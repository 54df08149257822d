import { armTrap, disarmTrap } from "@cmodx/core";
import { int3 } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { likeInt3, oneFlip, replanned, weakest } from "./common.js";

const site = { old: "nop5", new: "jmp" };
const more = { cpus: 1, interrupts: { irq: true } };

/** Patching early at boot: the INT3 handler is a die notifier, which an initcall registers later. */
const notified = likeInt3({
  id: "int3-by-notifier",
  summary: "as int3, but the handler is a notifier that is registered after the first patching",
  source: "arch/x86/kernel/alternative.c before 17f41571bb2c",
  plan: replanned(int3(), (program) => ({
    ...program,
    main: [
      disarmTrap("boot", "int3", "nobody has registered the notifier yet"),
      ...program.main,
      armTrap("register", "int3", "register_die_notifier in an initcall"),
    ],
  })),
});

/** Item 1. */
export const lateNotifier: GalleryEntry = {
  id: "1",
  title: "The INT3 handler is registered after the first patching",
  source: "Linux 17f41571bb2c",
  bug: "The handler of the patcher's INT3 hung on the chain of die notifiers, and was put there by an initcall. A jump label that is patched before that leaves an INT3 which nobody owns: an interrupt on the very CPU that patches runs into it and the kernel dies.",
  fix: "The INT3 exception calls the patcher's handler directly, so that there is nothing to register.",
  architecture: weakest,
  wrong: oneFlip("a jump label is patched before the notifier is registered", notified, site, more),
  property: "trap-owned",
  fixed: oneFlip("a jump label is patched, and the exception calls the handler", int3(), site, more),
};
