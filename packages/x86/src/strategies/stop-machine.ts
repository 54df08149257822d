import {
  type Line,
  lock,
  type PatchStrategy,
  stopMachine as stopAll,
  store,
  storePromises,
  syncCore,
  unlock,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";

const patchStopped = (id: string, summary: string, source: string, secondaries: readonly Line[]): PatchStrategy => ({
  id,
  summary,
  source,
  architectures: ["x86"],
  defaultSite: "nop5:call .+0x123456c",
  promises: storePromises,
  plan: ({ sites }) => ({
    main: [
      lock("lock", "text_mutex"),
      stopAll("stop", {
        run: [
          ...sites.map((site, i) =>
            store(sites.length === 1 ? "write" : `write.${i}`, site.address, site.next, {
              width: 8,
              note: "every task is stopped",
            }),
          ),
          syncCore("sync-writer", "the CPU that wrote"),
        ],
        secondaries,
      }),
      unlock("unlock", "text_mutex"),
    ],
  }),
});

/** Stops every CPU, writes, and has each of them synchronise before it goes on: `text_poke_smp` since 0e00f7aed6af. */
export const stopMachine = withoutOptions(
  "stopMachine",
  (): PatchStrategy =>
    patchStopped(
      "stop-machine",
      "all CPUs are stopped while one writes; each synchronises before it goes on",
      "stop_machine_text_poke, arch/x86/kernel/alternative.c, since 0e00f7aed6af, 'stop_machine_text_poke() should issue sync_core()' (2011)",
      [syncCore("sync-secondaries", "before a stopped CPU goes on")],
    ),
);

/** Stops every CPU and writes; the others leave as `multi_cpu_stop` leaves, without a synchronisation of their own. */
export const stopMachineLinux = withoutOptions(
  "stopMachineLinux",
  (): PatchStrategy =>
    patchStopped(
      "stop-machine-linux",
      "all CPUs are stopped while one writes; the others go on without synchronising, as multi_cpu_stop does",
      "stop_machine(fn, data, NULL), multi_cpu_stop, kernel/stop_machine.c, 7.3",
      [],
    ),
);
