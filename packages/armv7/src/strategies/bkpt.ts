import {
  type Bytes,
  claim,
  emulate,
  type FlipSite,
  hexAddress,
  type Impossible,
  type Line,
  local,
  lock,
  lookup,
  ne,
  type PatchStrategy,
  set,
  siteStep,
  syncCores,
  toHex,
  trapPromises,
  unlock,
  when,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import type { Mode } from "../isa/index.js";
import { firstRefusal, only, refuseSeveral } from "./decoded.js";
import { patchNow } from "./patch-text.js";
import { type Target, targetOf, wrongState } from "./target.js";

/** BKPT #0, always 16 bits in Thumb. */
const BKPT: { readonly [mode in Mode]: Bytes } = { a32: [0x70, 0x00, 0x20, 0xe1], t32: [0x00, 0xbe] };

/** The handler: emulates the new instruction of the entry with the trap's address. */
const handler: readonly Line[] = [
  lookup("handler-find", "bkpt_table", "entry", "by address"),
  when("handler-ours", ne(local("entry"), null), [
    emulate("handler-emulate", local("entry"), "the new instruction"),
    claim("handler-claim"),
  ]),
];

const refuse = (site: FlipSite, mode: Mode): Impossible | undefined => {
  const isBkpt = [site.old, site.next].some((code) => only(code, mode)?.op === "bkpt");
  if (isBkpt) return { impossible: `a breakpoint at ${hexAddress(site.address)} cannot stand for a BKPT.` };
  return refuseSeveral(site, mode);
};

const patch = ({ address, next }: FlipSite, target: Target, id: (name: string) => string): readonly Line[] => {
  const breakpoint = BKPT[target.mode];
  const first = next.slice(0, breakpoint.length);
  const tail = next.slice(breakpoint.length);
  return [
    set(id("register"), "bkpt_table", [{ address, bytes: toHex(next) }]),
    ...patchNow(id("bkpt"), address, breakpoint, target),
    syncCores(id("sync-bkpt"), "all CPUs now fetch the BKPT"),
    ...(tail.length === 0
      ? []
      : [
          ...patchNow(id("tail"), address + BigInt(breakpoint.length), tail, target),
          syncCores(id("sync-tail"), "all CPUs now fetch the new second halfword"),
        ]),
    ...patchNow(id("first"), address, first, target),
    syncCores(id("sync-first"), "all CPUs now fetch the new instruction; their handlers have ended"),
    set(id("forget"), "bkpt_table", []),
  ];
};

/**
 * The breakpoint recipe of the 2012 thread: BKPT over the instruction, or over the first halfword of a Thumb-2 one; the second halfword;
 * the first. After each step all CPUs synchronise.
 */
export const bkpt = withoutOptions(
  "bkpt",
  (): PatchStrategy => ({
    id: "bkpt",
    summary: "BKPT, the second halfword where there is one, the first; after each step all CPUs synchronise",
    source: "the breakpoint recipe for Thumb-2, LKML 2012-12 (1212.0/02993)",
    architectures: ["armv7"],
    defaultSite: "nop:b",
    promises: trapPromises,
    plan({ sites }, context) {
      const target = targetOf(context);
      const refusal = wrongState(context) ?? firstRefusal(sites, (site) => refuse(site, target.mode));
      if (refusal !== undefined) return refusal;
      return {
        main: [
          lock("lock", "text_mutex"),
          ...sites.flatMap((site, i) => patch(site, target, (name) => siteStep(name, i, sites.length))),
          unlock("unlock", "text_mutex"),
        ],
        traps: { bkpt: handler },
        words: { bkpt_table: [] },
      };
    },
  }),
);
