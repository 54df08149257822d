import {
  type CheckOptions,
  createSimulation,
  type Patcher,
  type PatchStrategy,
  type Scenario,
  type Verdict,
} from "@cmodx/core";
import { fetchModels, riscv } from "@cmodx/riscv";

/** A 64-byte line; the sites of these tests lie in it. */
export const LINE = 0xffff_ffff_8020_0000n;

export const profiles = fetchModels.map(({ id }) => id);

export type Options = Partial<Scenario> & {
  /** `OLD:NEW`. */
  readonly site?: string;
  readonly offset?: number;
  readonly patcher?: Partial<Patcher>;
};

/** Two CPUs, a site that changes there and back. */
export const scenario = (strategy: PatchStrategy, options: Options = {}): Scenario => {
  const { site = strategy.defaultSite as string, offset = 0, patcher = {}, ...more } = options;
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
): Promise<Verdict> => createSimulation({ architecture: riscv({ fetch }) }).check(scenario(strategy, options), how);

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
export const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

/** Everything that broke in the last step. */
export const brokenIn = (verdict: Verdict): readonly string[] =>
  verdict.verdict === "unsafe" ? verdict.broken.map(({ property }) => property) : [];
