import { type Bytes, type FlipSite, hexAddress, type Impossible } from "@cmodx/core";
import { type Armv7Instruction, armv7InstructionSet, type Mode } from "../isa/index.js";

/* What strategies read off the code of their sites. */

/** The instruction that is all of some code, or undefined where it is not one. */
export const only = (code: Bytes, mode: Mode): Armv7Instruction | undefined => {
  const insn = armv7InstructionSet.decode(code, mode);
  return typeof insn !== "string" && insn.length === code.length ? insn : undefined;
};

/** Why the code of a site is not one instruction before and after; undefined where it is. */
export const refuseSeveral = ({ address, old, next }: FlipSite, mode: Mode): Impossible | undefined =>
  only(old, mode) !== undefined && only(next, mode) !== undefined
    ? undefined
    : { impossible: `the code at ${hexAddress(address)} is more than one instruction.` };

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
