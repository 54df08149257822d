import {
  countedProperties,
  createSimulation,
  InputError,
  type PropertyId,
  parseAddition,
  type Scenario,
  synchronisationsOf,
  type Verdict,
} from "@cmodx/core";
import { Random } from "./random.js";
import { type ArchitectureId, architectures, machineOf, type RandomScenario } from "./scenarios.js";

/*
 * Two scenarios of which one can do all that the other can: what breaks in the one that can do less breaks in the other. Of every
 * property but `progress` (an added wait may deadlock) and `trace` (an added event explains).
 */

/** A scenario and one that can do more. */
export type Pair = {
  readonly kind: "IRQs" | "NMIs" | "preemption" | "one CPU more" | "weaker fetch model" | "synchronisation left out";
  /** What the one has over the other. */
  readonly what: string;
  readonly less: RandomScenario;
  readonly more: RandomScenario;
  /** The two are of models that cut stores or warn of mixes otherwise, so that another property may break sooner on the same way. */
  readonly otherwise?: true;
};

/** Fetch models by what they allow: each allows all that those behind it allow. */
const weaker: { readonly [id in ArchitectureId]: readonly (readonly string[])[] } = {
  x86: [
    ["intel", "intel-otc", "coherent"],
    ["amd", "amd-ordered", "coherent"],
  ],
  arm64: [["none", "idc", "idc+dic"]],
  armv7: [],
  riscv: [["zifencei", "ziccif", "ziccid"]],
};

const changed = (base: RandomScenario, change: Partial<Scenario>): RandomScenario => ({
  ...base,
  scenario: { ...base.scenario, ...change },
});

/** The pairs that a scenario is one side of; `seed` draws what is added where. */
export const pairsOf = (id: ArchitectureId, base: RandomScenario, seed: number): readonly Pair[] => {
  const random = new Random(seed);
  const { scenario, architecture } = base;
  const { irq = false, nmi = false } = scenario.interrupts ?? {};
  const pairs: Pair[] = [];
  const wider = (kind: Pair["kind"], change: Partial<Scenario>): void => {
    pairs.push({ kind, what: kind, less: base, more: changed(base, change) });
  };
  if (!irq) wider("IRQs", { interrupts: { irq: true, nmi } });
  if (!nmi) wider("NMIs", { interrupts: { irq, nmi: true } });
  if (scenario.preempt !== true) wider("preemption", { preempt: true });
  wider("one CPU more", { cpus: scenario.cpus + 1 });

  const order = random.pick(weaker[id].length === 0 ? [[]] : weaker[id]);
  const at = order.indexOf(architecture.fetch.id);
  for (const fetch of at < 0 ? [] : order.slice(at + 1)) {
    const less = { ...base, architecture: architectures[id].create({ fetch }) };
    if (machineOf(createSimulation({ architecture: less.architecture }), scenario) !== undefined)
      pairs.push({
        kind: "weaker fetch model",
        what: `${architecture.fetch.id} for ${fetch}`,
        less,
        more: base,
        otherwise: true,
      });
  }

  const simulation = createSimulation({ architecture });
  const machine = simulation.machine(scenario);
  const kind = random.pick(synchronisationsOf(machine)).kind;
  // What was added before has a name that no addition can stand behind.
  const steps = (machine.layout.steps[0] ?? []).filter((step) => !step.includes("@"));
  const name = `${kind}@${steps.length === 0 ? "start" : random.pick(steps)}`;
  const [first, ...others] = scenario.patchers;
  if (first !== undefined && first.add?.some(({ line }) => line.id === name) !== true) {
    const add = [...(first.add ?? []), parseAddition(name, machine)];
    const less = changed(base, { patchers: [{ ...first, add }, ...others] });
    if (machineOf(simulation, less.scenario) !== undefined)
      pairs.push({ kind: "synchronisation left out", what: `without ${name}`, less, more: base });
  }
  return pairs;
};

/**
 * The properties that break though less can happen; undefined where one of the two has more states than `most`.
 */
export const onlyInLess = async (
  { less, more, otherwise }: Pair,
  most: number,
): Promise<readonly string[] | undefined> => {
  const fewer = await brokenIn(less, most);
  // What breaks nothing has nothing that the other could lack.
  if (fewer === undefined || fewer.size === 0) return fewer === undefined ? undefined : [];
  const all = await brokenIn(more, 8 * most);
  if (all === undefined || (otherwise && all.size > 0)) return all === undefined ? undefined : [];
  return [...fewer].filter((id) => !all.has(id));
};

/** What breaks on some way before anything else did. */
const brokenIn = async (
  { architecture, scenario }: RandomScenario,
  most: number,
): Promise<ReadonlySet<string> | undefined> => {
  const left: readonly PropertyId[] = ["progress", "trace"];
  const of: Scenario = { ...scenario, ignore: [...(scenario.ignore ?? []), ...left] };
  const counted = countedProperties(of);
  const options = { bounds: { states: most }, beyond: Number.MAX_SAFE_INTEGER, shortest: false };
  let verdict: Verdict;
  try {
    verdict = await createSimulation({ architecture }).check(of, options);
  } catch (error) {
    // What a run finds out does not fit together.
    if (error instanceof InputError) return undefined;
    throw error;
  }
  if (verdict.verdict === "inconclusive" || verdict.states >= most) return undefined;
  if (verdict.verdict !== "unsafe") return new Set();
  const broken = [...verdict.broken.map(({ property }) => property), ...verdict.alsoBroken];
  return new Set(broken.filter((id) => counted.has(id)));
};
