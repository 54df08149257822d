import {
  ack,
  claim,
  eq,
  type FlipSite,
  fence,
  hexAddress,
  type Impossible,
  type InstructionSet,
  type Line,
  load,
  local,
  lock,
  type PatchStrategy,
  type PlanContext,
  sendIpi,
  set,
  siteStep,
  store,
  syncCore,
  syncCores,
  trapPromises,
  unlock,
  waitIpi,
  when,
} from "@cmodx/core";
import { flag, optional, withOptions, withoutOptions } from "@cmodx/core/schema";
import { INT3, only } from "./decoded.js";
import { resumeAt, resumeAtRule, savedIp, savedIpRule } from "./operations.js";

/*
 * The INT3 fix-up as it was discussed in 2010: the handler does not emulate, it sends whoever trapped to a fix-up address.
 * So what can be patched in is what does nothing but move the instruction pointer.
 */

/** Variants of {@link int3Of2010} that were argued about. */
export type Int3Of2010Options = {
  /** All sites share one pair of fix-up addresses, as posted. Default true; otherwise each site has a pair of its own. */
  readonly sharedSlot?: boolean;
  /** The fix-up addresses stay when the patching is done, and with them the last round of interrupts is saved. Default false. */
  readonly keepHandler?: boolean;
  /** The fix-up addresses are cleared before the last round of interrupts instead of after it. Default false. */
  readonly clearEarly?: boolean;
  /** The interrupts' handler is a barrier alone: what synchronises is its IRET, which comes after it acknowledged. Default false. */
  readonly ackBeforeIret?: boolean;
};

/** A pair of fix-up addresses: where the trap is expected, and where whoever trapped goes on. */
type Slot = { readonly from: string; readonly to: string };

const SHARED: Slot = { from: "patch_fixup_from", to: "patch_fixup_addr" };

const slotOf = (site: FlipSite): Slot => ({
  from: `${SHARED.from}@${hexAddress(site.address)}`,
  to: `${SHARED.to}@${hexAddress(site.address)}`,
});

/** Where an instruction leads that does nothing else, or why it is not one. */
const fixupOf = (site: FlipSite, isa: InstructionSet): bigint | Impossible => {
  const insn = only(site.next, isa);
  const at = hexAddress(site.address);
  if (insn === undefined) return { impossible: `the new code at ${at} is not one instruction of the modelled subset.` };
  const outcome = isa.execute(insn, site.address, {});
  const moves =
    outcome.do === "retire" &&
    outcome.link === undefined &&
    (outcome.stores ?? []).length === 0 &&
    Object.keys(outcome.registers).length === 0 &&
    isa.inputs(insn).length === 0;
  if (moves) return outcome.next;
  return { impossible: `a fix-up address cannot stand for ${isa.format(insn, site.address)} at ${at}.` };
};

/** The handler: a trap at the expected address goes on at the fix-up address. */
const handler = (slot: Slot, id: (name: string) => string): readonly Line[] => [
  savedIp(id("handler-ip"), "ip"),
  load(id("handler-from"), slot.from, "from"),
  when(id("handler-ours"), eq(local("from"), local("ip")), [
    load(id("handler-addr"), slot.to, "addr"),
    resumeAt(id("handler-resume"), local("addr")),
    claim(id("handler-claim")),
  ]),
];

const slots = (list: readonly Slot[]) =>
  Object.fromEntries(list.flatMap(({ from, to }) => [[from, null] as const, [to, null] as const]));

/** Where each site's trap goes on, or why one of them has no such place. */
const fixups = (sites: readonly FlipSite[], { instructionSet }: PlanContext): readonly bigint[] | Impossible => {
  const found = sites.map((site) => fixupOf(site, instructionSet));
  return found.find((fixup) => typeof fixup !== "bigint") ?? (found as readonly bigint[]);
};

const common = {
  architectures: ["x86"],
  defaultSite: "nop5:jmp .+0x123456c",
  promises: trapPromises,
  rules: [savedIpRule, resumeAtRule],
} as const;

/** The fix-up in its five steps: set up the handler; INT3; the other bytes; the first byte; clear the handler. */
export const int3Of2010 = withOptions(
  "int3Of2010",
  {
    sharedSlot: optional(flag),
    keepHandler: optional(flag),
    clearEarly: optional(flag),
    ackBeforeIret: optional(flag),
  },
  (options: Int3Of2010Options): PatchStrategy => {
    const { sharedSlot = true, keepHandler = false, clearEarly = false, ackBeforeIret = false } = options;

    const synchronise = (id: string, note: string): readonly Line[] =>
      ackBeforeIret
        ? [
            syncCore(`${id}-self`, "text_poke ends with a sync_core of its own"),
            sendIpi(id, [fence(`${id}-barrier`, "mb"), ack()], "the handler is a barrier; its IRET is to synchronise"),
            waitIpi(`${id}-wait`, id, note),
          ]
        : [syncCores(id, note)];

    const patch = (site: FlipSite, fixup: bigint, slot: Slot, id: (name: string) => string): readonly Line[] => {
      const tail = site.next.slice(1);
      const clear = set(id("clear-fixup"), slot.from, null, "the handler no longer knows the site");
      return [
        set(id("fixup-addr"), slot.to, fixup, "where whoever traps goes on"),
        set(id("fixup-from"), slot.from, site.address + 1n, "the handler now knows the site"),
        store(id("write-int3"), site.address, [INT3], { note: "traps whoever comes" }),
        ...synchronise(id("sync-1"), "all CPUs now fetch the INT3"),
        ...(tail.length === 0
          ? []
          : [
              store(id("write-tail"), site.address + 1n, tail, { note: "everything but the first byte" }),
              ...synchronise(id("sync-2"), "all CPUs now fetch the new tail"),
            ]),
        store(id("write-first"), site.address, site.next.slice(0, 1), { note: "replaces the INT3" }),
        ...(keepHandler
          ? []
          : [
              ...(clearEarly ? [clear] : []),
              ...synchronise(id("sync-3"), "all CPUs now fetch the new instruction; their handlers have ended"),
              ...(clearEarly ? [] : [clear]),
            ]),
      ];
    };

    return {
      ...common,
      id: "int3-2010",
      summary: "the fix-up of 2010: as int3, but the handler jumps to a fix-up address instead of emulating",
      source:
        "M. Hiramatsu's INT3 method, LKML 2010; the same steps: fd4363fff3d9, 'x86: Introduce int3 (breakpoint)-based instruction patching' (2013)",
      plan({ sites }, context) {
        const addresses = fixups(sites, context);
        if ("impossible" in addresses) return addresses;
        const used = sharedSlot ? [SHARED] : sites.map(slotOf);
        return {
          main: [
            lock("lock", "text_mutex"),
            ...sites.flatMap((site, i) =>
              patch(site, addresses[i] as bigint, used[i] ?? SHARED, (name) => siteStep(name, i, sites.length)),
            ),
            unlock("unlock", "text_mutex"),
          ],
          traps: { int3: used.flatMap((slot, i) => handler(slot, (name) => siteStep(name, i, used.length))) },
          words: slots(used),
        };
      },
    };
  },
);

/**
 * The same in Masami Hiramatsu's nine steps: the second round of interrupts is not there, and the last one only waits for handlers.
 */
export const int3Of2010Nine = withoutOptions(
  "int3Of2010Nine",
  (): PatchStrategy => ({
    ...common,
    id: "int3-2010-nine",
    summary: "the fix-up of 2010 in nine steps: nothing synchronises between the tail and the first byte",
    source: "M. Hiramatsu's nine steps of the INT3 method, LKML 2010",
    plan({ sites }, context) {
      const addresses = fixups(sites, context);
      if ("impossible" in addresses) return addresses;
      const patch = (site: FlipSite, i: number): readonly Line[] => {
        const id = (name: string): string => siteStep(name, i, sites.length);
        const tail = site.next.slice(1);
        return [
          set(id("fixup-addr"), SHARED.to, addresses[i] as bigint, "(2) where whoever traps goes on"),
          set(id("fixup-from"), SHARED.from, site.address + 1n, "(2) the handler now knows the site"),
          store(id("write-int3"), site.address, [INT3], { note: "(3) traps whoever comes" }),
          fence(id("wmb-int3"), "wmb", "(3)"),
          syncCores(id("sync-int3"), "(4) an IPI to all CPUs with a CPUID: all now fetch the INT3"),
          ...(tail.length === 0
            ? []
            : [
                store(id("write-tail"), site.address + 1n, tail, { note: "(5) everything but the first byte" }),
                fence(id("wmb-tail"), "wmb", "(5)"),
              ]),
          store(id("write-first"), site.address, site.next.slice(0, 1), { note: "(6) replaces the INT3" }),
          syncCore(id("sync-self"), "text_poke ends with a sync_core of its own"),
          sendIpi(id("ipi-handlers"), [], "(7) the handlers of INT3 run with interrupts off"),
          waitIpi(id("wait-handlers"), id("ipi-handlers"), "(7) those that ran have ended"),
          set(id("clear-fixup"), SHARED.from, null, "(8) the handler no longer knows the site"),
        ];
      };
      return {
        main: [lock("lock", "text_mutex", "(1)"), ...sites.flatMap(patch), unlock("unlock", "text_mutex", "(9)")],
        traps: { int3: handler(SHARED, (name) => name) },
        words: slots([SHARED]),
      };
    },
  }),
);
