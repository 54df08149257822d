import type { PatchStrategy } from "@cmodx/core";
import { breakpointPasses } from "./breakpoint-passes.js";
import { callOps, directCall } from "./call-ops.js";
import { fixedAuipc } from "./fixed-auipc.js";
import { literal } from "./literal.js";
import { nosync } from "./nosync.js";
import { fixRegisters, pairBpf, pairStopMachine, stopMachine } from "./stop-machine.js";
import { plainStore } from "./store.js";
import { userFlush } from "./user-flush.js";

/** Every strategy of this package with its default options. */
export const strategies: readonly PatchStrategy[] = [
  plainStore(),
  nosync(),
  stopMachine(),
  pairStopMachine(),
  breakpointPasses(),
  fixRegisters(),
  fixedAuipc(),
  callOps(),
  directCall(),
  literal(),
  pairBpf(),
  userFlush(),
];
