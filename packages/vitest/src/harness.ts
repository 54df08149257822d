import {
  type Architecture,
  type CheckOptions,
  createSimulation,
  type Patcher,
  type PatchStrategy,
  type Scenario,
  type Site,
  type Verdict,
} from "@cmodx/core";
import { answerOf } from "./answers.js";

/** The environments in which things can come between, each alone, by what is said of them. */
export const environments: readonly (readonly [string, Partial<Scenario>])[] = [
  ["nothing else", {}],
  ["IRQs", { interrupts: { irq: true } }],
  ["NMIs", { interrupts: { nmi: true } }],
  ["preemption", { preempt: true }],
];

/** What a test says of the one site that its strategy changes; fields of a scenario come as they are. */
export type FlipOptions = Partial<Scenario> & {
  /** `OLD:NEW`; default: that of the harness, else the strategy's own. */
  readonly site?: string;
  /** Bytes from the harness's place; default 0. */
  readonly offset?: number;
  readonly patcher?: Partial<Patcher>;
  readonly code?: Partial<Site>;
};

/** Questions about one site that a strategy changes there and back on two CPUs. */
export type Harness<F> = {
  scenario(strategy: PatchStrategy, options?: FlipOptions): Scenario;
  /** The verdict under a fetch model. */
  check(fetch: F, strategy: PatchStrategy, options?: FlipOptions, how?: CheckOptions): Promise<Verdict>;
  /** The answer under each fetch model, without a look at what else breaks. */
  answers(strategy: PatchStrategy, options?: FlipOptions): Promise<{ readonly [fetch: string]: string }>;
  /** The same answer under every fetch model. */
  everywhere(answer: string): { readonly [fetch: string]: string };
};

/**
 * A harness for the tests of an architecture's strategies. `make`: the architecture with a fetch model; `at`: where the site lies; `models`:
 * the ids of the fetch models that `answers` asks under.
 */
export const harness = <F>(
  make: (fetch: F) => Architecture,
  { at, site, models }: { readonly at: bigint; readonly site?: string; readonly models: readonly (F & string)[] },
): Harness<F> => {
  const scenario: Harness<F>["scenario"] = (strategy, options = {}) => {
    const {
      site: given = site ?? (strategy.defaultSite as string),
      offset = 0,
      patcher = {},
      code = {},
      ...more
    } = options;
    const [old = "", next = ""] = given.split(":");
    return {
      name: `${strategy.id} ${given}`,
      sites: [{ address: at + BigInt(offset), old, new: next, ...code }],
      patchers: [{ strategy, sites: [0], flips: 2, ...patcher }],
      cpus: 2,
      ...more,
    };
  };
  const ask = (fetch: F, strategy: PatchStrategy, options?: FlipOptions, how?: CheckOptions): Promise<Verdict> =>
    createSimulation({ architecture: make(fetch) }).check(scenario(strategy, options), how);
  return {
    scenario,
    check: ask,
    answers: async (strategy, options) =>
      Object.fromEntries(
        await Promise.all(
          models.map(async (fetch) => [fetch, answerOf(await ask(fetch, strategy, options, { beyond: 0 }))] as const),
        ),
      ),
    everywhere: (answer) => Object.fromEntries(models.map((fetch) => [fetch, answer])),
  };
};
