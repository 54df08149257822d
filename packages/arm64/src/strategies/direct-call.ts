import {
  hexAddress,
  type Impossible,
  lock,
  type PatchProgram,
  type PatchStrategy,
  quadOf,
  storeData,
  unlock,
} from "@cmodx/core";
import { distance, flag, optional, whole, withOptions } from "@cmodx/core/schema";
import { callsOf, directTrampoline, literalOf, opsAt, pairsOf, tracing } from "./ftrace.js";
import { lazyPromises, patchNosync } from "./text-patching.js";

/** Bytes that a BL reaches in either direction. */
const REACH = 0x800_0000n;

/** Whether a BL reaches something at this distance in bytes. */
export const reachesByBl = (distance: bigint): boolean => distance >= -REACH && distance < REACH;

/** Variants of {@link directCall}. */
export type DirectCallOptions = {
  /** Distance in bytes from the site to the trampoline that is called directly; by default that of the BL's own target. */
  readonly distance?: bigint;
  /** How many ops trace the function. Default 1. */
  readonly ops?: number;
  /** The kernel has CALL_OPS, through whose literal a far trampoline is found. Default true. */
  readonly callOps?: boolean;
};

/**
 * A tracer's own trampoline, called without a detour where one BL reaches it. Out of reach, or with several ops at one function, the call
 * goes to `ftrace_caller`, which finds the trampoline, or the function that serves all ops, through the literal.
 */
export const directCall = withOptions(
  "directCall",
  { distance: optional(distance), ops: optional(whole(1)), callOps: optional(flag) },
  (options: DirectCallOptions): PatchStrategy => ({
    id: "direct-call",
    summary: "a direct call of a trampoline: one BL where it reaches, else ftrace_caller and the ops' literal",
    source: "ftrace_find_callable_addr and ftrace_make_call, arch/arm64/kernel/ftrace.c, 7.3",
    architectures: ["arm64"],
    defaultSite: "nop:bl",
    promises: [...lazyPromises, "pair"],
    plan({ sites }, context): PatchProgram | Impossible {
      const { ops: count = 1, callOps = true } = options;
      const [site] = sites;
      if (site === undefined || sites.length > 1) return { impossible: "it is planned for one site at a time." };
      const calls = callsOf(site, context.instructionSet);
      if ("impossible" in calls) return calls;
      const called = (calls.to ?? calls.from) as bigint;
      const distance = options.distance ?? called - site.address;
      const trampoline = site.address + distance;
      const inReach = reachesByBl(distance);
      const direct = inReach && count === 1;
      if (direct && called !== trampoline)
        return {
          impossible: `the trampoline at ${hexAddress(trampoline)} is in reach, so the BL goes there and not to ${hexAddress(called)}.`,
        };
      if (!direct && !callOps) {
        const why = inReach ? "several ops trace the function" : "one BL reaches 128 MiB either way";
        return {
          impossible: `${why}, and without CALL_OPS nothing else finds the trampoline at ${hexAddress(trampoline)}.`,
        };
      }
      const ops = opsAt(called);
      const traced = count === 1 ? ops.own : ops.list;
      const around = tracing(sites, called, count === 1 ? trampoline : 0n, [
        calls.from === undefined ? ops.nop : traced,
      ]);
      const value = calls.to === undefined ? ops.nop : traced;
      return {
        main: [
          lock("lock", "ftrace_lock"),
          ...(callOps
            ? [
                storeData("write-literal", literalOf(site.address), quadOf(value), {
                  note: "a valid ops at any moment",
                }),
              ]
            : []),
          ...patchNosync("write-call", site.address, site.next, context),
          unlock("unlock", "ftrace_lock"),
        ],
        around: direct
          ? {
              ...around,
              blocks: [...around.blocks.filter(({ address }) => address !== called), directTrampoline(called)],
            }
          : { ...around, blocks: [...around.blocks, ...(count === 1 ? [directTrampoline(trampoline)] : [])] },
        pairs: direct ? [] : pairsOf(called),
      };
    },
  }),
);
