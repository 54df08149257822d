import { add, eq, type Line, load, local, lock, lt, type Scenario, set, unlock, when } from "@cmodx/core";
import { flushIcacheAll, patchInsnWrite } from "@cmodx/riscv";
import type { GalleryEntry } from "../entry.js";
import { AT, LABEL, likeNosync, ziccif } from "./common.js";

const ENABLED = "key->enabled";

/** `static_key_slow_inc`. `inProgress`: the count is -1 while the code is being changed, and says so to others when it is. */
const staticKey = (inProgress: boolean) =>
  likeNosync({
    id: inProgress ? "static-key" : "static-key-early-count",
    summary: "a static key that several enable: the first patches, the others count",
    source: "static_key_slow_inc_cpuslocked, kernel/jump_label.c, before and since 4c5ea0a9cd02",
    plan({ sites }) {
      const patch: readonly Line[] = [
        ...sites.flatMap((site) => patchInsnWrite("write", site.address, site.next)),
        ...flushIcacheAll("flush", "all harts now fetch the new instruction"),
      ];
      return {
        main: [
          load("look", ENABLED, "seen"),
          when(
            "enabled-already",
            lt(0, local("seen")),
            [add("count", ENABLED, 1, undefined, "it is enabled: nothing to do")],
            [
              lock("lock", "jump_label_mutex"),
              load("look-again", ENABLED, "now"),
              when(
                "first",
                eq(local("now"), 0),
                inProgress
                  ? [set("in-progress", ENABLED, -1), ...patch, set("enable", ENABLED, 1)]
                  : [set("enable", ENABLED, 1), ...patch],
                [add("count-locked", ENABLED, 1)],
              ),
              unlock("unlock", "jump_label_mutex"),
            ],
          ),
        ],
        words: { [ENABLED]: 0 },
      };
    },
  });

const twoEnable = (name: string, inProgress: boolean): Scenario => ({
  name,
  sites: [{ address: AT, ...LABEL }],
  patchers: [0, 1].map(() => ({ strategy: staticKey(inProgress), sites: [0], flips: 1 })),
  executors: [{ count: 1 }],
  cpus: 3,
});

/** Item 34. */
export const secondEnable: GalleryEntry = {
  id: "34",
  title: "A second enabler returns before the code is patched",
  source: "Linux 1dbb6704de91 and 4c5ea0a9cd02",
  bug: "Whoever enables a static key counts, and the first patches. Who comes second sees a count that is not 0, counts itself and returns, and what it then calls relies on code that the first has not written yet.",
  fix: "The count is -1 while the first patches. Who sees that waits for the lock.",
  architecture: ziccif,
  wrong: twoEnable("the count says enabled before the code does", false),
  property: "done",
  fixed: twoEnable("the count says that it is in progress", true),
};
