import {
  type Bytes,
  type FlipSite,
  hexAddress,
  type Impossible,
  type Line,
  lock,
  type PatchStrategy,
  set,
  siteStep,
  stopMachine,
  toHex,
  trapPromises,
  unlock,
} from "@cmodx/core";
import { flag, oneOf, optional, withOptions } from "@cmodx/core/schema";
import { firstRefusal, refuseSeveral } from "./decoded.js";
import { readInstructionRule } from "./operations.js";
import { patchNow, patchText, type Secondaries } from "./patch-text.js";
import { probeHandler, probeOver } from "./probe-handler.js";
import { type Target, targetOf, wrongState } from "./target.js";

/** Variants of {@link probe}. */
export type ProbeOptions = {
  /** What stopped CPUs do when a probe was put; default `isb`. */
  readonly secondaries?: Secondaries;
  /** A probe is removed while all CPUs are stopped; default true. */
  readonly removeStopped?: boolean;
};

/** Puts a probe: `patch_text`. */
export const arm = (
  id: string,
  { address, old }: FlipSite,
  target: Target,
  secondaries: Secondaries,
): readonly Line[] => patchText(id, address, probeOver(old, target.mode), target, secondaries);

/** `kprobes_remove_breakpoint`: stop_machine in which every CPU writes the instruction and synchronises. */
export const remove = (id: string, address: bigint, code: Bytes, target: Target): Line =>
  stopMachine(`${id}-stop`, { run: patchNow(id, address, code, target), everywhere: true });

/** Whoever traps there takes it for a probe that was just removed, and tries again, for ever. */
const refuseProbe = ({ address, old, next }: FlipSite, { mode }: Target): Impossible | undefined => {
  const probes = [old, next].map((code) => toHex(code) === toHex(probeOver(old, mode)));
  return probes.includes(true) ? { impossible: `the code at ${hexAddress(address)} is a probe itself.` } : undefined;
};

/**
 * A kprobe: an undefined instruction, with the condition of the one that is probed, in its place, and removed again. Whoever
 * traps reads the instruction, looks for the probe, and executes a copy of what is probed; where there is no probe any more, it tries
 * again. Where old and new code differ, the new one is what the removal puts.
 */
export const probe = withOptions(
  "probe",
  { secondaries: optional(oneOf({ isb: true, "as-linux": true })), removeStopped: optional(flag) },
  ({ secondaries = "isb", removeStopped = true }: ProbeOptions): PatchStrategy => ({
    id: secondaries === "isb" ? "probe" : "probe-linux",
    summary:
      secondaries === "isb"
        ? "a kprobe: an undefined instruction, removed under stop_machine; each stopped CPU executes an ISB"
        : "a kprobe: an undefined instruction, removed under stop_machine; armed as patch_text is, without ISBs elsewhere",
    source: "arch_arm_kprobe, kprobes_remove_breakpoint and kprobe_handler, arch/arm/probes/kprobes/core.c, 7.3",
    architectures: ["armv7"],
    defaultSite: "mov r0, r1:mov r0, r1",
    promises: trapPromises,
    rules: [readInstructionRule],
    plan({ sites }, context) {
      const target = targetOf(context);
      const refuse = (site: FlipSite): Impossible | undefined =>
        refuseSeveral(site, target.mode) ?? refuseProbe(site, target);
      const refusal = wrongState(context) ?? firstRefusal(sites, refuse);
      if (refusal !== undefined) return refusal;
      const each = (site: FlipSite, i: number): readonly Line[] => {
        const id = (name: string): string => siteStep(name, i, sites.length);
        const { address, next } = site;
        return [
          set(id("register"), "kprobe_table", [{ address, bytes: toHex(site.old) }], "before the probe is put"),
          ...arm(id("arm"), site, target, secondaries),
          ...(removeStopped
            ? [remove(id("remove"), address, next, target)]
            : patchNow(id("remove"), address, next, target)),
          set(id("forget"), "kprobe_table", [], "hlist_del_rcu"),
        ];
      };
      return {
        main: [lock("lock", "kprobe_mutex"), ...sites.flatMap(each), unlock("unlock", "kprobe_mutex")],
        traps: { und: probeHandler(target.mode) },
        words: { kprobe_table: [] },
      };
    },
  }),
);
