import {
  type Bytes,
  eq,
  type FlipSite,
  type Line,
  load,
  local,
  lock,
  type PatchStrategy,
  restartNmi,
  set,
  siteStep,
  stopMachine,
  stopNmi,
  store,
  storePromises,
  syncCore,
  toHex,
  unlock,
  when,
} from "@cmodx/core";
import { flag, oneOf, optional, withOptions } from "@cmodx/core/schema";
import { noNmiPredicate, waitNmis, waitNmisRule } from "./operations.js";

/** What else was thought of against NMIs while the machine is stopped. */
export type NmiRedoOf2008Options = {
  /**
   * The patcher waits until no NMI handler runs, before it writes and after it cleared the flag: `after-flag` sets the flag first and
   * waits then (17666f02b118), `with-flag` sets it in the very moment in which none runs (wait_for_nmi_and_set_mod_flag of later
   * kernels). By default it does not wait.
   */
  readonly waitForNmis?: "after-flag" | "with-flag";
  /** An NMI handler synchronises its CPU when it has looked at the flag, and written if it had to. Default false. */
  readonly syncInNmi?: boolean;
  /** No redo buffer: NMIs are off while the machine is stopped. Default false. */
  readonly disableNmi?: boolean;
};

/** What a redo buffer can hold: the address and the bytes that are being written there. */
type Buffer = { readonly address: bigint; readonly bytes: string };

const buffer = (site: FlipSite, bytes: Bytes): Buffer => ({ address: site.address, bytes: toHex(bytes) });

/** The start of every NMI handler: while code is being written, write it as well. Both directions, so that all flips share it. */
const redo = (sites: readonly FlipSite[], syncInNmi: boolean): readonly Line[] => [
  load("nmi-check", "mod_code_write", "writing", "is code being written?"),
  when("nmi-redo", eq(local("writing"), true), [
    load("nmi-buffer", "mod_code", "code"),
    ...sites.flatMap((site, i) =>
      [site.old, site.next]
        .sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
        .map((bytes, k): Line => {
          const id = siteStep(`nmi-write-${k}`, i, sites.length);
          return when(`${id}-this`, eq(local("code"), buffer(site, bytes)), [
            store(id, site.address, bytes, { note: "the same bytes once more" }),
          ]);
        }),
    ),
  ]),
  ...(syncInNmi ? [syncCore("nmi-sync", "this CPU now fetches what was written before")] : []),
];

/**
 * Code is written while the machine is stopped; an NMI handler that finds code being written writes the same bytes itself before it
 * goes on. A handler that looked before the flag was set goes on without.
 */
export const nmiRedoOf2008 = withOptions(
  "nmiRedoOf2008",
  {
    waitForNmis: optional(oneOf({ "after-flag": true, "with-flag": true })),
    syncInNmi: optional(flag),
    disableNmi: optional(flag),
  },
  (options: NmiRedoOf2008Options): PatchStrategy => {
    const { waitForNmis, syncInNmi = false, disableNmi = false } = options;
    return {
      id: "nmi-redo-2008",
      summary: "under stop_machine, and an NMI handler that finds code being written writes the same bytes itself",
      source:
        "LKML 2008, the redo buffer without a wait; 17666f02b118, 'ftrace: nmi safe code modification' (S. Rostedt), also waits for NMIs",
      architectures: ["x86"],
      defaultSite: "nop5:call .+0x123456c",
      promises: storePromises,
      rules: [waitNmisRule],
      predicates: [noNmiPredicate],
      plan({ sites }) {
        const raiseFlag = (id: (name: string) => string): readonly Line[] => {
          const note = "from here on NMI handlers write as well";
          const flag = { word: "mod_code_write", value: true };
          if (waitForNmis === "with-flag") return [waitNmis(id("set-flag"), flag, note)];
          const raised = set(id("set-flag"), flag.word, flag.value, note);
          if (waitForNmis === undefined) return [raised];
          return [raised, waitNmis(id("wait-before"), undefined, "handlers that looked before the flag was set")];
        };
        const write = (site: FlipSite, i: number): readonly Line[] => {
          const id = (name: string): string => siteStep(name, i, sites.length);
          const stored = store(id("write"), site.address, site.next, { note: "every task is stopped" });
          if (disableNmi) return [stored];
          return [
            set(id("fill-buffer"), "mod_code", buffer(site, site.next), "address and new instruction"),
            ...raiseFlag(id),
            stored,
            set(id("clear-flag"), "mod_code_write", false),
            ...(waitForNmis === undefined ? [] : [waitNmis(id("wait-after"), undefined, "handlers that still write")]),
          ];
        };
        const stop = stopMachine("stop", {
          run: [...sites.flatMap(write), syncCore("sync-writer", "the CPU that wrote")],
          secondaries: [syncCore("sync-secondaries", "before a stopped CPU goes on")],
        });
        return {
          main: [
            lock("lock", "text_mutex"),
            ...(disableNmi ? [stopNmi("stop-nmi"), stop, restartNmi("restart-nmi")] : [stop]),
            unlock("unlock", "text_mutex"),
          ],
          ...(disableNmi
            ? {}
            : { traps: { nmi: redo(sites, syncInNmi) }, words: { mod_code: null, mod_code_write: false } }),
        };
      },
    };
  },
);
