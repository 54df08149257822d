import type { PatchStrategy } from "@cmodx/core";
import { bkpt } from "./bkpt.js";
import { ftrace } from "./ftrace.js";
import { literal } from "./literal.js";
import { nosync } from "./nosync.js";
import { optprobe } from "./optprobe.js";
import { probe } from "./probe.js";
import { patchTextOf2012, stopMachine, stopMachineLinux } from "./stop-machine.js";
import { plainStore } from "./store.js";

/** Every strategy of this package with its default options. */
export const strategies: readonly PatchStrategy[] = [
  plainStore(),
  nosync(),
  stopMachine(),
  stopMachineLinux(),
  patchTextOf2012(),
  probe(),
  probe({ secondaries: "as-linux" }),
  bkpt(),
  optprobe(),
  ftrace(),
  literal(),
];
