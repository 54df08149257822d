import {
  type Bytes,
  claim,
  emulateAll,
  type FlipSite,
  fence,
  type Line,
  local,
  lock,
  lookup,
  ne,
  type PatchStrategy,
  set,
  siteStep,
  store,
  toHex,
  trapPromises,
  unlock,
  waitRcu,
  waitRcuTasks,
  when,
} from "@cmodx/core";
import { flag, oneOf, optional, withOptions } from "@cmodx/core/schema";
import { refusePair } from "./decoded.js";
import { fenceIMap, fencesNowPredicate, sbiRemoteFenceIRule } from "./operations.js";
import { flushIcacheAll, patchInsnWrite, type RemoteFence } from "./text-patching.js";

/** Variants of {@link breakpointPasses}. */
export type BreakpointPassesOptions = {
  /** RCU-tasks between the passes: nobody stands between the two instructions. Default true. */
  readonly waitForTasks?: boolean;
  /**
   * Where the breakpoint is `c.ebreak`: `misaligned`, where `ebreak` would span an aligned word (default), or `always`.
   */
  readonly compressed?: "misaligned" | "always";
  /** How the other harts are reached. The firmware does not wait for handlers, so a grace period does. Default `ipi`. */
  readonly by?: RemoteFence;
};

const EBREAK: Bytes = [0x73, 0x00, 0x10, 0x00];
const C_EBREAK: Bytes = [0x02, 0x90];

/** The handler: whoever traps at the first instruction gets the effect of both old ones. */
const handler: readonly Line[] = [
  lookup("handler-find", "pair_table", "entry", "by address"),
  when("handler-ours", ne(local("entry"), null), [
    emulateAll("handler-emulate", local("entry"), "both old instructions"),
    claim("handler-claim"),
  ]),
];

/**
 * Two instructions are swapped in passes: a breakpoint over the first; when every task has left the pair, the second under its cover;
 * then the first.
 */
export const breakpointPasses = withOptions(
  "breakpointPasses",
  {
    waitForTasks: optional(flag),
    compressed: optional(oneOf({ misaligned: true, always: true })),
    by: optional(oneOf({ ipi: true, sbi: true })),
  },
  (options: BreakpointPassesOptions): PatchStrategy => {
    const { waitForTasks = true, compressed = "misaligned", by = "ipi" } = options;

    const patch = (site: FlipSite, id: (name: string) => string): readonly Line[] => {
      const { address, old, next } = site;
      const breakpoint = compressed === "always" || address % 4n !== 0n ? C_EBREAK : EBREAK;
      const rest = next.slice(breakpoint.length, 4);
      return [
        set(id("fill-table"), "pair_table", [{ address, bytes: toHex(old) }], "the handler stands for both"),
        fence(id("wmb-table"), "w,w", "the table before the breakpoint"),
        ...patchInsnWrite(id("write-ebreak"), address, breakpoint, "nobody enters the pair any more"),
        ...flushIcacheAll(id("flush-1"), "all harts now fetch the breakpoint", { by }),
        ...(waitForTasks ? [waitRcuTasks(id("wait-tasks"), "nobody stands between the two")] : []),
        ...(rest.length === 0
          ? []
          : [store(id("write-rest"), address + BigInt(breakpoint.length), rest, { width: 2 })]),
        ...patchInsnWrite(id("write-second"), address + 4n, next.slice(4), "under the cover of the breakpoint"),
        ...flushIcacheAll(id("flush-2"), "all harts would now fetch the new second", { by }),
        ...patchInsnWrite(id("write-first"), address, next.slice(0, breakpoint.length), "replaces the breakpoint"),
        ...flushIcacheAll(id("flush-3"), "all harts now fetch the new pair", { by }),
        ...(by === "sbi" ? [waitRcu(id("wait-handlers"), "handlers that still stand for the old pair")] : []),
        set(id("clear-table"), "pair_table", []),
      ];
    };

    return {
      id: "breakpoint-passes",
      summary: "two instructions in passes through a breakpoint, with RCU-tasks between the passes",
      source: "named as a way out in the thread on CALL_OPS for riscv, linux-riscv 2024",
      architectures: ["riscv"],
      defaultSite: "nop+nop:call t0, .+0x1234640",
      promises: trapPromises,
      rules: [sbiRemoteFenceIRule],
      maps: [fenceIMap],
      predicates: [fencesNowPredicate],
      plan: ({ sites }) =>
        sites.map(refusePair).find((refused) => refused !== undefined) ?? {
          main: [
            lock("lock", "text_mutex"),
            ...sites.flatMap((site, i) => patch(site, (name) => siteStep(name, i, sites.length))),
            unlock("unlock", "text_mutex"),
          ],
          traps: { ebreak: handler },
          words: { pair_table: [] },
        },
    };
  },
);
