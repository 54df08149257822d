import {
  type Bytes,
  claim,
  emulate,
  eq,
  type FlipSite,
  hexAddress,
  type Impossible,
  type Line,
  load,
  local,
  lock,
  lookup,
  ne,
  type PatchProgram,
  type PatchStrategy,
  type PlanContext,
  publishEvent,
  set,
  siteStep,
  toHex,
  trapPromises,
  unlock,
  when,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { instructionOf } from "./decoded.js";
import {
  loadAcquire,
  loadAcquireRule,
  setRelease,
  setReleaseRule,
  trapAddress,
  trapAddressRule,
} from "./operations.js";
import { kickAllCpus, patchNosync } from "./text-patching.js";

/** BRK with the immediate of the kernel's patching breakpoint, 0x100 and up being free for such uses. */
export const BRK: Bytes = [0x00, 0x20, 0x20, 0xd4];

/** What a handler can emulate by setting the saved pc and the link register. */
const EMULATED: ReadonlySet<string> = new Set(["nop", "b", "bl"]);

const refuse = (sites: readonly FlipSite[], { instructionSet }: PlanContext): Impossible | undefined => {
  for (const { address, next } of sites) {
    const op = instructionOf(next, instructionSet)?.op;
    if (op === undefined || !EMULATED.has(op))
      return {
        impossible: `the handler can emulate NOP, B and BL, not ${op ?? "several instructions"} at ${hexAddress(address)}.`,
      };
  }
  return undefined;
};

const common = {
  architectures: ["arm64"],
  defaultSite: "nop:b",
  promises: [...trapPromises, "trace"],
  rules: [trapAddressRule, setReleaseRule, loadAcquireRule],
} as const satisfies Partial<PatchStrategy>;

/** The handler as proposed: there is one breakpoint at a time. */
const oneAddress: readonly Line[] = [
  loadAcquire("handler-addr", "brk_addr", "addr", "where a breakpoint was put last"),
  trapAddress("handler-at", "at"),
  when("handler-ours", eq(local("addr"), local("at")), [
    load("handler-insn", "brk_insn", "insn"),
    emulate("handler-emulate", local("insn"), "the new instruction"),
    claim("handler-claim"),
  ]),
];

/**
 * The proposal of 2019: a BRK in between, so that a text-poke event can say what ran. Its handler emulates the new instruction; one
 * global address says for which site. Nothing synchronises the other CPUs before all sites are done.
 */
export const brkEmulate = withoutOptions(
  "brkEmulate",
  (): PatchStrategy => ({
    ...common,
    id: "brk-emulate",
    summary:
      "BRK, text-poke event, new instruction, without synchronising others in between; the handler knows one address",
    source:
      "the proposal for arm64 jump labels in the threads on text-poke events, LKML, autumn of 2019; it never landed",
    plan(flip, context): PatchProgram | Impossible {
      const { sites } = flip;
      const patch = (site: FlipSite, i: number): readonly Line[] => {
        const id = (name: string): string => siteStep(name, i, sites.length);
        return [
          set(id("set-insn"), "brk_insn", toHex(site.next), "what the handler is to emulate"),
          setRelease(id("set-addr"), "brk_addr", site.address, "from here on the handler claims traps there"),
          ...patchNosync(id("write-brk"), site.address, BRK, context, "whoever fetches it traps"),
          publishEvent(id("event"), site),
          ...patchNosync(id("write-new"), site.address, site.next, context, "replaces the BRK"),
        ];
      };
      return (
        refuse(sites, context) ?? {
          main: [
            lock("lock", "jump_label_mutex"),
            ...sites.flatMap(patch),
            ...kickAllCpus("kick", "all CPUs now fetch the new instructions"),
            unlock("unlock", "jump_label_mutex"),
          ],
          traps: { brk: oneAddress },
          words: { brk_addr: null, brk_insn: "00000000" },
        }
      );
    },
  }),
);

/** Every site has an entry of its own in a table that is published before the first BRK. */
const table: readonly Line[] = [
  loadAcquire("handler-any", "brk_entries", "entries", "is anything being patched?"),
  when("handler-patching", ne(local("entries"), 0), [
    lookup("handler-find", "brk_table", "entry", "by address"),
    when("handler-ours", ne(local("entry"), null), [
      emulate("handler-emulate", local("entry"), "the new instruction"),
      claim("handler-claim"),
    ]),
  ]),
];

/** {@link brkEmulate} with what it lacks: all CPUs fetch the BRK before the event, and the handler knows every site. */
export const brkEmulateSynced = withoutOptions(
  "brkEmulateSynced",
  (): PatchStrategy => ({
    ...common,
    id: "brk-emulate-synced",
    summary: "BRK at all sites, all CPUs synchronised, text-poke events, new instructions, all CPUs synchronised",
    source: "the breakpoint method of text-poke events, e17d43b93e54 (2020), with arm64's means",
    plan({ sites }, context): PatchProgram | Impossible {
      const id = (name: string, i: number): string => siteStep(name, i, sites.length);
      const entries = sites.map(({ address, next }) => ({ address, bytes: toHex(next) }));
      return (
        refuse(sites, context) ?? {
          main: [
            lock("lock", "jump_label_mutex"),
            set("fill-table", "brk_table", entries, "addresses and new instructions"),
            setRelease("set-entries", "brk_entries", entries.length, "from here on the handler looks at the table"),
            ...sites.flatMap((site, i) => patchNosync(id("write-brk", i), site.address, BRK, context)),
            ...kickAllCpus("kick-brk", "all CPUs now fetch the BRK"),
            ...sites.map((site, i) => publishEvent(id("event", i), site)),
            ...sites.flatMap((site, i) => patchNosync(id("write-new", i), site.address, site.next, context)),
            ...kickAllCpus("kick-new", "all CPUs now fetch the new instructions; their handlers have ended"),
            setRelease("clear-entries", "brk_entries", 0),
            unlock("unlock", "jump_label_mutex"),
          ],
          traps: { brk: table },
          words: { brk_entries: 0, brk_table: [] },
        }
      );
    },
  }),
);
