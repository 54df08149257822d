import {
  type CheckOptions,
  createSimulation,
  type Patcher,
  type PatchStrategy,
  type Scenario,
  type Verdict,
} from "@cmodx/core";
import { fetchModels, x86 } from "@cmodx/x86";

/** A 64-byte line; the sites of these tests lie in it. */
export const LINE = 0xffff_ffff_8100_0000n;

/** Offset in the line from which five bytes reach into the next. */
export const CROSSING = 0x3e;

export const profiles = fetchModels.map(({ id }) => id);

/** The environments in which things can come between: each alone. */
export const environments: readonly (readonly [string, Partial<Scenario>])[] = [
  ["nothing else", {}],
  ["IRQs", { interrupts: { irq: true } }],
  ["NMIs", { interrupts: { nmi: true } }],
  ["preemption", { preempt: true }],
];

export type Options = Partial<Scenario> & {
  /** `OLD:NEW`. */
  readonly site?: string;
  readonly offset?: number;
  readonly patcher?: Partial<Patcher>;
};

/** Two CPUs, a site that changes there and back. */
export const scenario = (strategy: PatchStrategy, options: Options = {}): Scenario => {
  const { site = "nop5:call", offset = 0, patcher = {}, ...more } = options;
  const [old = "", next = ""] = site.split(":");
  return {
    name: `${strategy.id} ${site}`,
    sites: [{ address: LINE + BigInt(offset), old, new: next }],
    patchers: [{ strategy, sites: [0], flips: 2, ...patcher }],
    cpus: 2,
    ...more,
  };
};

export const check = (
  fetch: string,
  strategy: PatchStrategy,
  options: Options = {},
  how: CheckOptions = {},
): Promise<Verdict> => createSimulation({ architecture: x86({ fetch }) }).check(scenario(strategy, options), how);

/** The verdict, and the first property that broke. */
export const answer = (verdict: Verdict): string =>
  verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;

/** The verdict by profile, without a look at what else breaks. */
export const answers = async (
  strategy: PatchStrategy,
  options: Options = {},
): Promise<{ readonly [profile: string]: string }> =>
  Object.fromEntries(
    await Promise.all(
      profiles.map(
        async (profile) => [profile, answer(await check(profile, strategy, options, { beyond: 0 }))] as const,
      ),
    ),
  );

/** Everything that broke on some way. */
export const allBroken = (verdict: Verdict): readonly string[] =>
  verdict.verdict === "unsafe" ? [...verdict.broken.map(({ property }) => property), ...verdict.alsoBroken] : [];
