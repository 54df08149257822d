import * as core from "@cmodx/core";
import {
  assertScenario,
  createSimulation,
  didYouMean,
  type Impossible,
  InputError,
  isImpossible,
  listed,
  type Machine,
  nearest,
  type Patcher,
  type PatchProgram,
  type Property,
  parseAddition,
  propertyIds,
  type Scenario,
  type Simulation,
} from "@cmodx/core";
import { type Catalogue, create } from "./catalogue.js";
import { isInputError, messageOf } from "./errors.js";
import type { VariationJson } from "./json.js";
import { importDefault } from "./modules.js";
import { isScenario, type Request, type ScenarioRequest, type StrategyRequest } from "./request.js";

/** What a verdict is about: a request, and all that was made of it. */
export type Subject = {
  readonly request: Request;
  readonly simulation: Simulation;
  readonly scenario: Scenario;
  readonly machine: Machine;
  /** Id of the architecture. */
  readonly architecture: string;
  /** What was asked for in place of what the scenario's module says. */
  readonly variations: readonly VariationJson[];
};

/**
 * Makes the model that a request asks for. Throws {@link InputError} when it does not fit together.
 *
 * `folder`: what the request's paths are relative to.
 */
export const subjectOf = async (request: Request, catalogue: Catalogue, folder: string): Promise<Subject> =>
  isScenario(request) ? fromModule(request, catalogue, folder) : fromStrategy(request, catalogue);

const fromStrategy = (request: Request & StrategyRequest, catalogue: Catalogue): Subject => {
  const id = request.architecture ?? catalogue.architectureOf(request.strategy);
  const strategy = catalogue.strategy(request.strategy, id, request);
  const {
    site,
    cpus,
    flips,
    irq,
    nmi,
    preempt,
    user,
    nestedIret,
    memory,
    decoder,
    drop,
    add = [],
    properties,
    ignore,
  } = request;
  const scenario: Scenario = {
    name: request.strategy,
    sites: [{ ...site, address: BigInt(site.address) }],
    patchers: [{ strategy, sites: [0], flips, drop }],
    cpus,
    interrupts: { irq, nmi, ...(nestedIret === undefined ? {} : { nestedIret }) },
    preempt,
    ...(user === undefined ? {} : { user }),
    ...(memory === undefined ? {} : { memory }),
    ...(decoder === undefined ? {} : { decoder }),
    ...(properties === undefined ? {} : { properties }),
    ...(ignore === undefined ? {} : { ignore }),
  };
  const planned = assemble(request, scenario, id, catalogue);
  if (add.length === 0) return planned;
  // Which synchronisations there are is the machine's word.
  const added = add.map((text) => parseAddition(text, planned.machine));
  const patchers = scenario.patchers.map((patcher) => ({ ...patcher, add: added }));
  return assemble(request, { ...scenario, patchers }, id, catalogue);
};

const fromModule = async (
  request: Request & ScenarioRequest,
  catalogue: Catalogue,
  folder: string,
): Promise<Subject> => {
  const file = request.scenario;
  const exported = await importDefault(file, folder);
  const architectures = [...catalogue.architectures.values()].map(({ id, exports = {} }) => [id, exports] as const);
  try {
    const made =
      typeof exported === "function" ? await exported({ ...core, ...Object.fromEntries(architectures) }) : exported;
    const given = typeof made === "object" && made !== null && !("name" in made) ? { name: file, ...made } : made;
    assertScenario(given, file);
    const { properties, ignore } = request;
    const scenario: Scenario = {
      ...varied(given, request),
      ...(properties === undefined ? {} : { properties }),
      ...(ignore === undefined ? {} : { ignore }),
    };
    const id = request.architecture ?? architectureOf(scenario, catalogue);
    const planned = assemble(request, scenario, id, catalogue);
    const { drop = [], add = [] } = request;
    const subject =
      drop.length + add.length === 0
        ? planned
        : assemble(request, { ...scenario, patchers: editedPatchers(planned, drop, add) }, id, catalogue);
    return { ...subject, variations: variationsOf(given, request) };
  } catch (error) {
    // Whatever its code throws is about the input; that of core names what does not fit together.
    if (isInputError(error)) throw error;
    throw new InputError(`The scenario module ${file} throws: ${messageOf(error)}`, {
      file,
      cause: error,
      code: "unreadable",
    });
  }
};

/** The scenario of a module with what was asked for in place of what it says. */
const varied = (
  scenario: Scenario,
  { cpus, irq, nmi, nestedIret, preempt, user, memory, decoder }: ScenarioRequest,
): Scenario => ({
  ...scenario,
  ...(cpus === undefined ? {} : { cpus }),
  ...(irq || nmi || nestedIret !== undefined
    ? {
        interrupts: {
          ...scenario.interrupts,
          // What handlers do stays the module's word.
          ...(irq && !scenario.interrupts?.irq ? { irq } : {}),
          ...(nmi && !scenario.interrupts?.nmi ? { nmi } : {}),
          ...(nestedIret === undefined ? {} : { nestedIret }),
        },
      }
    : {}),
  ...(preempt === undefined ? {} : { preempt }),
  ...(user === undefined ? {} : { user }),
  ...(memory === undefined ? {} : { memory }),
  ...(decoder === undefined ? {} : { decoder }),
});

/** The options that vary a module, and what it says itself. */
const variationsOf = (scenario: Scenario, request: ScenarioRequest): readonly VariationJson[] => {
  const { cpus, irq, nmi, nestedIret, preempt, user, memory, decoder, drop = [], add = [] } = request;
  const { interrupts } = scenario;
  const is = (on: unknown): string => (on ? "on" : "off");
  const options: readonly (readonly [option: string, asked: string | undefined, module: string | null])[] = [
    ["--cpus", cpus?.toString(), scenario.cpus.toString()],
    ["--irq", irq ? "on" : undefined, is(interrupts?.irq)],
    ["--nmi", nmi ? "on" : undefined, is(interrupts?.nmi)],
    ["--nested-iret", nestedIret, interrupts?.nestedIret ?? "guarded"],
    ["--preempt", preempt ? "on" : undefined, is(scenario.preempt)],
    ["--user", user === undefined ? undefined : is(user), scenario.user === undefined ? null : is(scenario.user)],
    ["--memory", memory, scenario.memory ?? "sequential"],
    ["--decoder", decoder, scenario.decoder ?? "instants"],
    ...drop.map((id) => ["--drop", id, null] as const),
    ...add.map((text) => ["--add", text, null] as const),
  ];
  return options.flatMap(([option, asked, module]) => (asked === undefined ? [] : [{ option, asked, module }]));
};

/** The patchers with steps left out and synchronisations put in: each in all programs that have the step. */
const editedPatchers = (
  { scenario, machine }: Pick<Subject, "scenario" | "machine">,
  drop: readonly string[],
  add: readonly string[],
): readonly Patcher[] => {
  const additions = add.map((text) => parseAddition(text, machine));
  const steps = machine.layout.steps;
  const all = new Set(steps.flat());
  const missing = [...drop, ...additions.map(({ after }) => after)].find((id) => id !== null && !all.has(id));
  if (missing !== undefined && missing !== null) {
    throw new InputError(`No program of the scenario has a step ${missing}${didYouMean(missing, all)}`, {
      place: drop.includes(missing) ? "--drop" : "--add",
      code: "unknown-name",
    });
  }
  return scenario.patchers.map((patcher, i) => {
    const has = (id: string | null): boolean => id === null || steps[i]?.includes(id) === true;
    return {
      ...patcher,
      drop: [...(patcher.drop ?? []), ...drop.filter(has)],
      add: [...(patcher.add ?? []), ...additions.filter(({ after }) => has(after))],
    };
  });
};

/** The architecture that all strategies of a scenario are for. */
const architectureOf = (scenario: Scenario, catalogue: Catalogue): string => {
  const fits = [...catalogue.architectures.keys()].filter((id) =>
    scenario.patchers.every(({ strategy }) => strategy.architectures === "any" || strategy.architectures.includes(id)),
  );
  if (fits.length === 1 || fits.includes("x86")) return fits.length === 1 ? (fits[0] as string) : "x86";
  throw new InputError("The strategies of the scenario do not say which architecture it is for; use --arch.", {
    place: "--arch",
    code: "usage",
  });
};

const assemble = (request: Request, scenario: Scenario, id: string, catalogue: Catalogue): Subject => {
  const architecture = create(catalogue.architecture(id), request.fetch);
  const simulation = createSimulation({ architecture, plugins: catalogue.parts });
  const { properties: _, ignore: __, ...unasked } = scenario;
  assertProperties(request, simulation.properties(unasked));
  return { request, simulation, scenario, machine: simulation.machine(scenario), architecture: id, variations: [] };
};

/** Throws {@link InputError} unless the properties that a request names are judged here. */
const assertProperties = ({ properties = [], ignore = [] }: Request, judged: readonly Property[]): void => {
  const known = [...new Set([...propertyIds, ...judged.map(({ id }) => id)])];
  for (const [flag, asked] of Object.entries({ "--property": properties, "--ignore": ignore })) {
    const unknown = asked.find((id) => !known.includes(id));
    if (unknown === undefined) continue;
    const near = nearest(unknown, known);
    throw new InputError(`${flag} takes properties (${listed(near.length > 0 ? near : known)}), not ${unknown}.`, {
      place: flag,
      code: "unknown-name",
    });
  }
};

/** What a strategy plans for a flip of the first site, from 0: even ones go there, odd ones back. */
export const planFlip = (
  { machine, scenario }: Pick<Subject, "machine" | "scenario">,
  flip: number,
): PatchProgram | Impossible => {
  const site = machine.layout.sites[0];
  const strategy = scenario.patchers[0]?.strategy;
  if (site === undefined || strategy === undefined)
    throw new InputError("A scenario has a site and a patcher.", { code: "missing-field" });
  const [old, next] = flip % 2 === 0 ? site.versions : ([site.versions[1], site.versions[0]] as const);
  const flipped = { address: site.address, old: old.bytes, next: next.bytes };
  const { instructionSet, cpus, fetch } = machine;
  return strategy.plan({ sites: [flipped] }, { instructionSet, mode: site.mode, cpus, reports: fetch.reports });
};

/** Why a strategy cannot change a site back; undefined when it can. */
export const noWayBack = (there: Pick<Subject, "machine" | "scenario">): string | undefined => {
  const plan = planFlip(there, 1);
  return isImpossible(plan) ? plan.impossible : undefined;
};
