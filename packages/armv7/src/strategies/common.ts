import { type Bytes, type FlipSite, type Impossible, InputError, type PlanContext, type PropertyId } from "@cmodx/core";
import { type Armv7Instruction, armv7InstructionSet, type Mode } from "../isa/index.js";

/* What the strategies of this package share. */

/** What a patcher promises that sets no traps. */
export const storePromises: readonly PropertyId[] = [
  "mid-sequence",
  "old-or-new",
  "trap-owned",
  "done",
  "lifetime",
  "exclusive",
  "progress",
  "rule",
];

/** What a patcher of code that traps promises. */
export const trapPromises: readonly PropertyId[] = [...storePromises, "emulation"];

/** The id of a step that is done for each of `count` sites. */
export const siteStep = (name: string, index: number, count: number): string =>
  count === 1 ? name : `${name}.${index}`;

/** An address as it is printed. */
export const hex = (address: bigint): string => `0x${address.toString(16)}`;

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

/** The instruction that is all of some code, or undefined where it is not one. */
export const only = (code: Bytes, mode: Mode): Armv7Instruction | undefined => {
  const insn = armv7InstructionSet.decode(code, mode);
  return typeof insn !== "string" && insn.length === code.length ? insn : undefined;
};

/** Why the code of a site is not one instruction before and after; undefined where it is. */
export const refuseSeveral = ({ address, old, next }: FlipSite, mode: Mode): Impossible | undefined =>
  only(old, mode) !== undefined && only(next, mode) !== undefined
    ? undefined
    : { impossible: `the code at ${hex(address)} is more than one instruction.` };

/** The first refusal among those of the sites. */
export const firstRefusal = (
  sites: readonly FlipSite[],
  refuse: (site: FlipSite) => Impossible | undefined,
): Impossible | undefined => {
  for (const site of sites) {
    const refusal = refuse(site);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
};
