import {
  type Bytes,
  type CodeBlock,
  type FlipSite,
  hexAddress,
  type Impossible,
  lock,
  type PatchStrategy,
  siteStep,
  storePromises,
  unlock,
} from "@cmodx/core";
import { oneOf, optional, withOptions } from "@cmodx/core/schema";
import { armv7InstructionSet, type Mode } from "../isa/index.js";
import { firstRefusal, only } from "./decoded.js";
import { patchNow, type Secondaries, stopped } from "./patch-text.js";
import { type Target, targetOf, wrongState } from "./target.js";

/** Variants of {@link ftrace}. */
export type FtraceOptions = {
  /** What stopped CPUs do before they go on; default `isb`. */
  readonly secondaries?: Secondaries;
};

/** What stands in place of a call that is not made: it undoes the `push {lr}` before it. */
const UNDO: { readonly [mode in Mode]: Bytes } = { a32: [0x04, 0xd0, 0x8d, 0xe2], t32: [0x0d, 0xf1, 0x04, 0x0d] };

/** The least that a tracer does: it takes back what the `push {lr}` before the call saved, and returns (arch/arm/kernel/entry-ftrace.S). */
const TRACER = "mov r12, lr+ldr lr, [sp], #4+bx r12";

const isUndo = (code: Bytes, mode: Mode): boolean => code.join() === UNDO[mode].join();

const isCall = (code: Bytes, mode: Mode): boolean => only(code, mode)?.op === "bl";

const refuse = ({ address, old, next }: FlipSite, { mode }: Target): Impossible | undefined =>
  [old, next].every((code) => isUndo(code, mode) || isCall(code, mode))
    ? undefined
    : {
        impossible: `the code at ${hexAddress(address)} is neither a BL nor the ADD of 4 to sp that stands in its place.`,
      };

/** The function that a call goes to. */
const tracerOf = ({ address, next, old }: FlipSite, { mode }: Target): readonly CodeBlock[] =>
  [old, next].flatMap((code) => {
    const insn = armv7InstructionSet.decode(code, mode);
    const outcome = typeof insn === "string" ? undefined : armv7InstructionSet.execute(insn, address, {});
    if (outcome?.do !== "retire" || outcome.link === undefined) return [];
    return [{ address: outcome.next, code: TRACER, mode }];
  });

/** What the compiler puts before the call. */
const prologueOf = ({ address }: FlipSite, { mode }: Target): CodeBlock => ({
  address: address - (mode === "a32" ? 4n : 2n),
  code: "push {lr}",
  mode,
});

/** ftrace: behind `push {lr}` a BL to the tracer, or an ADD that undoes the push; all sites in one stop_machine. */
export const ftrace = withOptions(
  "ftrace",
  { secondaries: optional(oneOf({ isb: true, "as-linux": true })) },
  ({ secondaries = "isb" }: FtraceOptions): PatchStrategy => ({
    id: "ftrace",
    summary: "all sites in one stop_machine: behind push {lr}, a BL to the tracer or an ADD that undoes the push",
    source: "ftrace_make_nop and ftrace_make_call, arch/arm/kernel/ftrace.c; ftrace_run_stop_machine, 7.3",
    architectures: ["armv7"],
    defaultSite: { armv7: "add sp, sp, #4:bl", "armv7 t32": "add.w sp, sp, #4:bl" },
    promises: storePromises,
    plan({ sites }, context) {
      const target = targetOf(context);
      const refusal = wrongState(context) ?? firstRefusal(sites, (site) => refuse(site, target));
      if (refusal !== undefined) return refusal;
      const run = sites.flatMap(({ address, next }, i) =>
        patchNow(siteStep("patch", i, sites.length), address, next, target),
      );
      return {
        main: [lock("lock", "ftrace_lock"), stopped("update", run, secondaries), unlock("unlock", "ftrace_lock")],
        around: {
          blocks: sites.flatMap((site) => [prologueOf(site, target), ...tracerOf(site, target)]),
          entries: sites.map((site) => prologueOf(site, target).address),
        },
      };
    },
  }),
);
