import type { GalleryEntry } from "../entry.js";
import { lateNotifier } from "./01-late-notifier.js";
import { vectorCleared } from "./02-vector-cleared.js";
import { stackDescriptor } from "./03-stack-descriptor.js";
import { kprobeArmSync, kprobeDisarmSync } from "./05-kprobe-sync.js";
import { lateTrap } from "./06-late-trap.js";
import { optimizedFlag } from "./07-optimized-flag.js";
import { callAsNop } from "./09-call-as-nop.js";
import { twoInstructions } from "./10-two-instructions.js";
import { uprobeRedZone, uprobeRemoval } from "./12-uprobe-red-zone.js";
import { nmiInStopMachine } from "./35-nmi-in-stop-machine.js";
import { entryBarrier, entryBarrierEarly } from "./2023-entry-barrier.js";

/** The entries of x86. */
export const x86Gallery: readonly GalleryEntry[] = [
  lateNotifier,
  vectorCleared,
  stackDescriptor,
  kprobeArmSync,
  kprobeDisarmSync,
  lateTrap,
  optimizedFlag,
  callAsNop,
  twoInstructions,
  uprobeRedZone,
  uprobeRemoval,
  nmiInStopMachine,
  entryBarrier,
  entryBarrierEarly,
];
