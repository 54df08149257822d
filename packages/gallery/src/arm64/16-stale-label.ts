import { nosync, nosyncIpi } from "@cmodx/arm64";
import type { GalleryEntry } from "../entry.js";
import { label, oneFlip, weakest } from "./common.js";

/** Item 16. */
export const staleLabel: GalleryEntry = {
  id: "16",
  title: "A static branch is enabled, and another CPU does not see it",
  source: "Linux cfb00a357864, fixes f6cc0c501649",
  bug: "A jump label is patched with cache maintenance alone. static_branch_enable returns, and a CPU that fetched the instruction before takes the old branch; what was to be seen by then, such as a notifier, is missed.",
  fix: "After its sites are patched a jump label interrupts all CPUs once, and waits.",
  architecture: weakest,
  wrong: oneFlip("no CPU is told", { ...nosync(), promises: nosyncIpi().promises }, label),
  property: "done",
  fixed: oneFlip("all CPUs are kicked", nosyncIpi(), label),
};
