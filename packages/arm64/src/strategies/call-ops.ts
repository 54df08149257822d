import {
  type Impossible,
  type Line,
  lock,
  type PatchProgram,
  type PatchStrategy,
  quadOf,
  siteStep,
  storeData,
  unlock,
} from "@cmodx/core";
import { flag, oneOf, optional, withOptions } from "@cmodx/core/schema";
import { callsOf, functionsAt, literalOf, makeOps, opsAt, pairsOf, tracing, waitTracers } from "./ftrace.js";
import { lazyPromises, patchNosync } from "./text-patching.js";

/** Variants of {@link callOps}. */
export type CallOpsOptions = {
  /** What is written first: the literal, as in the kernel, or the call. Default `literal`. */
  readonly first?: "literal" | "call";
  /** The ops are given back when tracing ends, and made anew when it begins. Default false. */
  readonly frees?: boolean;
  /** Whether that waits for those who may still be on the way to the tracer. Default true. */
  readonly waits?: boolean;
};

/**
 * Per-callsite ops: a literal before each function says which ops trace it, and a NOP becomes a BL to `ftrace_caller`. No other CPU is
 * interrupted.
 */
export const callOps = withOptions(
  "callOps",
  { first: optional(oneOf({ literal: true, call: true })), frees: optional(flag), waits: optional(flag) },
  ({ first = "literal", frees = false, waits = true }: CallOpsOptions): PatchStrategy => ({
    id: first === "literal" ? "call-ops" : "call-ops-call-first",
    summary: `per-callsite ops: a literal and a NOP or BL to ftrace_caller, the ${first} first`,
    source: "ftrace_make_call and ftrace_make_nop, arch/arm64/kernel/ftrace.c, 7.3",
    architectures: ["arm64"],
    defaultSite: "nop:bl",
    promises: [...lazyPromises, "pair"],
    plan({ sites }, context): PatchProgram | Impossible {
      const calls = sites.map((site) => callsOf(site, context.instructionSet));
      const wrong = calls.find((each): each is Impossible => "impossible" in each);
      if (wrong !== undefined) return wrong;
      const known = calls as readonly Exclude<(typeof calls)[number], Impossible>[];
      const callers = [...new Set(known.flatMap(({ from, to }) => [from, to].filter((each) => each !== undefined)))];
      const caller = callers[0] as bigint;
      if (callers.length > 1) return { impossible: "all its sites call one ftrace_caller." };
      const ops = opsAt(caller);
      const enables = known.some(({ to }) => to !== undefined);
      const lines = sites.flatMap((site, i): readonly Line[] => {
        const id = (name: string): string => siteStep(name, i, sites.length);
        const value = known[i]?.to === undefined ? ops.nop : ops.own;
        const literal = storeData(id("write-literal"), literalOf(site.address), quadOf(value), {
          note: "a valid ops at any moment; data, so no cache maintenance",
        });
        const call = patchNosync(id("write-call"), site.address, site.next, context);
        return first === "literal" ? [literal, ...call] : [...call, literal];
      });
      const ending = waits
        ? waitTracers(true, ops.own)
        : waitTracers(true, ops.own).filter(({ id }) => id === "free-ops");
      return {
        main: [
          lock("lock", "ftrace_lock"),
          ...(frees && enables ? [makeOps(ops.own, functionsAt(caller).tracer)] : []),
          ...lines,
          ...(frees && !enables ? ending : []),
          unlock("unlock", "ftrace_lock"),
        ],
        around: tracing(
          sites,
          caller,
          0n,
          known.map(({ from }) => (from === undefined ? ops.nop : ops.own)),
        ),
        pairs: pairsOf(caller),
      };
    },
  }),
);
