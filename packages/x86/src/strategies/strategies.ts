import type { PatchStrategy } from "@cmodx/core";
import { int3, int3Batch } from "./int3.js";
import { stopMachine, stopMachineLinux } from "./stop-machine.js";
import { alignedStore, plainStore } from "./store.js";

/** Every strategy of this package with its default options. */
export const strategies: readonly PatchStrategy[] = [
  plainStore(),
  alignedStore(),
  int3(),
  int3Batch(),
  stopMachine(),
  stopMachineLinux(),
];
