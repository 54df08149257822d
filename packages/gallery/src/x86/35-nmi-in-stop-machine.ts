import { restartNmi, type Scenario, stopNmi } from "@cmodx/core";
import { stopMachine } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { AT, oneFlip, replanned, weakest } from "./common.js";

const site = { old: "nop5", new: "call" };
const more = { interrupts: { nmi: true } };

/** Over a cache line, so that no kind of CPU stores or fetches it whole. */
const crossing = (scenario: Scenario): Scenario => ({
  ...scenario,
  sites: scenario.sites.map((each) => ({ ...each, address: AT + 0x3en })),
});

const withoutNmis = {
  ...stopMachine(),
  id: "stop-machine-no-nmi",
  summary: "stop-machine, with the sources of NMIs off meanwhile",
  plan: replanned(stopMachine(), (program) => ({
    ...program,
    main: program.main.flatMap((line) =>
      line.id === "stop" ? [stopNmi("stop-nmi"), line, restartNmi("restart-nmi")] : [line],
    ),
  })),
};

/** Item 35. */
export const nmiInStopMachine: GalleryEntry = {
  id: "35",
  title: "stop_machine does not stop NMIs",
  source: "the dynamic ftrace threads of 2008; Linux 17666f02b118",
  bug: "While one CPU writes the code, stop_machine holds all of them in a thread with interrupts off. An NMI comes all the same; its handler calls the code that is being written, and executes it half old and half new.",
  fix: "The sources of NMIs are off while the machine is stopped. The redo buffer that was taken into the kernel instead has a race of its own: see the strategy nmi-redo-2008.",
  architecture: weakest,
  wrong: crossing(oneFlip("NMIs come while the machine is stopped", stopMachine(), site, more)),
  property: "old-or-new",
  fixed: crossing(oneFlip("NMIs are off while the machine is stopped", withoutNmis, site, more)),
};
