import { type Arm64Options, arm64 } from "@cmodx/arm64";
import {
  type CheckOptions,
  createSimulation,
  type Patcher,
  type PatchStrategy,
  type Scenario,
  type Verdict,
} from "@cmodx/core";
import { expect } from "vitest";

/** Where the sites of these tests lie. */
export const AT = arm64().base;

/** The cache types that the architecture knows, the weakest first. */
export const cacheTypes = ["none", "idc", "idc+dic"] as const;

/** All fetch models, that of the erratum among them. */
export const profiles = arm64().fetchModels.map(({ id }) => id);

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

/** Two CPUs, a site that changes there and back; by default the strategy's own. */
export const scenario = (strategy: PatchStrategy, options: Options = {}): Scenario => {
  const { site = strategy.defaultSite as string, offset = 0, patcher = {}, ...more } = options;
  const [old = "", next = ""] = site.split(":");
  return {
    name: `${strategy.id} ${site}`,
    sites: [{ address: AT + BigInt(offset), old, new: next }],
    patchers: [{ strategy, sites: [0], flips: 2, ...patcher }],
    cpus: 2,
    ...more,
  };
};

export const check = (
  fetch: string | Arm64Options,
  strategy: PatchStrategy,
  options: Options = {},
  how: CheckOptions = {},
): Promise<Verdict> =>
  createSimulation({ architecture: arm64(typeof fetch === "string" ? { fetch } : fetch) }).check(
    scenario(strategy, options),
    how,
  );

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

/** The same verdict under every profile. */
export const everywhere = (verdict: string): { readonly [profile: string]: string } =>
  Object.fromEntries(profiles.map((profile) => [profile, verdict]));

/** Everything that broke on some way. */
export const allBroken = (verdict: Verdict): readonly string[] =>
  verdict.verdict === "unsafe" ? [...verdict.broken.map(({ property }) => property), ...verdict.alsoBroken] : [];

/** A strategy touches no more than it declares, and is judged the same without reductions. */
export const expectSameWithoutReductions = async (strategy: PatchStrategy): Promise<void> => {
  for (const fetch of ["none", "idc+dic"]) {
    const simulation = createSimulation({ architecture: arm64({ fetch }), development: true });
    const asked = scenario(strategy, { interrupts: { irq: true }, patcher: { flips: 1 } });
    const [reduced, full] = [await simulation.check(asked), await simulation.check(asked, { reduce: false })];
    expect(answer(reduced), `${strategy.id} ${fetch}`).toBe(answer(full));
  }
};
