import { nosync } from "@cmodx/riscv";
import type { GalleryEntry } from "../entry.js";
import { LABEL, oneFlip, ziccif } from "./common.js";

/** Item 25. */
export const localFlush: GalleryEntry = {
  id: "25",
  title: "The flush of all harts is dropped, the local one is left",
  source: "Linux ee9a68394b4b",
  bug: "To keep the patching path from calling what it patches, its flush was replaced by one that is inlined, and that is of this hart alone. No other hart ever needs to see what was written.",
  fix: "When all sites are written, every hart executes a FENCE.I, as before.",
  architecture: ziccif,
  wrong: oneFlip("the hart that wrote executes fence.i", nosync({ flush: false }), LABEL),
  property: "done",
  fixed: oneFlip("every hart executes fence.i", nosync(), LABEL),
};
