import {
  type Bytes,
  claim,
  emulate,
  type FlipSite,
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
  syncCores,
  toHex,
  trapPromises,
  unlock,
  waitRcuTasks,
  when,
} from "@cmodx/core";
import { flag, optional, withOptions } from "@cmodx/core/schema";
import { firstOf, INT3, only } from "./decoded.js";

/** Variants of {@link optprobe}. */
export type OptprobeOptions = {
  /** RCU-tasks: nobody is preempted inside the instructions that the jump replaces. Default true. */
  readonly waitForTasks?: boolean;
  /** A probe counts as no longer optimised before its instructions are all back (until f66c0447cca1). Default false. */
  readonly clearEarly?: boolean;
};

/** Whether the code is the jump to the detour, which takes the place of all instructions. */
const isDetour = (code: Bytes, isa: InstructionSet): boolean => only(code, isa)?.op === "jmp";

/** The handler: a trap at an optimised probe takes the detour, at a plain one it runs the probed instruction's copy. */
const handler: readonly Line[] = [
  lookup("handler-find", "kprobe_table", "entry", "by address"),
  when("handler-ours", ne(local("entry"), null), [
    emulate("handler-run", local("entry"), "the detour, or the copy of the first instruction"),
    claim("handler-claim"),
  ]),
];

/**
 * An optimised kprobe: a jump to a detour buffer replaces several instructions. The probe is armed first; when every task has left
 * the instructions, the jump is written under the INT3. On the way back the INT3 stays until the instructions are all there again.
 */
export const optprobe = withOptions(
  "optprobe",
  { waitForTasks: optional(flag), clearEarly: optional(flag) },
  (options: OptprobeOptions): PatchStrategy => {
    const { waitForTasks = true, clearEarly = false } = options;

    const patch = (site: FlipSite, isa: InstructionSet, id: (name: string) => string): readonly Line[] => {
      const optimise = isDetour(site.next, isa);
      const entry = (bytes: Bytes) => [{ address: site.address, bytes: toHex(bytes) }];
      const plain = set(
        id("clear-optimized"),
        "kprobe_table",
        entry(site.next.slice(0, firstOf(site.next, isa)?.length)),
        "a plain probe: traps run the copy of the first instruction",
      );
      return [
        set(id("optimized"), "kprobe_table", entry(optimise ? site.next : site.old), "traps take the detour"),
        store(id("write-int3"), site.address, [INT3], { note: "arms the probe" }),
        syncCores(id("sync-1"), "all CPUs now fetch the INT3"),
        ...(optimise && waitForTasks
          ? [waitRcuTasks(id("wait-tasks"), "no task stands between the instructions")]
          : []),
        ...(!optimise && clearEarly ? [plain] : []),
        store(id("write-tail"), site.address + 1n, site.next.slice(1), { note: "everything but the first byte" }),
        syncCores(id("sync-2"), "all CPUs now fetch the new tail"),
        ...(!optimise && !clearEarly ? [plain] : []),
        store(id("write-first"), site.address, site.next.slice(0, 1), { note: "replaces the INT3" }),
        syncCores(id("sync-3"), "all CPUs now fetch the new code; their handlers have ended"),
        set(id("forget"), "kprobe_table", []),
      ];
    };

    const refuse = (site: FlipSite, isa: InstructionSet): Impossible | undefined =>
      isDetour(site.old, isa) === isDetour(site.next, isa)
        ? {
            impossible: `one version of the code at ${hexAddress(site.address)} has to be a jump that takes the place of all of it.`,
          }
        : undefined;

    return {
      id: "optprobe",
      summary: "an optimised kprobe: a jump replaces several instructions after RCU-tasks saw everybody leave them",
      source: "arch_optimize_kprobes, arch/x86/kernel/kprobes/opt.c, and kprobe_optimizer, kernel/kprobes.c, 7.3",
      architectures: ["x86"],
      defaultSite: "mov rax, rdi+nop2:jmp",
      promises: trapPromises,
      plan({ sites }, { instructionSet }) {
        for (const site of sites) {
          const impossible = refuse(site, instructionSet);
          if (impossible !== undefined) return impossible;
        }
        return {
          main: [
            lock("lock", "text_mutex"),
            ...sites.flatMap((site, i) => patch(site, instructionSet, (name) => siteStep(name, i, sites.length))),
            unlock("unlock", "text_mutex"),
          ],
          traps: { int3: handler },
          words: { kprobe_table: [] },
        };
      },
    };
  },
);
