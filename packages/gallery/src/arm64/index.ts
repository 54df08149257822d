import type { GalleryEntry } from "../entry.js";
import { firstIn } from "./13-first-in.js";
import { firstPatches } from "./14-first-patches.js";
import { moduleSpace } from "./15-module-space.js";
import { staleLabel } from "./16-stale-label.js";
import { atomicCaller } from "./17-atomic-caller.js";
import { staleTarget } from "./19-stale-target.js";
import { funcAndOp } from "./20-func-and-op.js";
import { betweenTwoEvents, oneAddress, unsynchronisedBreakpoint } from "./text-poke-events.js";

/** The entries of arm64. */
export const arm64Gallery: readonly GalleryEntry[] = [
  firstIn,
  firstPatches,
  moduleSpace,
  staleLabel,
  atomicCaller,
  staleTarget,
  funcAndOp,
  betweenTwoEvents,
  unsynchronisedBreakpoint,
  oneAddress,
];
