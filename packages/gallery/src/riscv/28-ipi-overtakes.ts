import { nosync } from "@cmodx/riscv";
import type { GalleryEntry } from "../entry.js";
import { LABEL, oneFlip, ziccif } from "./common.js";

const more = { memory: "architectural" } as const;

/** Item 28. */
export const ipiOvertakes: GalleryEntry = {
  id: "28",
  title: "The interrupt overtakes the store that it is about",
  source: "Linux ca358692de41",
  bug: "A hart writes code and has the firmware ask the others for a FENCE.I. The request is a write to a device and is not ordered behind the store: another hart is interrupted, executes its FENCE.I, and fetches what it had fetched before. Only then does the store become visible there.",
  fix: "A fence from earlier writes to later output comes before the request.",
  architecture: ziccif,
  wrong: oneFlip("no fence before the request", nosync({ by: "sbi", dataFence: false }), LABEL, more),
  property: "done",
  fixed: oneFlip("a fence w,o before the request", nosync({ by: "sbi" }), LABEL, more),
};
