import { brkEmulate, brkEmulateSynced, kickAllCpus, nosyncIpi, patchNosync } from "@cmodx/arm64";
import { lock, type PatchStrategy, publishEvent, type Scenario, unlock } from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import { AT, label, oneFlip, only, weakest } from "./common.js";

const SOURCE = "the threads on text-poke events, LKML, autumn of 2019; Linux e17d43b93e54 (2020)";

/** The five moments of the thread: before, the write, an execution elsewhere, the synchronisation, after. */
const betweenEvents: PatchStrategy = {
  ...nosyncIpi(),
  id: "nosync-between-events",
  summary: "a jump label's patching, a text-poke event before it and one after all CPUs synchronised",
  source: SOURCE,
  promises: [...nosyncIpi().promises, "trace"],
  plan({ sites }, context) {
    const site = only(sites);
    return {
      main: [
        lock("lock", "jump_label_mutex"),
        publishEvent("T1-event", site, { begins: true, note: "from here on old or new" }),
        ...patchNosync(
          "T2-write",
          site.address,
          site.next,
          context,
          "T3 is another CPU's: it executes the instruction",
        ),
        ...kickAllCpus("T4-sync", "all CPUs now fetch the new instruction"),
        publishEvent("T5-event", site, { note: "from here on new" }),
        unlock("unlock", "jump_label_mutex"),
      ],
    };
  },
};

/** What nobody can tell of a jump label. */
export const betweenTwoEvents: GalleryEntry = {
  id: "2019",
  title: "A trace decoder cannot tell which jump label a CPU ran",
  source: SOURCE,
  bug: "T1: an event says that a jump label is about to change. T2: one CPU writes it. T3: another CPU runs it. T4: all CPUs synchronise. T5: an event says that it has changed. Neither a no-operation nor a branch to a fixed place leaves anything in a trace: what ran at T3, the old instruction or the new one, nobody can tell, however many events there are.",
  fix: "A breakpoint is put there first, and all CPUs synchronise; then the one event is published while whoever comes takes an exception, which a trace shows. Before the event the old instruction or the breakpoint ran, after it the new one or the breakpoint.",
  architecture: weakest,
  wrong: oneFlip("events around the change", betweenEvents, label),
  property: "trace",
  fixed: oneFlip("an event while all CPUs fetch a breakpoint", brkEmulateSynced(), label),
};

/** What the breakpoint as proposed leaves open. */
export const unsynchronisedBreakpoint: GalleryEntry = {
  id: "2019-brk",
  title: "The breakpoint is there, but not every CPU fetches it yet",
  source: SOURCE,
  bug: "As proposed for arm64, a BRK is written with cache maintenance alone, and the event follows at once. Another CPU, which fetched the old instruction before, runs it after the event that says it is gone.",
  fix: "All CPUs synchronise between the breakpoint and the event.",
  architecture: weakest,
  wrong: oneFlip("the event follows the BRK", brkEmulate(), label),
  property: "trace",
  fixed: oneFlip("the event follows a synchronisation", brkEmulateSynced(), label),
};

const two = (name: string, strategy: PatchStrategy): Scenario => ({
  name,
  sites: [AT, AT + 16n].map((address) => ({ address, ...label })),
  patchers: [{ strategy, sites: [0, 1], flips: 1 }],
  cpus: 2,
  // Nobody listens here.
  ignore: ["trace"],
});

/** What the one global address of the proposal does with two sites. */
export const oneAddress: GalleryEntry = {
  id: "2019-addr",
  title: "The breakpoint's handler has moved on to the next site",
  source: SOURCE,
  bug: "The handler compares the trap's address with one global address, and no CPU is synchronised before that is set to the next site of the key. A CPU that still fetches the BRK of the site before traps, and nobody claims the trap.",
  fix: "Every site has its entry in a table that stays until all CPUs have synchronised.",
  architecture: weakest,
  wrong: two("one address for two sites", brkEmulate()),
  property: "trap-owned",
  fixed: two("a table of both sites", brkEmulateSynced()),
};
