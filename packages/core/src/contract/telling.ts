import type { EventName, Events } from "./events.js";
import type { TraceStep } from "./trace.js";
import type { World } from "./world.js";

/** What the words for an event may look at beside it. */
export type Telling = {
  /** An address as people speak of it: `+0` in the only site, `site 1 +0` in one of several, else the number. */
  place(address: bigint): string;
  /** The step, and the states around it. */
  readonly step: TraceStep;
  readonly world: World;
};

/** What a CPU did in one step. `quiet` steps may share a line with their neighbours. */
export type Told = { readonly text: string; readonly quiet: boolean };

/** The words for events, by name; a text alone is not quiet. */
export type Says = {
  readonly [E in EventName]?: (detail: Events[E], telling: Telling) => string | Told;
};

/** Words for what is of little interest by itself. */
export const quiet = (text: string): Told => ({ text, quiet: true });
