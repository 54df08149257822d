import {
  armTrap,
  type Bytes,
  claim,
  disarmTrap,
  emulate,
  type FlipSite,
  fence,
  hexAddress,
  type Impossible,
  type InstructionSet,
  type Line,
  local,
  lock,
  lookup,
  ne,
  type PatchStrategy,
  set,
  siteStep,
  store,
  syncCore,
  syncCores,
  toHex,
  trapPromises,
  unlock,
  waitRcuTasksRude,
  when,
} from "@cmodx/core";
import { flag, optional, withOptions } from "@cmodx/core/schema";
import { INT3, only } from "./decoded.js";

/** Synchronisations that {@link bypassOf2008} lacks as it was posted. */
export type BypassOf2008Options = {
  /** All CPUs synchronise between the new value and the first byte, as in a later version of the patch. Default false. */
  readonly syncAfterValue?: boolean;
  /** All CPUs synchronise after the first byte, before the handler goes. Default false. */
  readonly syncAfterFirst?: boolean;
};

/** Where the old and the new value differ, null where they do not, or why there is more than a value to change. */
const valueAt = ({ address, old, next }: FlipSite, isa: InstructionSet): number | null | Impossible => {
  const [from, to] = [only(old, isa), only(next, isa)];
  const differs = old.findIndex((byte, i) => byte !== next[i]);
  if (from === undefined || from.op !== to?.op || differs === 0)
    return { impossible: `at ${hexAddress(address)} more than the value of one instruction changes.` };
  return differs < 0 ? null : differs;
};

/** `text_poke` of 2.6.28: a store, and a sync_core on this CPU alone. */
const poke = (id: string, address: bigint, bytes: Bytes, note?: string): readonly Line[] => [
  store(id, address, bytes, note === undefined ? {} : { note }),
  syncCore(`${id}-self`, "text_poke ends with a sync_core of its own"),
];

/** The handler: whoever traps runs the copy of the old instruction, out of line, and goes on behind the site. */
const bypass: readonly Line[] = [
  lookup("handler-find", "bypass", "copy", "by the address behind the INT3"),
  when("handler-ours", ne(local("copy"), null), [
    emulate("handler-bypass", local("copy"), "the copy of the old instruction"),
    claim("handler-claim"),
  ]),
];

/**
 * Immediate values by breakpoint bypass: the value of an instruction changes while an INT3 sends everybody to a copy of the old one.
 * As posted no other CPU synchronises after the value and after the first byte; `synchronize_sched` waits for the handlers. Where the code
 * holds the value already nothing is done.
 */
export const bypassOf2008 = withOptions(
  "bypassOf2008",
  { syncAfterValue: optional(flag), syncAfterFirst: optional(flag) },
  (options: BypassOf2008Options): PatchStrategy => {
    const { syncAfterValue = false, syncAfterFirst = false } = options;
    return {
      id: "bypass-2008",
      summary: "immediate values of 2008: INT3, the new value, the first byte; traps run a copy of the old instruction",
      source:
        "arch_imv_update, arch/x86/kernel/immediate.c, of M. Desnoyers's immediate values (LKML 2008, never merged)",
      architectures: ["x86"],
      defaultSite: "mov eax, 0x11111111:mov eax, 0x22222222",
      promises: trapPromises,
      plan({ sites }, { instructionSet }) {
        const values = sites.map((site) => valueAt(site, instructionSet));
        const impossible = values.find((value): value is Impossible => typeof value === "object" && value !== null);
        if (impossible !== undefined) return impossible;
        const update = (site: FlipSite, i: number): readonly Line[] => {
          const id = (name: string): string => siteStep(name, i, sites.length);
          const value = values[i];
          if (typeof value !== "number") return [];
          const copy = [{ address: site.address, bytes: toHex(site.old) }];
          return [
            set(id("copy"), "bypass", copy, "the old instruction, and a jump behind the site"),
            armTrap(id("register"), "int3", "register_die_notifier"),
            ...poke(id("write-int3"), site.address, [INT3], "traps whoever comes"),
            fence(id("wmb-int3"), "wmb"),
            syncCores(id("sync-int3"), "all CPUs now fetch the INT3"),
            ...poke(id("write-value"), site.address + BigInt(value), site.next.slice(value)),
            fence(id("wmb-value"), "wmb"),
            ...(syncAfterValue ? [syncCores(id("sync-value"), "all CPUs now fetch the new value")] : []),
            ...poke(id("write-first"), site.address, site.next.slice(0, 1), "replaces the INT3"),
            ...(syncAfterFirst ? [syncCores(id("sync-first"), "all CPUs now fetch the instruction")] : []),
            waitRcuTasksRude(
              id("synchronize-sched"),
              "every CPU has been through its scheduler, so handlers have ended; preemption is off while one runs the copy",
            ),
            disarmTrap(id("unregister"), "int3", "unregister_die_notifier"),
          ];
        };
        return {
          main: [lock("lock", "imv_mutex"), ...sites.flatMap(update), unlock("unlock", "imv_mutex")],
          traps: { int3: bypass },
          words: { bypass: [] },
        };
      },
    };
  },
);
