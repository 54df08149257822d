import {
  add,
  eq,
  type FlipSite,
  type Line,
  local,
  lock,
  type PatchStrategy,
  type PlanContext,
  set,
  siteStep,
  stopMachine as stopAll,
  storePromises,
  syncCore,
  unlock,
  until,
  when,
} from "@cmodx/core";
import { oneOf, optional, withOptions } from "@cmodx/core/schema";
import { patchNosync } from "./text-patching.js";

/** Variants of {@link stopMachine}. */
export type StopMachineOptions = {
  /** Which of the CPUs that enter the callback patches: the last, or until 31a099dbd91e (2022) the first. */
  readonly master?: "last" | "first";
  /**
   * How the master says that it is done: one more increment of the count of CPUs that entered, or until 899d5933b2dd (2014) by setting
   * the count to -1.
   */
  readonly signal?: "increment" | "minus-one";
};

/** What every stopped CPU does: the master patches and whatever `patched` holds, the others wait and synchronise. */
export const stoppedPatching = (
  sites: readonly FlipSite[],
  context: PlanContext,
  { master = "last", signal = "increment" }: StopMachineOptions = {},
  patched: readonly Line[] = [],
): readonly Line[] => {
  const { cpus } = context;
  const done = signal === "increment" ? cpus + 1 : -1;
  return [
    add("count-in", "cpu_count", 1, "entered", "atomic_inc_return: how many CPUs have come"),
    when(
      "is-master",
      eq(local("entered"), master === "last" ? cpus : 1),
      [
        ...sites.flatMap((site, i) =>
          patchNosync(siteStep("write", i, sites.length), site.address, site.next, context),
        ),
        ...patched,
        signal === "increment"
          ? add("count-done", "cpu_count", 1, undefined, "one more than there are CPUs: done")
          : set("count-done", "cpu_count", -1, "atomic_set: done"),
      ],
      [until("wait-done", "cpu_count", done), syncCore("isb-others", "each of the others, before it goes on")],
    ),
  ];
};

/** Sets the count of CPUs up and stops them all. */
export const stopped = (lines: readonly Line[]): readonly Line[] => [
  set("count-zero", "cpu_count", 0, "on the caller's stack"),
  stopAll("stop", { run: lines, everywhere: true }, "on every CPU"),
];

/**
 * `aarch64_insn_patch_text`: all CPUs are stopped; the last to arrive patches, the others wait until it counted on, and synchronise.
 */
export const stopMachine = withOptions(
  "stopMachine",
  {
    master: optional(oneOf({ last: true, first: true })),
    signal: optional(oneOf({ increment: true, "minus-one": true })),
  },
  (options: StopMachineOptions): PatchStrategy => {
    const { master = "last", signal = "increment" } = options;
    const suffix = master === "last" ? "" : signal === "increment" ? "-first" : "-first-set";
    const by = master === "last" ? "the last CPU to arrive" : "the first CPU to arrive";
    const how = signal === "increment" ? "" : ", and sets their count to say that it is done";
    return {
      id: `stop-machine${suffix}`,
      summary: `all CPUs are stopped; ${by} patches${how}, the others wait and synchronise`,
      source: "aarch64_insn_patch_text and aarch64_insn_patch_text_cb, arch/arm64/kernel/patching.c, 7.3",
      architectures: ["arm64"],
      defaultSite: "nop:b",
      promises: storePromises,
      plan: ({ sites }, context) => ({
        main: [
          lock("lock", "text_mutex"),
          ...stopped(stoppedPatching(sites, context, { master, signal })),
          unlock("unlock", "text_mutex"),
        ],
        words: { cpu_count: 0 },
      }),
    };
  },
);
