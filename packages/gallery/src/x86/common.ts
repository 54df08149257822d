import {
  type Architecture,
  claim,
  emulate,
  type FlipSite,
  isImpossible,
  type Line,
  local,
  lookup,
  ne,
  type PatchProgram,
  type PatchStrategy,
  type PlanContext,
  type Scenario,
  type Site,
  store,
  syncCores,
  toHex,
  when,
} from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";

/* What the entries of x86 share. */

/** The opcode of the breakpoint. */
export const INT3 = 0xcc;

/** Where the site of an entry lies. */
export const AT = x86().base;

/** x86 with the weakest fetch model, on which a fix has to hold. */
export const weakest = (): Architecture => x86();

/** The only site of a flip. */
export const only = (sites: readonly FlipSite[]): FlipSite => {
  const [site] = sites;
  if (site === undefined) throw new Error("A flip has a site.");
  return site;
};

/** The entry that a handler looks for. */
export const entryOf = ({ address, next }: FlipSite) => ({ address, bytes: toHex(next) });

/** The three steps of `text_poke_bp_batch` and their synchronisations, without what is around them. */
export const threeSteps = ({ address, next }: FlipSite): readonly Line[] => [
  store("write-int3", address, [INT3], { note: "traps whoever comes" }),
  syncCores("sync-1", "all CPUs now fetch the INT3"),
  store("write-tail", address + 1n, next.slice(1), { note: "everything but the first byte" }),
  syncCores("sync-2", "all CPUs now fetch the new tail"),
  store("write-first", address, next.slice(0, 1), { note: "replaces the INT3" }),
  syncCores("sync-3", "all CPUs now fetch the new instruction; the handlers of its INT3 have ended"),
];

/** A strategy that differs from {@link int3} in its program alone. */
export const likeInt3 = (
  strategy: Pick<PatchStrategy, "id" | "summary" | "source" | "plan"> & Partial<PatchStrategy>,
): PatchStrategy => ({ ...int3(), ...strategy });

/** The plan of another strategy with something changed; what that one refuses stays refused. */
export const replanned =
  (base: PatchStrategy, change: (program: PatchProgram) => PatchProgram): PatchStrategy["plan"] =>
  (flip, context: PlanContext) => {
    const plan = base.plan(flip, context);
    return isImpossible(plan) ? plan : change(plan);
  };

/** One flip of one site by one strategy, an executor on each other CPU. */
export const oneFlip = (
  name: string,
  strategy: PatchStrategy,
  site: Omit<Site, "address">,
  more: Partial<Scenario> = {},
): Scenario => ({
  name,
  sites: [{ address: AT, ...site }],
  patchers: [{ strategy, sites: [0], flips: 1 }],
  cpus: 2,
  ...more,
});

/** Where the code lies that a kprobe stays armed on, which has nothing to do with the patching. */
const PROBED = AT + 0x100n;

/** A kprobe's handler: its INT3 stands for an instruction that it runs out of line. It is asked after the patcher's. */
export const kprobeHandler: readonly Line[] = [
  lookup("kprobe-find", "kprobe_table", "probed", "by address"),
  when("kprobe-ours", ne(local("probed"), null), [
    emulate("kprobe-run", local("probed"), "the copy of the probed instruction"),
    claim("kprobe-claim"),
  ]),
];

/** The return behind a site, and what compilers put behind a function. */
export const PADDED = "ret+int3+int3+int3+int3+int3";

/** What {@link kprobeHandler} knows: the no-operation at {@link PROBED}. */
export const kprobeTable = { kprobe_table: [{ address: PROBED, bytes: "90" }] };

/** An executor that runs the site, and the code with the armed kprobe. */
export const besideKprobe: Partial<Scenario> = {
  blocks: [{ address: PROBED, code: "int3+ret" }],
  executors: [{ entries: [AT, PROBED] }],
};
