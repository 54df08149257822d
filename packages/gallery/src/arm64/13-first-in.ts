import { stopMachine } from "@cmodx/arm64";
import type { GalleryEntry } from "../entry.js";
import { label, oneFlip, weakest } from "./common.js";

/** Item 13. */
export const firstIn: GalleryEntry = {
  id: "13",
  title: "The master's word that it is done is counted over",
  source: "Linux 899d5933b2dd, fixes ae16480785de",
  bug: "Inside stop_machine the CPUs count themselves in. The first one patches and sets the count to -1, for which the others wait. One that comes later counts itself in after that: the count is 0, and it waits for -1 for ever.",
  fix: "The master counts on by one more instead, and the others wait until more are counted than there are CPUs, in whatever order they come.",
  architecture: weakest,
  wrong: oneFlip("the count is set", stopMachine({ master: "first", signal: "minus-one" }), label),
  property: "progress",
  fixed: oneFlip("the count is incremented", stopMachine({ master: "first" }), label),
};
