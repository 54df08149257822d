import {
  type Architecture,
  createSimulation,
  InputError,
  isImpossible,
  type PatchStrategy,
  type Scenario,
  type Step,
  synchronisationsIn,
} from "@cmodx/core";
import type { Command } from "commander";
import { ablateText } from "../ablate-text.js";
import { fetchModelsOf, siteFromText } from "../ask.js";
import { type Catalogue, create, defaultSiteOf, loadCatalogue } from "../catalogue.js";
import { crossingOf } from "../crossing.js";
import { sequentialOf } from "../document.js";
import { isInputError } from "../errors.js";
import { breathe, colors, type Exit, exit, type Io, progressLine } from "../io.js";
import { type AblateJson, type AblateRowJson, type AblateSite, toJson } from "../json.js";
import { type Budget, budgetOf, cutShort, type LimitOptions, memoryInUse } from "../limits.js";
import { options } from "../options.js";
import { noWayBack, planFlip } from "../subject.js";
import { prose } from "../text.js";

type AblateOptions = Pick<LimitOptions, "maxStates" | "timeout"> & {
  readonly arch?: string;
  readonly strategy?: string;
  readonly site?: string;
  readonly fetch?: string;
  readonly cpus?: number;
  readonly irq?: boolean;
  readonly nmi?: boolean;
  readonly preempt?: boolean;
  readonly memory?: "sequential" | "architectural";
  readonly plugin?: readonly string[];
  readonly json?: boolean;
};

const DEFAULT_CPUS = 2;

/** All combinations of more steps than this would take too long: these are left out alone and in pairs. */
const MOST_COMBINED = 8;

const HELP = `
Leaves out every synchronisation of a strategy, alone and in all combinations, at a site inside one line and at one over two
lines. Of more than ${MOST_COMBINED} all single ones and all pairs are left out. A step is necessary where leaving it out alone is
unsafe. Barriers mean something in the architectural memory order only (--memory architectural); in the sequential one to leave
them out is not decided.`;

/** `cmodx ablate`: which synchronisations does a strategy need? */
export const addAblate = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("ablate")
    .summary("leave out synchronisations, alone and in all combinations")
    .addOption(options.arch)
    .addOption(options.strategy)
    .addOption(options.site)
    .addOption(options.fetch)
    .addOption(options.cpus(DEFAULT_CPUS))
    .addOption(options.irq)
    .addOption(options.nmi)
    .addOption(options.preempt)
    .addOption(options.memory)
    .addOption(options.decoder)
    .addOption(options.maxStates)
    .addOption(options.timeout)
    .addOption(options.plugin)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (asked: AblateOptions) => {
      const budget = budgetOf(asked, io);
      const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
      const document = await ablate(asked, catalogue, budget, io);
      io.out(asked.json ? toJson(document) : ablateText(document, colors(io.color)));
      leave(document.rows.some(({ verdict }) => verdict === "inconclusive") ? exit.inconclusive : exit.complete);
    });
};

const ablate = async (asked: AblateOptions, catalogue: Catalogue, budget: Budget, io: Io): Promise<AblateJson> => {
  if (asked.strategy === undefined) {
    throw new InputError("Say what to ablate with --strategy ID; `cmodx list` has the strategies.", {
      place: "--strategy",
      code: "usage",
    });
  }
  const id = asked.arch ?? catalogue.architectureOf(asked.strategy);
  const architecture = catalogue.architecture(id);
  const strategy = catalogue.strategy(asked.strategy, id);
  const fetches = fetchModelsOf(asked.fetch ?? "all", architecture);
  const first = create(architecture, fetches[0]);
  const text = asked.site ?? defaultSiteOf(strategy, first);
  if (text === undefined)
    throw new InputError(`${strategy.id} has no default site on ${id}; name one with --site.`, { code: "usage" });
  const profiles = fetches.map((fetch) => create(architecture, fetch));
  const steps = synchronisationsOf(strategy, text, first);
  const { memory = "sequential" } = asked;
  const isDecided = ({ op }: Step): boolean => op !== "fence" || memory === "architectural";
  const decided = steps.filter(isDecided).map((step) => step.id);
  const most = decided.length > MOST_COMBINED ? 2 : decided.length;
  const combinations = subsets(decided, most);
  const undecided = steps.filter((step) => !isDecided(step)).map((step) => [step.id]);
  const rows: AblateRowJson[] = [];
  const progress = progressLine(io);
  // Where no site of this length lies over two lines there is one place.
  const crossing = crossingOf(text, first);
  const places: readonly (readonly [AblateSite, number])[] = [
    ["in one line", 0],
    ...(crossing === undefined ? [] : [["crossing", crossing] as const]),
  ];
  const total = profiles.length * places.length * combinations.length;
  for (const made of profiles) {
    for (const [site, offset] of places) {
      const common = { profile: made.fetch.id, site };
      for (const dropped of combinations) {
        progress.show(`${rows.length + 1} of ${total}: ${made.fetch.id} ${site} without ${dropped.join(" ")}`);
        await breathe();
        rows.push({
          dropped,
          ...common,
          ...(await judge(made, strategy, text, offset, dropped, asked, catalogue, budget, io)),
        });
      }
      for (const dropped of undecided) {
        rows.push({
          dropped,
          ...common,
          verdict: "not decided",
          property: null,
          sequential: null,
          interruptsPerFlip: null,
        });
      }
    }
  }
  progress.clear();
  const { irq = false, nmi = false, preempt = false } = asked;
  const environment = { cpus: asked.cpus ?? DEFAULT_CPUS, irq, nmi, preempt, memory };
  return {
    schema: "cmodx/ablate/1",
    architecture: id,
    strategy: strategy.id,
    site: text,
    ...environment,
    steps: steps.map((step) => step.id),
    most,
    rows,
  };
};

const scenarioOf = (
  strategy: PatchStrategy,
  text: string,
  address: bigint,
  flips: number,
  dropped: readonly string[],
  { cpus = DEFAULT_CPUS, irq = false, nmi = false, preempt = false, memory }: AblateOptions,
): Scenario => ({
  name: `${strategy.id} without ${dropped.join(" ")}`,
  sites: [{ ...siteFromText(text, address), address }],
  patchers: [{ strategy, sites: [0], flips, drop: dropped }],
  cpus,
  interrupts: { irq, nmi },
  preempt,
  ...(memory === undefined ? {} : { memory }),
});

/** The synchronisations of the programs there and back, in the order in which they are written. */
const synchronisationsOf = (strategy: PatchStrategy, text: string, architecture: Architecture): readonly Step[] => {
  const scenario = scenarioOf(strategy, text, architecture.base, 1, [], {});
  const machine = createSimulation({ architecture }).machine(scenario);
  const found = new Map<string, Step>();
  for (const flip of [0, 1]) {
    const plan = planFlip({ machine, scenario }, flip);
    if (isImpossible(plan)) continue;
    for (const step of synchronisationsIn([...plan.main, ...Object.values(plan.traps ?? {}).flat()])) {
      found.set(step.id, step);
    }
  }
  return [...found.values()];
};

/** All subsets of at most so many elements, the smaller ones first. */
const subsets = ([first, ...rest]: readonly string[], most: number): readonly (readonly string[])[] => {
  if (first === undefined || most === 0) return [[]];
  const withFirst = subsets(rest, most - 1).map((each) => [first, ...each]);
  return [...withFirst, ...subsets(rest, most)].sort((a, b) => a.length - b.length);
};

const judge = async (
  architecture: Architecture,
  strategy: PatchStrategy,
  text: string,
  offset: number,
  dropped: readonly string[],
  asked: AblateOptions,
  catalogue: Catalogue,
  budget: Budget,
  io: Io,
): Promise<Pick<AblateRowJson, "verdict" | "property" | "sequential" | "interruptsPerFlip">> => {
  const without = (verdict: AblateRowJson["verdict"]) => ({
    verdict,
    property: null,
    sequential: null,
    interruptsPerFlip: null,
  });
  if (cutShort(budget, io) !== undefined) return without("inconclusive");
  const simulation = createSimulation({ architecture, plugins: catalogue.parts });
  const scenario = (flips: number, drop: readonly string[]): Scenario =>
    scenarioOf(strategy, text, architecture.base + BigInt(offset), flips, drop, asked);
  try {
    const there = scenario(1, []);
    const flips = noWayBack({ scenario: there, machine: simulation.machine(there) }) === undefined ? 2 : 1;
    const ablated = scenario(flips, dropped);
    const verdict = await simulation.check(ablated, {
      bounds: budget.left(),
      memory: memoryInUse,
      signal: io.signal,
      beyond: 0,
    });
    return {
      verdict: verdict.verdict,
      property: verdict.verdict === "unsafe" ? verdict.property : null,
      sequential: sequentialOf(verdict),
      interruptsPerFlip: interruptsPerFlip(simulation, ablated),
    };
  } catch (error) {
    if (isInputError(error)) return without("impossible");
    throw error;
  }
};

/** Null where the patch call does not come to an end. */
const interruptsPerFlip = (simulation: ReturnType<typeof createSimulation>, scenario: Scenario): number | null => {
  try {
    const run = simulation.simulate(scenario);
    return run.interrupts / run.flips;
  } catch (error) {
    if (isInputError(error)) return null;
    throw error;
  }
};
