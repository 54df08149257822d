import { InputError } from "./base/errors.js";
import type { Property } from "./contract/property.js";
import type { Scenario } from "./contract/scenario.js";
import type { CpuNumbers, Verdict } from "./contract/verdict.js";
import { type CheckOptions, countedProperties, withTimeLeft } from "./explorer/explorer.js";
import { pacedBy } from "./explorer/pace.js";
import { bitsOf } from "./explorer/search.js";
import { Steps } from "./explorer/steps.js";
import { OTHERS, Views, type ViewsEnd } from "./explorer/symbolic/views.js";
import { type Limit, LimitReached, Watch } from "./explorer/watch.js";
import type { Machine } from "./machine/machine.js";

/** With so many CPUs an alarm of the views is looked for at the most. */
const MOST_LOOKED_AT = 10;

/** What views of a scenario are made from. */
export type Viewed = {
  readonly machine: Machine;
  readonly properties: readonly Property[];
  readonly development: boolean;
};

/** What is asked about a scenario: what an ordinary check of it says, and what its views are made from. */
type Asking = {
  readonly check: (scenario: Scenario, options: CheckOptions) => Promise<Verdict>;
  /** Or why there are none: one sentence. */
  readonly viewed: (scenario: Scenario) => Viewed | string;
};

type Ended = ViewsEnd | { readonly end: "limit"; readonly limit: Limit };

/**
 * The verdict on a scenario with any number of CPUs: numbers that are too small for views are checked one by one, for all others views are
 * explored. Only a counterexample of an ordinary check makes it unsafe: behind an alarm of the views larger numbers are checked, the
 * smallest first. Where nobody said which memory order it is about, the views are asked in the order that decides (`other-order.ts`).
 */
export const forAnyNumber = async (
  { check, viewed }: Asking,
  scenario: Scenario,
  { cpus: _, ...options }: CheckOptions,
): Promise<Verdict> => {
  assertUncounted(scenario);
  const began = performance.now();
  const left = (): CheckOptions => withTimeLeft(options, performance.now() - began);
  const anchors = anchorsOf(scenario);
  const from = Math.max(2, ...anchors.map((cpu) => cpu + 1));
  // Views speak of numbers with more CPUs beside the anchors than they hold.
  const few = Math.max(from, anchors.length + OTHERS);
  const told = (verdict: Verdict, numbers: Omit<CpuNumbers, "from">): Verdict => ({
    ...verdict,
    seconds: (performance.now() - began) / 1000,
    bounds: options.bounds ?? {},
    numbers: { from, ...numbers },
  });
  const views = new Map<string, Ended>();
  for (let cpus = from; ; cpus++) {
    const verdict = await check({ ...scenario, cpus }, left());
    if (verdict.verdict === "unsafe") return told(verdict, { to: cpus, beyond: false, why: null });
    if (verdict.verdict === "inconclusive") return told(verdict, { to: cpus - 1, beyond: false, why: null });
    if (cpus < few) continue;
    const notKnown = (limit: Limit | "cpus", why: string | null): Verdict =>
      told({ ...verdict, verdict: "inconclusive", limit }, { to: cpus, beyond: false, why });
    const memory = scenario.memory ?? (verdict.otherOrder?.memory === "sequential" ? "architectural" : "sequential");
    const asked = { ...scenario, memory, cpus: Math.max(from, anchors.length + OTHERS + 1) };
    const found = views.get(memory) ?? (await viewsOf(asked, anchors, viewed, left()));
    views.set(memory, found);
    if (found.end === "closed") return told(verdict, { to: cpus, beyond: true, why: null });
    if (found.end === "limit") return notKnown(found.limit, null);
    if (found.end === "unknown" || cpus >= MOST_LOOKED_AT) return notKnown("cpus", found.why);
  }
};

/** Throws {@link InputError} where a scenario says how many executors there are. */
const assertUncounted = ({ executors = [] }: Scenario): void => {
  const counted = executors.findIndex(({ count = 0 }) => count > 0);
  if (counted < 0) return;
  throw new InputError(
    "With any number of CPUs all that no patcher runs on run the same code; an executor has no count.",
    {
      place: `executors[${counted}].count`,
      code: "conflict",
    },
  );
};

/** The CPUs that are unlike the others, in ascending order: those of the patchers, and the first. */
const anchorsOf = ({ patchers }: Scenario): readonly number[] =>
  [...new Set([0, ...patchers.map(({ cpu }, index) => cpu ?? index)])].sort((a, b) => a - b);

const viewsOf = async (
  scenario: Scenario,
  anchors: readonly number[],
  viewed: Asking["viewed"],
  { bounds = {}, memory, signal, onProgress }: CheckOptions,
): Promise<Ended> => {
  if (scenario.preempt === true)
    return {
      end: "unknown",
      why: "With preemption there are as many parked tasks as there are CPUs, which views do not hold.",
    };
  const of = viewed(scenario);
  if (typeof of === "string") return { end: "unknown", why: of };
  const { machine, properties, development } = of;
  const [counting] = machine.layout.counting;
  if (counting !== undefined)
    return { end: "unknown", why: `The strategy ${counting} asks how many CPUs there are, and plans for as many.` };
  const active = bitsOf(countedProperties(scenario, properties), properties);
  if (active === 0) return { end: "unknown", why: "Nothing counts but `progress`, of which views tell nothing." };
  const views = new Views(new Steps(machine, properties, development), properties, active);
  const watch = new Watch(bounds, memory ?? (() => views.bytes), signal);
  try {
    return await views.explore(
      anchors,
      pacedBy(watch, (milliseconds) => onProgress?.(views.progress(milliseconds))),
    );
  } catch (error) {
    if (error instanceof LimitReached) return { end: "limit", limit: error.limit };
    throw error;
  }
};
