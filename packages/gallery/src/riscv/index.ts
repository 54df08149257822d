import type { GalleryEntry } from "../entry.js";
import { preemptedPair } from "./21-preempted-pair.js";
import { ipiInStopMachine } from "./22-ipi-in-stop-machine.js";
import { earlyPatch } from "./23-early-patch.js";
import { localFlush } from "./25-local-flush.js";
import { textMutex } from "./26-text-mutex.js";
import { misalignedLabel } from "./27-misaligned-label.js";
import { ipiOvertakes } from "./28-ipi-overtakes.js";
import { secondEnable } from "./34-second-enable.js";

/** The entries of RISC-V; 34 is of every architecture, and shown on this one. */
export const riscvGallery: readonly GalleryEntry[] = [
  preemptedPair,
  ipiInStopMachine,
  earlyPatch,
  localFlush,
  textMutex,
  misalignedLabel,
  ipiOvertakes,
  secondEnable,
];
