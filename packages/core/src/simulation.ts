import { forAnyNumber, type Viewed } from "./any-number.js";
import { InputError } from "./base/errors.js";
import { assertNesting } from "./base/maxima.js";
import type { Architecture } from "./contract/architecture.js";
import type { MemoryOrder } from "./contract/memory-order.js";
import type { Property } from "./contract/property.js";
import type { Scenario } from "./contract/scenario.js";
import type { PatchStrategy } from "./contract/strategy.js";
import type { Verdict } from "./contract/verdict.js";
import { type CheckOptions, countedProperties, EXPLORER, Explorer } from "./explorer/explorer.js";
import { listOutcomes, type Outcomes, type OutcomesOptions } from "./explorer/outcomes.js";
import { MACHINE, Machine } from "./machine/machine.js";
import { coreRules } from "./machine/rules.js";
import { sequential } from "./memory/sequential.js";
import { inEitherOrder } from "./other-order.js";
import { eventProperties } from "./properties/properties.js";
import { findRepairs, type RepairOptions, type Repairs } from "./repair.js";
import { type Model, type Replayed, replayTrace, type SavedTrace, saveTrace } from "./replay/saved-trace.js";
import { simulationOptionsSchema } from "./schema/architecture.js";
import { checkOptionsSchema, outcomesOptionsSchema, repairOptionsSchema, runOptionsSchema } from "./schema/options.js";
import { assertProperties, scenarioSchema } from "./schema/scenario.js";
import { assertFits } from "./schema/schema.js";
import { type Run, simulate } from "./simulator/simulator.js";
import type { WalkOptions } from "./simulator/walk.js";
import { type Plugin, partName, Wiring } from "./wiring/container.js";
import type { SimulationOptions } from "./wiring/options.js";
import {
  ARCHITECTURE,
  CACHE_MAINTENANCE,
  CPU,
  DEVELOPMENT,
  FETCH_MODEL,
  INSTRUCTION_SET,
  MEMORY,
  PROPERTIES,
  RULES,
  SCENARIO,
} from "./wiring/parts.js";

/** Runs scenarios on one architecture. Every call is wired afresh; calls do not see each other. */
export interface Simulation {
  /** Explores every interleaving of a scenario. Throws {@link InputError} when the scenario does not fit together. */
  check(scenario: Scenario, options?: CheckOptions): Promise<Verdict>;
  /** Lists every instruction that each CPU can execute at the sites, whatever breaks on the way. Throws as {@link check} does. */
  outcomes(scenario: Scenario, options?: OutcomesOptions): Promise<Outcomes>;
  /**
   * Looks for one synchronisation that makes an unsafe scenario safe when it is added somewhere to its programs. A repair is a scenario
   * that was checked as any other. Throws as {@link check} does.
   */
  repairs(scenario: Scenario, options?: RepairOptions): Promise<Repairs>;
  /** Runs one interleaving, that of a seed or one in which CPUs take turns, and counts what it costs. */
  simulate(scenario: Scenario, options?: Partial<WalkOptions>): Run;
  /** Puts a counterexample of a scenario into a form that can be written to a file; `request` is kept for the caller. */
  save(
    scenario: Scenario,
    verdict: Extract<Verdict, { readonly verdict: "unsafe" }>,
    request?: unknown,
  ): Promise<SavedTrace>;
  /** Replays a saved counterexample strictly; throws {@link InputError} when it is of another model. */
  replay(scenario: Scenario, saved: SavedTrace): Promise<Replayed>;
  /** All properties that are judged in a scenario, those of plugins and its own among them, but for `progress`. */
  properties(scenario: Scenario): readonly Property[];
  /** The machine of a scenario, for drivers of one's own. */
  machine(scenario: Scenario): Machine;
}

/** Makes a simulation. Throws {@link InputError} where the options have another form. */
export const createSimulation = (options: SimulationOptions): Simulation => {
  assertFits(simulationOptionsSchema, options, "options");
  const wire = (scenario: Scenario): Wiring => {
    assertNesting(withoutStrategies(scenario), "A scenario", "scenario");
    assertFits(scenarioSchema, scenario, "scenario");
    const wiring = new Wiring([corePlugin(options, scenario), ...(options.plugins ?? [])]);
    const properties = wiring.all(PROPERTIES) as readonly Property[];
    assertProperties(scenario, properties);
    // Made first and on its own: tsyringe would wrap its InputError when it is made as a dependency.
    wiring.get(MACHINE);
    return wiring;
  };
  const check: Simulation["check"] = async (scenario, checkOptions = {}) => {
    assertFits(checkOptionsSchema, checkOptions, "options");
    if (checkOptions.cpus === "any") return forAnyNumber({ check, viewed }, scenario, checkOptions);
    const wiring = wire(scenario);
    const architectural = wiring.get(MEMORY) === sequential ? wiring.get(ARCHITECTURE).memory : undefined;
    const explore = (of: Scenario, how: CheckOptions): Promise<Verdict> => wire(of).get(EXPLORER).check(how);
    const verdict = await inEitherOrder(explore, scenario, checkOptions, wiring.get(MACHINE), architectural);
    const plugins = (options.plugins ?? []).map(({ id, replaces = [] }) => ({ id, replaces: replaces.map(partName) }));
    return plugins.length === 0 ? verdict : { ...verdict, plugins };
  };
  const viewed = (scenario: Scenario): Viewed | string => {
    const replaced = (options.plugins ?? []).find(({ replaces = [] }) => replaces.includes(MACHINE));
    if (replaced !== undefined)
      return `The plugin ${replaced.id} replaces the machine, of which is not known whether it counts CPUs.`;
    const wiring = wire(scenario);
    return {
      machine: wiring.get(MACHINE),
      properties: wiring.all(PROPERTIES) as readonly Property[],
      development: wiring.get(DEVELOPMENT),
    };
  };
  const machine: Simulation["machine"] = (scenario) => wire(scenario).get(MACHINE);
  const properties: Simulation["properties"] = (scenario) => wire(scenario).all(PROPERTIES);
  const model = (scenario: Scenario): Model => {
    const wiring = wire(scenario);
    const judged = wiring.all(PROPERTIES) as readonly Property[];
    return {
      machine: wiring.get(MACHINE),
      properties: judged,
      counted: countedProperties(scenario, judged),
      plugins: options.plugins ?? [],
    };
  };
  return {
    check,
    outcomes: async (scenario, outcomesOptions = {}) => {
      assertFits(outcomesOptionsSchema, outcomesOptions, "options");
      const wiring = wire(scenario);
      return listOutcomes(wiring.get(MACHINE), wiring.get(DEVELOPMENT), outcomesOptions);
    },
    repairs: async (scenario, repairOptions = {}) => {
      assertFits(repairOptionsSchema, repairOptions, "options");
      return findRepairs({ properties: properties(scenario), check, machine }, scenario, repairOptions);
    },
    simulate: (scenario, runOptions = {}) => {
      assertFits(runOptionsSchema, runOptions, "options");
      const wiring = wire(scenario);
      if (runOptions.flips === undefined && scenario.patchers.some(({ flips }) => flips === "forever")) {
        throw new InputError("A run of a patcher that flips for ever needs a number of flips to stop after.", {
          place: "options.flips",
          code: "missing-field",
        });
      }
      return simulate(wiring.get(MACHINE), runOptions);
    },
    save: async (scenario, verdict, request = null) => saveTrace(model(scenario), verdict, request),
    replay: async (scenario, saved) => replayTrace(model(scenario), saved),
    properties,
    machine,
  };
};

/** Strategies have functions; what they plan is looked at when it is planned. */
const withoutStrategies = (scenario: Scenario): unknown =>
  Array.isArray(scenario?.patchers)
    ? { ...scenario, patchers: scenario.patchers.map((patcher) => ({ ...patcher, strategy: null })) }
    : scenario;

const memoryOrder = ({ memory = "sequential" }: Scenario, architecture: Architecture): MemoryOrder => {
  if (memory === "sequential") return sequential;
  if (architecture.memory !== undefined) return architecture.memory;
  throw new InputError(`${architecture.id} has no architectural memory order; use sequential.`, {
    place: "memory",
    code: "impossible",
  });
};

const corePlugin = (options: SimulationOptions, scenario: Scenario): Plugin => ({
  id: "@cmodx/core",
  install(binder) {
    const { architecture, development = false } = options;
    const replaced = new Set((options.plugins ?? []).flatMap((plugin) => plugin.replaces ?? []));
    const provide: typeof binder.provide = (token, value) => {
      if (!replaced.has(token)) binder.provide(token, value);
    };
    provide(ARCHITECTURE, architecture);
    provide(INSTRUCTION_SET, architecture.instructionSet);
    provide(FETCH_MODEL, architecture.fetch);
    provide(CACHE_MAINTENANCE, architecture.cache);
    provide(CPU, architecture.cpu);
    provide(MEMORY, memoryOrder(scenario, architecture));
    provide(SCENARIO, scenario);
    provide(DEVELOPMENT, development);
    binder.add(RULES, coreRules);
    for (const strategy of new Set(scenario.patchers.map((patcher) => patcher.strategy))) addRules(binder, strategy);
    for (const property of [...eventProperties, ...(scenario.judges ?? [])]) binder.add(PROPERTIES, property);
    if (!replaced.has(MACHINE)) binder.provideClass(MACHINE, Machine);
    if (!replaced.has(EXPLORER)) binder.provideClass(EXPLORER, Explorer);
  },
});

const addRules = (
  binder: Parameters<Plugin["install"]>[0],
  { rules = [], maps = [], predicates = [] }: PatchStrategy,
): void => {
  if (rules.length + maps.length + predicates.length > 0) binder.add(RULES, { rules, maps, predicates });
};
