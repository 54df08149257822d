import type { Architecture } from "../contract/architecture.js";
import type { Plugin } from "./container.js";

/** What a simulation is made of: inert values. */
export type SimulationOptions = {
  readonly architecture: Architecture;
  /** Further parts, or parts that replace the architecture's own. */
  readonly plugins?: readonly Plugin[];
  /**
   * Freeze every part of a state, check that no rule reads or writes more than it declares, and run each rule twice to see that it
   * is deterministic. Slower; for tests of rules.
   */
  readonly development?: boolean;
};
