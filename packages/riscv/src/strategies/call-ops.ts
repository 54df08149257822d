import {
  type Bytes,
  type FlipSite,
  fence,
  freeData,
  hexAddress,
  type Impossible,
  type Line,
  lock,
  type PatchProgram,
  type PatchStrategy,
  type PropertyId,
  siteStep,
  storeData,
  unlock,
  waitRcuTasks,
} from "@cmodx/core";
import { type Fields, flag, oneOf, oneOfNumbers, optional, withOptions } from "@cmodx/core/schema";
import { pairTarget } from "./decoded.js";
import { refuseFixed, targetOf, writeSecond } from "./fixed-auipc.js";
import { flushIcacheAll, pairPromises } from "./text-patching.js";

/** The ops that stand for nobody, `ftrace_nop_ops`, and those of a tracer: where they lie in data memory, the one in the kernel, the other allocated. */
const NOP_OPS = 0xffff_ffff_80c0_0000n;
const OPS = 0xffff_ffd8_0c01_0180n;
const DIRECT_CALL = 24n;
const TRAMPOLINE = 0xffff_ffff_8040_0000n;

const quad = (value: bigint): Bytes => Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** `ALIGN_DOWN(rec->ip - 12, 8)`, with `rec->ip` four bytes behind the function's start. */
const literalOf = ({ address }: FlipSite): bigint => {
  const below = address + 4n - 12n;
  return below - (below % 8n);
};

const isTraced = ({ address, next }: FlipSite): boolean => pairTarget(next, address) !== undefined;

/** Variants of {@link callOps} and {@link directCall}. */
export type CallOpsOptions = {
  /**
   * What follows the store of a literal: `flush_icache_all`, as `patch_text_nosync` has it (`global`, the default); a barrier between
   * stores (`wmb`); nothing (`none`).
   */
  readonly literalFlush?: "global" | "wmb" | "none";
  /** Width in bytes of the accesses by which the literal is stored. Default 8. */
  readonly literalWidth?: 1 | 2 | 4 | 8;
  /** To call the tracer with `ftrace_nop_ops` is harmless, as in the kernel, where these do nothing. Default true. */
  readonly nopOpsAreHarmless?: boolean;
};

const literalSteps = (
  site: FlipSite,
  id: (name: string) => string,
  { literalFlush = "global", literalWidth = 8 }: CallOpsOptions,
): readonly Line[] => [
  storeData(id("write-literal"), literalOf(site), quad(isTraced(site) ? OPS : NOP_OPS), {
    width: literalWidth,
    note: isTraced(site) ? "the ops come before the call" : "ftrace_nop_ops, before the call goes",
  }),
  ...(literalFlush === "global"
    ? flushIcacheAll(id("flush-literal"), "patch_text_nosync; what it flushes is data")
    : literalFlush === "wmb"
      ? [fence(id("wmb-literal"), "w,w", "the literal before the code")]
      : []),
];

const patched = (sites: readonly FlipSite[], options: CallOpsOptions): readonly Line[] => [
  ...sites.flatMap((site, i) => {
    const id = (name: string): string => siteStep(name, i, sites.length);
    return [...literalSteps(site, id, options), ...writeSecond(id("write-jalr"), site, "one aligned store")];
  }),
  ...flushIcacheAll("flush", "all harts now fetch the new instruction"),
];

const refuse = (sites: readonly FlipSite[]): Impossible | undefined =>
  sites.map(refuseFixed).find((refused) => refused !== undefined);

/** The tracer's entry: it finds its ops through the return address. */
const CALLER = "ld t1, -16(t0)+jr t0";
const USE = 4n;

const initialLiterals = (sites: readonly FlipSite[]) =>
  sites.map((site) => ({ address: literalOf(site), bytes: quad(isTraced(site) ? NOP_OPS : OPS) }));

/** Who traces does not need the call to be there, or gone, when the patching is over: the kernel's own contract of CALL_OPS. */
const promises: readonly PropertyId[] = pairPromises.filter((id) => id !== "done");

const SOURCE = "ftrace_make_call, ftrace_rec_update_ops, arch/riscv/kernel/ftrace.c; ftrace_caller, mcount-dyn.S, 7.3";

const optionFields: Fields<CallOpsOptions> = {
  literalFlush: optional(oneOf({ global: true, wmb: true, none: true })),
  literalWidth: optional(oneOfNumbers({ 1: true, 2: true, 4: true, 8: true })),
  nopOpsAreHarmless: optional(flag),
};

/**
 * The call site has a literal, eight bytes before the function, that tells the tracer whom it is called for: first the literal, then the
 * call; on the way back first `ftrace_nop_ops`, then the no-operation.
 */
export const callOps = withOptions(
  "callOps",
  optionFields,
  (options: CallOpsOptions): PatchStrategy => ({
    id: "call-ops",
    summary: "ftrace with CALL_OPS: a literal before the function names the ops; then fixed-auipc's one store",
    source: SOURCE,
    architectures: ["riscv"],
    defaultSite: "auipc t0, %pcrel_hi(.+0x1640)+nop:call t0",
    promises,
    plan({ sites }): PatchProgram | Impossible {
      const refused = refuse(sites);
      if (refused !== undefined) return refused;
      const callers = [...new Set(sites.flatMap((site) => targetOf(site) ?? []))];
      const { nopOpsAreHarmless = true } = options;
      return {
        main: [lock("lock", "text_mutex"), ...patched(sites, options), unlock("unlock", "text_mutex")],
        around: {
          blocks: callers.map((address) => ({ address, code: CALLER })),
          data: initialLiterals(sites),
        },
        pairs: callers.map((address) => ({
          at: address + USE,
          registers: ["t1"],
          published: nopOpsAreHarmless ? [[OPS], [NOP_OPS]] : [[OPS]],
        })),
      };
    },
  }),
);

/** Variants of {@link directCall}. */
export type DirectCallOptions = CallOpsOptions & {
  /** RCU-tasks before the trampoline and its ops are freed. Default true. */
  readonly waitForTasks?: boolean;
};

/** The entry that calls a trampoline directly where its ops name one. */
const DIRECT_CALLER = "ld t1, -16(t0)+ld t2, 24(t1)+beqz t2, .+8+jr t2+jr t0";
const DIRECT_USE = 8n;

/**
 * A direct call that lies out of the JALR's reach: the ops of the literal name a trampoline, to which `ftrace_caller` goes. It is freed
 * when the call is gone.
 */
export const directCall = withOptions(
  "directCall",
  { ...optionFields, waitForTasks: optional(flag) },
  (options: DirectCallOptions): PatchStrategy => ({
    id: "direct-call",
    summary: "as call-ops; the ops name a trampoline that ftrace_caller goes to, and that is freed afterwards",
    source: `${SOURCE}; unregister_ftrace_direct, kernel/trace/ftrace.c, 7.3`,
    architectures: ["riscv"],
    defaultSite: "auipc t0, %pcrel_hi(.+0x1640)+nop:call t0",
    promises,
    plan({ sites }): PatchProgram | Impossible {
      const refused = refuse(sites);
      if (refused !== undefined) return refused;
      const [first] = sites;
      const traced = first !== undefined && isTraced(first);
      if (sites.some((site) => isTraced(site) !== traced))
        return {
          impossible: `the site at ${hexAddress(first?.address ?? 0n)} is to be traced and another is not to be any more.`,
        };
      const callers = [...new Set(sites.flatMap((site) => targetOf(site) ?? []))];
      const slot = OPS + DIRECT_CALL;
      return {
        main: [
          lock("lock", "text_mutex"),
          ...(traced ? [storeData("set-direct-call", slot, quad(TRAMPOLINE), { note: "ops->direct_call" })] : []),
          ...patched(sites, options),
          unlock("unlock", "text_mutex"),
          ...(traced
            ? []
            : [
                ...(options.waitForTasks === false
                  ? []
                  : [waitRcuTasks("wait-tasks", "nobody is on the way to the trampoline")]),
                freeData("free", slot, 8, "the ops, and the trampoline that they name"),
              ]),
        ],
        around: {
          blocks: [
            ...callers.map((address) => ({ address, code: DIRECT_CALLER })),
            { address: TRAMPOLINE, code: "jr t0" },
          ],
          data: [...initialLiterals(sites), { address: slot, bytes: quad(TRAMPOLINE) }],
        },
        pairs: callers.map((address) => ({
          at: address + DIRECT_USE,
          registers: ["t1", "t2"],
          published: [
            [OPS, TRAMPOLINE],
            [NOP_OPS, 0n],
          ],
        })),
      };
    },
  }),
);
