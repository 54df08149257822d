import { enterWindow, type Line, leaveWindow, lock, type Scenario, unlock } from "@cmodx/core";
import { flushIcacheAll, patchInsnWrite } from "@cmodx/riscv";
import type { GalleryEntry } from "../entry.js";
import { AT, LABEL, likeNosync, ziccif } from "./common.js";

const throughFixmap = (locks: boolean) =>
  likeNosync({
    id: locks ? "fixmap-locked" : "fixmap",
    summary: "writes through the mapping FIX_TEXT_POKE0, which there is one of",
    source: "__patch_insn_write, arch/riscv/kernel/patch.c, 6.16",
    plan: ({ sites }) => ({
      main: [
        ...(locks ? [lock("lock", "text_mutex")] : []),
        ...sites.flatMap((site): readonly Line[] => [
          enterWindow("map", "FIX_TEXT_POKE0"),
          ...patchInsnWrite("write", site.address, site.next),
          leaveWindow("unmap", "FIX_TEXT_POKE0"),
        ]),
        ...flushIcacheAll("flush", "all harts now fetch the new instruction"),
        ...(locks ? [unlock("unlock", "text_mutex")] : []),
      ],
    }),
  });

const twoPatchers = (name: string, locks: boolean): Scenario => ({
  name,
  sites: [0n, 16n].map((offset) => ({ address: AT + offset, ...LABEL })),
  patchers: [0, 1].map((site) => ({ strategy: throughFixmap(locks), sites: [site], flips: 1 })),
  executors: [{ count: 1 }],
  cpus: 3,
});

/** Item 26. */
export const textMutex: GalleryEntry = {
  id: "26",
  title: "The new tracing path does not take text_mutex",
  source: "Linux e3f16d63d54e",
  bug: "Code is written through a mapping of its own, and there is one such mapping. The tracer's new path did not take the lock that everybody else takes: two patchers map different pages there, and one writes into the page of the other.",
  fix: "The path takes text_mutex.",
  architecture: ziccif,
  wrong: twoPatchers("two patchers, neither takes the lock", false),
  property: "exclusive",
  fixed: twoPatchers("two patchers, both take the lock", true),
};
