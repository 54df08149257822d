import { nosync } from "@cmodx/riscv";
import type { GalleryEntry } from "../entry.js";
import { AT, LABEL, oneFlip, ziccif } from "./common.js";

/** Item 27. */
export const misalignedLabel: GalleryEntry = {
  id: "27",
  title: "A static branch is aligned to two bytes only",
  source: "Linux 9ddfc3cd8060",
  bug: "With compressed instructions a static branch may begin in the middle of an aligned word. Its four bytes are then written in two halves, and fetched in two. A hart that fetches one half of each jumps to wherever that leads, to itself for one.",
  fix: "Static branches are aligned to four bytes, so that one store writes and one fetch reads the instruction.",
  architecture: ziccif,
  wrong: oneFlip("the branch lies over two aligned words", nosync(), { ...LABEL, address: AT + 2n }),
  property: "old-or-new",
  fixed: oneFlip("the branch lies in one aligned word", nosync(), LABEL),
};
