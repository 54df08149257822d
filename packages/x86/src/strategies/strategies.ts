import type { PatchStrategy } from "@cmodx/core";
import { alternatives } from "./alternatives.js";
import { bypassOf2008 } from "./bypass-2008.js";
import { int3Of2010, int3Of2010Nine } from "./fixup-2010.js";
import { int3, int3Batch } from "./int3.js";
import { int3Membarrier } from "./int3-membarrier.js";
import { literal } from "./literal.js";
import { nmiRedoOf2008 } from "./nmi-redo-2008.js";
import { optprobe } from "./optprobe.js";
import { selfJump } from "./self-jump.js";
import { staticCall } from "./static-call.js";
import { stopMachine, stopMachineLinux } from "./stop-machine.js";
import { alignedStore, plainStore } from "./store.js";
import { xray } from "./xray.js";

/** Every strategy of this package with its default options. */
export const strategies: readonly PatchStrategy[] = [
  plainStore(),
  alignedStore(),
  int3(),
  int3Batch(),
  int3Of2010(),
  int3Of2010Nine(),
  int3Membarrier(),
  staticCall(),
  optprobe(),
  bypassOf2008(),
  literal(),
  selfJump(),
  nmiRedoOf2008(),
  alternatives(),
  xray(),
  stopMachine(),
  stopMachineLinux(),
];
