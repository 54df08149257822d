import * as core from "@cmodx/core";
import {
  createSimulation,
  type Impossible,
  InputError,
  isImpossible,
  type Machine,
  type PatchProgram,
  type Property,
  parseAddition,
  propertyIds,
  type Scenario,
  type Simulation,
} from "@cmodx/core";
import { type Catalogue, create } from "./catalogue.js";
import { isInputError, messageOf } from "./errors.js";
import { importDefault } from "./modules.js";
import { isScenario, type Request, type ScenarioRequest, type StrategyRequest } from "./request.js";
import { listed, nearest } from "./text.js";

/** What a verdict is about: a request, and all that was made of it. */
export type Subject = {
  readonly request: Request;
  readonly simulation: Simulation;
  readonly scenario: Scenario;
  readonly machine: Machine;
  /** Id of the architecture. */
  readonly architecture: string;
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
  const strategy = catalogue.strategy(request.strategy, id, request.width);
  const { site, cpus, flips, irq, nmi, preempt, user, memory, drop, add = [], properties, ignore } = request;
  const scenario: Scenario = {
    name: request.strategy,
    sites: [{ ...site, address: BigInt(site.address) }],
    patchers: [{ strategy, sites: [0], flips, drop }],
    cpus,
    interrupts: { irq, nmi },
    preempt,
    ...(user === undefined ? {} : { user }),
    memory,
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
    const { properties, ignore } = request;
    const scenario: Scenario = {
      ...parseScenario(made, file),
      ...(properties === undefined ? {} : { properties }),
      ...(ignore === undefined ? {} : { ignore }),
    };
    return assemble(request, scenario, request.architecture ?? architectureOf(scenario, catalogue), catalogue);
  } catch (error) {
    // Whatever its code throws is about the input; that of core names what does not fit together.
    if (isInputError(error)) throw error;
    throw new InputError(`The scenario module ${file} throws: ${messageOf(error)}`, { file, cause: error });
  }
};

const parseScenario = (value: unknown, file: string): Scenario => {
  const scenario = value as Partial<Scenario> | null;
  const missing =
    typeof scenario !== "object" || scenario === null
      ? "it is no object"
      : !Array.isArray(scenario.sites)
        ? "it has no list of sites"
        : !Array.isArray(scenario.patchers)
          ? "it has no list of patchers"
          : scenario.patchers.some(
                (patcher) => typeof patcher?.strategy?.plan !== "function" || !Array.isArray(patcher.sites),
              )
            ? "a patcher of it has no strategy or no list of sites"
            : typeof scenario.cpus !== "number"
              ? "it does not say how many cpus there are"
              : undefined;
  if (missing !== undefined) {
    throw new InputError(`The scenario module ${file} gives no scenario: ${missing}.`, {
      file,
      place: "default export",
    });
  }
  return { ...(scenario as Scenario), name: scenario?.name ?? file };
};

/** The architecture that all strategies of a scenario are for. */
const architectureOf = (scenario: Scenario, catalogue: Catalogue): string => {
  const fits = [...catalogue.architectures.keys()].filter((id) =>
    scenario.patchers.every(({ strategy }) => strategy.architectures === "any" || strategy.architectures.includes(id)),
  );
  if (fits.length === 1 || fits.includes("x86")) return fits.length === 1 ? (fits[0] as string) : "x86";
  throw new InputError("The strategies of the scenario do not say which architecture it is for; use --arch.", {
    place: "--arch",
  });
};

const assemble = (request: Request, scenario: Scenario, id: string, catalogue: Catalogue): Subject => {
  const architecture = create(catalogue.architecture(id), request.fetch);
  const simulation = createSimulation({ architecture, plugins: catalogue.parts });
  const { properties: _, ignore: __, ...unasked } = scenario;
  assertProperties(request, simulation.properties(unasked));
  return { request, simulation, scenario, machine: simulation.machine(scenario), architecture: id };
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
  if (site === undefined || strategy === undefined) throw new InputError("A scenario has a site and a patcher.");
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
