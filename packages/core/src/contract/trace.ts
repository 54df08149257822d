/* A run, step by step. */

import type { Observation } from "./events.js";
import type { CpuState, MemoryState, ParkedState, ServicesState } from "./state.js";

/** A whole state, its parts by name. */
export type StateView = {
  readonly memory: MemoryState;
  readonly services: ServicesState;
  readonly parked: ParkedState;
  readonly cpus: readonly CpuState[];
};

/** Which step of a state was taken. */
export type Choice = {
  /** The CPU that acted, from 0. */
  readonly cpu: number;
  readonly rule: string;
  /** The step of the patch program, where it was one. */
  readonly step: string | null;
  /** Which of the steps that this CPU could take, in the machine's order: two interrupts may be pending at once. */
  readonly candidate: number;
  /** Which of the outcomes of the rule. */
  readonly choice: number;
};

/** One step of a trace: who did what, and the states around it. */
export type TraceStep = Choice & {
  readonly observed: readonly Observation[];
  readonly before: StateView;
  readonly after: StateView;
};
