import { fixedAuipc, pairStopMachine } from "@cmodx/riscv";
import type { GalleryEntry } from "../entry.js";
import { oneFlip, ziccif } from "./common.js";

const more = { cpus: 1, preempt: true, executors: [{ count: 1 }] };

/** Item 21. */
export const preemptedPair: GalleryEntry = {
  id: "21",
  title: "A task is preempted between AUIPC and JALR",
  source: "Linux e8cc1cb303fa; Juhan Jin, 2025-07-30; cured by b2137c3b6d7a and 5aa4ef955884",
  bug: "The function tracer swaps two no-operations for an AUIPC and a JALR while the machine is stopped. That stops tasks, and leaves one that was preempted behind the first no-operation where it is: it goes on at the JALR, with whatever its t0 holds.",
  fix: "The AUIPC is written once and stays; only what stands behind it changes, by one store. Before, the tracer could not be built into a preemptible kernel.",
  architecture: ziccif,
  wrong: oneFlip("both instructions are swapped", pairStopMachine(), { old: "nop+nop", new: "call t0" }, more),
  property: "mid-sequence",
  fixed: oneFlip("the AUIPC stays", fixedAuipc(), { old: "auipc t0, %pcrel_hi(.+0x1640)+nop", new: "call t0" }, more),
};
