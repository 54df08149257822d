import { type Impossible, InputError, type PlanContext } from "@cmodx/core";
import type { Mode } from "../isa/index.js";

/* What a plan has to know of the machine. */

/** What a plan has to know of the machine. */
export type Target = {
  readonly mode: Mode;
  /** Bytes of a cache line. */
  readonly line: number;
};

/** The target of a plan. Throws {@link InputError} where the machine is none of this package. */
export const targetOf = ({ mode, reports }: PlanContext): Target => {
  const { state, line } = (reports ?? {}) as Partial<{ readonly state: Mode; readonly line: number }>;
  if (state === undefined || line === undefined) {
    throw new InputError("The strategies of armv7 need a fetch model that reports its state and its line.", {
      place: "fetch",
      code: "impossible",
    });
  }
  return { mode: (mode || state) as Mode, line };
};

/** Why code in this mode cannot be changed on that machine; undefined where it can. */
export const wrongState = ({ mode, reports }: PlanContext): Impossible | undefined => {
  const { state } = reports as { readonly state: Mode };
  if (mode === "" || mode === state) return undefined;
  return {
    impossible: `the code is ${mode}, and the fetch model is that of ${state} code; use the fetch model ${mode}.`,
  };
};
