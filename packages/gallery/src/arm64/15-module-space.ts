import { cleanAndInvalidate, kickAllCpus, nosyncIpi } from "@cmodx/arm64";
import { lock, type PatchStrategy, store, storeData, unlock, waitRcuTasks } from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import { AT, hex, oneFlip, only, quad, weakest } from "./common.js";

/** Where the pointer lies through which the module is called, and the code that calls it. */
const POINTER = AT + 0x800n;
const CALLER = AT + 0x200n;

const load = (kicks: boolean): PatchStrategy => ({
  ...nosyncIpi(),
  id: kicks ? "module-load-kicks" : "module-load",
  summary: "a module's code is written where another one's was, and called through a pointer",
  source: "flush_icache_range, arch/arm64/include/asm/cacheflush.h, before 3b8c9f1cdfc5",
  plan({ sites }, context) {
    const { address, next } = only(sites);
    return {
      main: [
        lock("lock", "module_mutex"),
        storeData("unpublish", POINTER, quad(0n), { note: "nobody finds the old module any more" }),
        waitRcuTasks("wait-users", "nobody is in it any more"),
        store("copy", address, next, { width: 4, note: "the new module's code in the same place" }),
        ...cleanAndInvalidate("flush", address, context),
        ...(kicks ? kickAllCpus("kick-all", "kick_all_cpus_sync at the end of flush_icache_range") : []),
        storeData("publish", POINTER, quad(address), { note: "the new module can be called" }),
        unlock("unlock", "module_mutex"),
      ],
      around: {
        blocks: [{ address: CALLER, code: `ldr x16, ${hex(POINTER)}+cbz x16, ${hex(CALLER + 12n)}+br x16+ret` }],
        data: [{ address: POINTER, bytes: quad(AT) }],
        entries: [CALLER],
      },
    };
  },
});

const module = { old: "b .+0x40", new: "b .+0x80" };

/** Item 15. */
export const moduleSpace: GalleryEntry = {
  id: "15",
  title: "A new module is loaded where the CPU has fetched the old one",
  source: "Linux 3b8c9f1cdfc5",
  bug: "A module is unloaded and another one loaded at the same place. flush_icache_range cleans and invalidates the caches everywhere, but what another CPU has fetched already stays with it; it calls the new module and runs instructions of the old one.",
  fix: "The function flush_icache_range interrupts all CPUs at its end: taking the interrupt synchronises their context.",
  architecture: weakest,
  wrong: oneFlip("the caches are flushed", load(false), module),
  property: "done",
  fixed: oneFlip("the caches are flushed and all CPUs kicked", load(true), module),
};
