import {
  maskIrq,
  type PatchStrategy,
  restartNmi,
  siteStep,
  stopNmi,
  store,
  storePromises,
  syncCore,
  unmaskIrq,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";

/**
 * Alternatives at boot: no protocol, since nobody else runs. It is made for one CPU, or for one whose peers are not yet up; interrupts
 * and NMIs of its own it holds off.
 */
export const alternatives = withoutOptions(
  "alternatives",
  (): PatchStrategy => ({
    id: "alternatives",
    summary: "at boot, on the only CPU that is up: NMIs stopped, interrupts off, write, synchronise",
    source: "alternative_instructions, apply_alternatives and text_poke_early, arch/x86/kernel/alternative.c, 7.3",
    architectures: ["x86"],
    defaultSite: "call .+0x123456c:xor eax, eax+nop3",
    promises: storePromises,
    plan: ({ sites }) => ({
      main: [
        stopNmi("stop-nmi"),
        ...sites.flatMap((site, i) => {
          const id = (name: string): string => siteStep(name, i, sites.length);
          return [
            maskIrq(id("irq-off")),
            store(id("write"), site.address, site.next),
            syncCore(id("sync"), "text_poke_early ends with a sync_core"),
            unmaskIrq(id("irq-on")),
          ];
        }),
        restartNmi("restart-nmi"),
      ],
    }),
  }),
);
