import { armv7 } from "@cmodx/armv7";
import {
  createSimulation,
  type Patcher,
  type PatchStrategy,
  type Scenario,
  type Site,
  type Verdict,
} from "@cmodx/core";

export type State = "a32" | "t32";

/** A 64-byte line; the sites of these tests lie in it. */
export const LINE = armv7().base;

/** The environments in which things can come between: each alone. */
export const environments: readonly (readonly [string, Partial<Scenario>])[] = [
  ["nothing else", {}],
  ["IRQs", { interrupts: { irq: true } }],
  ["FIQs", { interrupts: { nmi: true } }],
  ["preemption", { preempt: true }],
];

export type Options = Partial<Scenario> & {
  /** `OLD:NEW`. */
  readonly site?: string;
  readonly offset?: number;
  readonly patcher?: Partial<Patcher>;
  readonly code?: Partial<Site>;
};

/** Two CPUs, a site that changes there and back. */
export const scenario = (strategy: PatchStrategy, options: Options = {}): Scenario => {
  const { site = "nop:b", offset = 0, patcher = {}, code = {}, ...more } = options;
  const [old = "", next = ""] = site.split(":");
  return {
    name: `${strategy.id} ${site}`,
    sites: [{ address: LINE + BigInt(offset), old, new: next, ...code }],
    patchers: [{ strategy, sites: [0], flips: 2, ...patcher }],
    cpus: 2,
    ...more,
  };
};

export const simulation = (state: State) => createSimulation({ architecture: armv7({ fetch: state }) });

export const check = (state: State, strategy: PatchStrategy, options: Options = {}): Promise<Verdict> =>
  simulation(state).check(scenario(strategy, options));

/** The verdict, and the first property that broke. */
export const answer = (verdict: Verdict): string =>
  verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;

/** Everything that broke on some way. */
export const allBroken = (verdict: Verdict): readonly string[] =>
  verdict.verdict === "unsafe" ? [...verdict.broken.map(({ property }) => property), ...verdict.alsoBroken] : [];
