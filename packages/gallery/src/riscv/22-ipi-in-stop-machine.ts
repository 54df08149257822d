import { pairStopMachine } from "@cmodx/riscv";
import type { GalleryEntry } from "../entry.js";
import { oneFlip, ziccif } from "./common.js";

const site = { old: "nop+nop", new: "call t0" };

/** Item 22. */
export const ipiInStopMachine: GalleryEntry = {
  id: "22",
  title: "An interrupt to all harts is sent from inside stop_machine",
  source: "Linux c97bf629963e",
  bug: "With the machine stopped, the hart that writes flushes the instruction caches of all. Where the firmware did that it worked. Once the kernel sends the interrupts itself, the others wait with theirs masked, nobody takes any, and the machine hangs.",
  fix: "Nobody is interrupted: each stopped hart executes a FENCE.I of its own before it goes on.",
  architecture: ziccif,
  wrong: oneFlip("all harts are interrupted from inside", pairStopMachine({ flush: "ipi" }), site),
  property: "progress",
  fixed: oneFlip("each stopped hart executes fence.i", pairStopMachine(), site),
};
