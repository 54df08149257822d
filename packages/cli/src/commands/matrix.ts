import { type Architecture, createSimulation, type PatchStrategy, type Scenario } from "@cmodx/core";
import { whyOf } from "@cmodx/view";
import type { Command } from "commander";
import { fetchModelsOf, siteFromText } from "../ask.js";
import { type Catalogue, create, defaultSiteOf, loadCatalogue } from "../catalogue.js";
import { crossingOf } from "../crossing.js";
import { sequentialOf } from "../document.js";
import { isInputError } from "../errors.js";
import { breathe, colors, type Exit, exit, type Io, progressLine } from "../io.js";
import { type CellJson, type EnvironmentJson, type MatrixJson, toJson } from "../json.js";
import { type Budget, budgetOf, cutShort, type LimitOptions, memoryInUse } from "../limits.js";
import { matrixText } from "../matrix-text.js";
import { options } from "../options.js";
import { showPairs } from "../pairs.js";
import type { ArchitecturePackage } from "../plugin.js";
import { noWayBack } from "../subject.js";
import { prose } from "../text.js";

type MatrixOptions = Pick<LimitOptions, "maxStates" | "timeout"> & {
  readonly arch?: string;
  readonly strategy?: string;
  readonly fetch?: string;
  readonly cpus?: number;
  readonly pairs?: boolean;
  readonly memory?: Memory;
  readonly plugin?: readonly string[];
  readonly json?: boolean;
};

type Memory = NonNullable<Scenario["memory"]>;

const DEFAULT_CPUS = 2;

const HELP = `
Columns: plain; the same with IRQs, with NMIs, with preemption; the site over two cache lines, where one of its length can; several old
instructions replaced by one, with preemption. --max-states holds for each cell, --timeout for the whole table. "n/a": the strategy refuses the site.`;

/** `cmodx matrix`: every strategy in every environment under every fetch profile. */
export const addMatrix = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("matrix")
    .summary("check strategies × environments × fetch profiles")
    .addOption(options.arch)
    .addOption(options.strategy)
    .addOption(options.fetch)
    .addOption(options.cpus(DEFAULT_CPUS))
    .addOption(options.memory)
    .addOption(options.decoder)
    .addOption(options.pairs)
    .addOption(options.maxStates)
    .addOption(options.timeout)
    .addOption(options.plugin)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (asked: MatrixOptions) => {
      const budget = budgetOf(asked, io);
      const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
      if (asked.pairs)
        return leave(await showPairs({ ...asked, cpus: asked.cpus ?? DEFAULT_CPUS }, catalogue, budget, io));
      const document = await fill(asked, catalogue, budget, io);
      io.out(asked.json ? toJson(document) : matrixText(document, colors(io.color)));
      leave(document.cells.some(({ verdict }) => verdict === "inconclusive") ? exit.inconclusive : exit.complete);
    });
};

const environmentsOf = (
  { multiInstructionSite }: ArchitecturePackage,
  strategies: readonly PatchStrategy[],
  profiles: readonly Architecture[],
): readonly EnvironmentJson[] => {
  const crosses = profiles.some((made) =>
    strategies.some((strategy) => crossingOfDefault(strategy, made) !== undefined),
  );
  const plain = { id: "plain", site: null, offset: 0, flips: 2, irq: false, nmi: false, preempt: false };
  const multi = { ...plain, id: "multi-insn", site: multiInstructionSite ?? null, flips: 1, preempt: true };
  return [
    plain,
    { ...plain, id: "+irq", irq: true },
    { ...plain, id: "+nmi", nmi: true },
    { ...plain, id: "+preempt", preempt: true },
    ...(crosses ? [{ ...plain, id: "line-cross", offset: null }] : []),
    ...(multiInstructionSite === undefined ? [] : [multi]),
  ];
};

const fill = async (asked: MatrixOptions, catalogue: Catalogue, budget: Budget, io: Io): Promise<MatrixJson> => {
  const id = asked.arch ?? (asked.strategy === undefined ? "x86" : catalogue.architectureOf(asked.strategy));
  const architecture = catalogue.architecture(id);
  const { strategy } = asked;
  const strategies = strategy === undefined ? catalogue.strategiesFor(id) : [catalogue.strategy(strategy, id)];
  const fetches = fetchModelsOf(asked.fetch ?? "all", architecture);
  const profiles = fetches.map((fetch) => create(architecture, fetch));
  const environments = environmentsOf(architecture, strategies, profiles);
  const { cpus = DEFAULT_CPUS, memory } = asked;
  const cells: CellJson[] = [];
  const progress = progressLine(io);
  const total = profiles.length * strategies.length * environments.length;
  for (const made of profiles) {
    for (const each of strategies) {
      for (const environment of environments) {
        progress.show(`${cells.length + 1} of ${total}: ${made.fetch.id} ${each.id} ${environment.id}`);
        await breathe();
        const verdict = await cell(made, each, environment, { cpus, memory }, budget, catalogue, io);
        cells.push({ strategy: each.id, fetch: made.fetch.id, environment: environment.id, ...verdict });
      }
    }
  }
  progress.clear();
  return { schema: "cmodx/matrix/1", architecture: id, cpus, memory: memory ?? "sequential", environments, cells };
};

/** Where the default site of a strategy lies over two lines; undefined where it cannot, or where there is none. */
const crossingOfDefault = (strategy: PatchStrategy, architecture: Architecture): number | undefined => {
  const text = defaultSiteOf(strategy, architecture);
  return text === undefined ? undefined : crossingOf(text, architecture);
};

type Found = Omit<CellJson, "strategy" | "fetch" | "environment">;

const cell = async (
  architecture: Architecture,
  strategy: PatchStrategy,
  environment: EnvironmentJson,
  { cpus, memory }: { readonly cpus: number; readonly memory: Memory | undefined },
  budget: Budget,
  catalogue: Catalogue,
  io: Io,
): Promise<Found> => {
  const without = (verdict: CellJson["verdict"], why: string): Found => ({
    verdict,
    property: null,
    broken: [],
    why,
    sequential: null,
    offset: null,
    flips: 0,
    states: 0,
    seconds: 0,
  });
  const cut = cutShort(budget, io);
  if (cut !== undefined) return without("inconclusive", cut);
  const text = environment.site ?? defaultSiteOf(strategy, architecture);
  if (text === undefined) return without("impossible", `${strategy.id} has no default site on ${architecture.id}.`);
  const { irq, nmi, preempt } = environment;
  const offset = environment.offset ?? crossingOf(text, architecture);
  if (offset === undefined) return without("impossible", `No site of the length of ${text} lies over two lines.`);
  const address = architecture.base + BigInt(offset);
  const scenario = (flips: number): Scenario => ({
    name: environment.id,
    sites: [{ ...siteFromText(text, address), address }],
    patchers: [{ strategy, sites: [0], flips }],
    cpus,
    interrupts: { irq, nmi },
    preempt,
    ...(memory === undefined ? {} : { memory }),
  });
  const simulation = createSimulation({ architecture, plugins: catalogue.parts });
  try {
    const there = scenario(1);
    const back = noWayBack({ scenario: there, machine: simulation.machine(there) }) === undefined;
    const flips = back ? environment.flips : 1;
    const verdict = await simulation.check(scenario(flips), {
      bounds: budget.left(),
      memory: memoryInUse,
      signal: io.signal,
      beyond: 0,
    });
    const { states, seconds } = verdict;
    const unsafe = verdict.verdict === "unsafe" ? verdict : undefined;
    const broken = unsafe?.broken.map(({ property }) => property) ?? [];
    return {
      verdict: verdict.verdict,
      property: unsafe?.property ?? null,
      broken,
      why: whyOf(verdict),
      sequential: sequentialOf(verdict),
      offset,
      flips,
      states,
      seconds,
    };
  } catch (error) {
    if (isInputError(error)) return without("impossible", error.message);
    throw error;
  }
};
