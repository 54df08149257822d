import { lock, type PatchStrategy, siteStep, storePromises, unlock } from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { kickAllCpus, lazyPromises, patchNosync } from "./text-patching.js";

/** One store for each instruction, with cache maintenance, and no word to the other CPUs: what BPF's text poke does. */
export const nosync = withoutOptions(
  "nosync",
  (): PatchStrategy => ({
    id: "nosync",
    summary: "one store with cache maintenance; other CPUs may run the old instruction as long as they like",
    source: "aarch64_insn_patch_text_nosync, arch/arm64/kernel/patching.c, 7.3",
    architectures: ["arm64"],
    defaultSite: "nop:b",
    promises: lazyPromises,
    plan: ({ sites }, context) => ({
      main: [
        lock("lock", "text_mutex"),
        ...sites.flatMap((site, i) =>
          patchNosync(siteStep("write", i, sites.length), site.address, site.next, context),
        ),
        unlock("unlock", "text_mutex"),
      ],
    }),
  }),
);

/** Jump labels: each site as {@link nosync} does it, then one interrupt to all CPUs. */
export const nosyncIpi = withoutOptions(
  "nosyncIpi",
  (): PatchStrategy => ({
    id: "nosync-ipi",
    summary: "jump labels: one store for each site with cache maintenance, then an interrupt to all CPUs",
    source: "arch_jump_label_transform_queue and _apply, arch/arm64/kernel/jump_label.c, 7.3",
    architectures: ["arm64"],
    defaultSite: "nop:b",
    promises: storePromises,
    plan: ({ sites }, context) => ({
      main: [
        lock("lock", "jump_label_mutex"),
        ...sites.flatMap((site, i) =>
          patchNosync(siteStep("write", i, sites.length), site.address, site.next, context),
        ),
        ...kickAllCpus("kick", "all CPUs now fetch the new instruction"),
        unlock("unlock", "jump_label_mutex"),
      ],
    }),
  }),
);
