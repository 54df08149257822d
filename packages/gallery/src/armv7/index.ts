import type { GalleryEntry } from "../entry.js";
import { probeRemoved, probeRemovedByHalves } from "./33-probe-removed.js";

/** The entries of ARMv7. */
export const armv7Gallery: readonly GalleryEntry[] = [probeRemoved, probeRemovedByHalves];
