import { lock, type PatchStrategy, siteStep, storePromises, unlock } from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { patchNow } from "./patch-text.js";
import { targetOf, wrongState } from "./target.js";

/** `__patch_text`: writes each instruction and maintains the caches. No other CPU is told. */
export const nosync = withoutOptions(
  "nosync",
  (): PatchStrategy => ({
    id: "nosync",
    summary: "each instruction is stored and the caches maintained; the other CPUs are not told",
    source: "__patch_text_real, arch/arm/kernel/patch.c, 7.3; Arm ARM DDI 0406C, A3.5.4",
    architectures: ["armv7"],
    defaultSite: "nop:b",
    promises: storePromises.filter((id) => id !== "done"),
    plan({ sites }, context) {
      const target = targetOf(context);
      return (
        wrongState(context) ?? {
          main: [
            lock("lock", "text_mutex"),
            ...sites.flatMap(({ address, next }, i) =>
              patchNow(siteStep("patch", i, sites.length), address, next, target),
            ),
            unlock("unlock", "text_mutex"),
          ],
        }
      );
    },
  }),
);
