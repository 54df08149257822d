import {
  type FlipSite,
  hexAddress,
  type Impossible,
  type Line,
  lock,
  type PatchStrategy,
  set,
  siteStep,
  toHex,
  trapPromises,
  unlock,
} from "@cmodx/core";
import { oneOf, optional, withOptions } from "@cmodx/core/schema";
import { firstRefusal, only } from "./decoded.js";
import { readInstructionRule } from "./operations.js";
import type { Secondaries } from "./patch-text.js";
import { arm, remove } from "./probe.js";
import { probeHandler } from "./probe-handler.js";
import { type Target, targetOf, wrongState } from "./target.js";

/** Variants of {@link optprobe}. */
export type OptprobeOptions = {
  /** What stopped CPUs do when a probe was put; default `isb`. */
  readonly secondaries?: Secondaries;
};

const isDetour = ({ old }: Pick<FlipSite, "old">, { mode }: Target): boolean => only(old, mode)?.op === "b";

const refuse = (site: FlipSite, target: Target): Impossible | undefined => {
  const at = hexAddress(site.address);
  if (target.mode !== "a32") return { impossible: `the code at ${at} is Thumb; probes are optimised in A32 alone.` };
  const [old, next] = [only(site.old, target.mode), only(site.next, target.mode)];
  if (old === undefined || next === undefined || (old.op === "b") === (next.op === "b"))
    return {
      impossible: `one of the two instructions at ${at} has to be the branch to the detour, and the other none.`,
    };
  if (old.condition !== next.condition)
    return { impossible: `the branch at ${at} has another condition than the instruction that is probed.` };
  return undefined;
};

/**
 * An optimised kprobe: where a probe stands, a branch of the same condition to a detour buffer within 32 MiB takes its place. On the way
 * back the probe takes the place of the branch, and is then removed.
 */
export const optprobe = withOptions(
  "optprobe",
  { secondaries: optional(oneOf({ isb: true, "as-linux": true })) },
  ({ secondaries = "isb" }: OptprobeOptions): PatchStrategy => ({
    id: "optprobe",
    summary: "an optimised kprobe: a branch of the same condition takes the place of the probe, under stop_machine",
    source: "arch_optimize_kprobes and arch_unoptimize_kprobe, arch/arm/probes/kprobes/opt-arm.c, 7.3",
    architectures: ["armv7"],
    defaultSite: { armv7: "mov r0, r1:b .+0x4848", "armv7 t32": "mov r0, r1:b" },
    promises: trapPromises,
    rules: [readInstructionRule],
    plan({ sites }, context) {
      const target = targetOf(context);
      const refusal = wrongState(context) ?? firstRefusal(sites, (site) => refuse(site, target));
      if (refusal !== undefined) return refusal;
      const each = (site: FlipSite, i: number): readonly Line[] => {
        const id = (name: string): string => siteStep(name, i, sites.length);
        const probed = isDetour(site, target) ? site.next : site.old;
        return [
          set(id("register"), "kprobe_table", [{ address: site.address, bytes: toHex(probed) }]),
          ...arm(id("arm"), site, target, secondaries),
          remove(id("replace"), site.address, site.next, target),
          set(id("forget"), "kprobe_table", []),
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
