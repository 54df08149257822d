import { lock, type PatchStrategy, siteStep, storePromises, unlock } from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { patchNow, patchText, type Secondaries, straddlesWord } from "./patch-text.js";
import { targetOf, wrongState } from "./target.js";

const stopEach = (id: string, summary: string, secondaries: Secondaries): PatchStrategy => ({
  id,
  summary,
  source: "patch_text, arch/arm/kernel/patch.c; arch_jump_label_transform, arch/arm/kernel/jump_label.c, 7.3",
  architectures: ["armv7"],
  defaultSite: "nop:b",
  promises: storePromises,
  plan({ sites }, context) {
    const target = targetOf(context);
    return (
      wrongState(context) ?? {
        main: [
          lock("lock", "text_mutex"),
          ...sites.flatMap(({ address, next }, i) =>
            patchText(siteStep("patch", i, sites.length), address, next, target, secondaries),
          ),
          unlock("unlock", "text_mutex"),
        ],
      }
    );
  },
});

/** `patch_text` with an ISB on every CPU: stop_machine once for each site, in which the first online CPU patches. */
export const stopMachine = withoutOptions(
  "stopMachine",
  (): PatchStrategy =>
    stopEach(
      "stop-machine",
      "stop_machine once for each site, the first online CPU patches; each other executes an ISB before it goes on",
      "isb",
    ),
);

/** `patch_text` as it is: the CPUs that do not patch leave `multi_cpu_stop` without an ISB. */
export const stopMachineLinux = withoutOptions(
  "stopMachineLinux",
  (): PatchStrategy =>
    stopEach(
      "stop-machine-linux",
      "stop_machine once for each site, the first online CPU patches; the others go on as multi_cpu_stop leaves them",
      "as-linux",
    ),
);

/**
 * `patch_text` of 2012, where cache maintenance reaches all CPUs: stop_machine for a 32-bit Thumb instruction that straddles words, out of
 * which the others go without an ISB, and `__patch_text` for all others.
 */
export const patchTextOf2012 = withoutOptions(
  "patchTextOf2012",
  (): PatchStrategy => ({
    id: "patch-text-2012",
    summary:
      "patch_text of 2012: stop_machine, as Linux has it, for a 32-bit Thumb instruction that straddles words, else nosync",
    source:
      "patch_text, arch/arm/kernel/patch.c, 3.7, where cache_ops_need_broadcast() is false; linux-arm-kernel 2012-12",
    architectures: ["armv7"],
    defaultSite: "nop:b",
    promises: storePromises.filter((id) => id !== "done"),
    plan({ sites }, context) {
      const target = targetOf(context);
      return (
        wrongState(context) ?? {
          main: [
            lock("lock", "text_mutex"),
            ...sites.flatMap(({ address, next }, i) => {
              const id = siteStep("patch", i, sites.length);
              return straddlesWord(address, next, target)
                ? patchText(id, address, next, target, "as-linux")
                : patchNow(id, address, next, target);
            }),
            unlock("unlock", "text_mutex"),
          ],
        }
      );
    },
  }),
);
