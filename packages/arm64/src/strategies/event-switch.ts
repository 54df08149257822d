import {
  eq,
  load,
  local,
  lock,
  type PatchStrategy,
  publishEvent,
  siteStep,
  storePromises,
  unlock,
  when,
} from "@cmodx/core";
import { flag, optional, withOptions } from "@cmodx/core/schema";
import { stopped, stoppedPatching } from "./stop-machine.js";
import { kickAllCpus, patchNosync } from "./text-patching.js";

/** Variants of {@link eventSwitch}. */
export type EventSwitchOptions = {
  /** Somebody listens to text-poke events. Default true. */
  readonly events?: boolean;
};

/** Stops the machine while somebody listens to text-poke events, and patches as jump labels do while nobody does. */
export const eventSwitch = withOptions(
  "eventSwitch",
  { events: optional(flag) },
  ({ events = true }: EventSwitchOptions): PatchStrategy => ({
    id: "event-switch",
    summary: "stop_machine around the change and its text-poke event while events are on, else store and interrupt",
    source: "the threads on text-poke events, LKML, autumn of 2019; it never landed",
    architectures: ["arm64"],
    defaultSite: "nop:b",
    promises: events ? [...storePromises, "trace"] : storePromises,
    plan({ sites }, context) {
      const id = (name: string, i: number): string => siteStep(name, i, sites.length);
      const published = events ? sites.map((site, i) => publishEvent(id("event", i), site)) : [];
      return {
        main: [
          lock("lock", "jump_label_mutex"),
          load("load-events", "text_poke_events", "events", "does anybody listen?"),
          when("listens", eq(local("events"), true), stopped(stoppedPatching(sites, context, {}, published)), [
            ...sites.flatMap((site, i) => patchNosync(id("poke", i), site.address, site.next, context)),
            ...kickAllCpus("kick", "all CPUs now fetch the new instruction"),
          ]),
          unlock("unlock", "jump_label_mutex"),
        ],
        words: { text_poke_events: events, cpu_count: 0 },
      };
    },
  }),
);
