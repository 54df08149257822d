import type { PatchStrategy } from "@cmodx/core";
import { brkEmulate, brkEmulateSynced } from "./brk-emulate.js";
import { callOps } from "./call-ops.js";
import { directCall } from "./direct-call.js";
import { eventSwitch } from "./event-switch.js";
import { funcOpPair } from "./func-op-pair.js";
import { literal, staticCall } from "./literal.js";
import { nosync, nosyncIpi } from "./nosync.js";
import { plainStore } from "./plain-store.js";
import { stopMachine } from "./stop-machine.js";
import { xray } from "./xray.js";

/** Every strategy of this package with its default options. */
export const strategies: readonly PatchStrategy[] = [
  plainStore(),
  stopMachine(),
  literal(),
  nosync(),
  nosyncIpi(),
  brkEmulate(),
  brkEmulateSynced(),
  eventSwitch(),
  callOps(),
  directCall(),
  funcOpPair(),
  staticCall(),
  xray(),
];
