import { createSimulation, isImpossible, type Line, lineIds, type PatchProgram, type PatchStrategy } from "@cmodx/core";
import type { Command } from "commander";
import { siteFromText } from "../ask.js";
import { type Catalogue, create, defaultSiteOf, loadCatalogue } from "../catalogue.js";
import { colors, type Exit, exit, type Io } from "../io.js";
import { type ListJson, type StrategyJson, toJson } from "../json.js";
import { options } from "../options.js";
import type { ArchitecturePackage } from "../plugin.js";
import { planFlip } from "../subject.js";
import { columns, WIDTH } from "../text.js";

type ListOptions = { readonly arch?: string; readonly plugin?: readonly string[]; readonly json?: boolean };

/** `cmodx list`: the strategies that can be checked. */
export const addList = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("list")
    .summary("list the strategies and the fetch profiles of each architecture")
    .addOption(options.arch)
    .addOption(options.plugin)
    .addOption(options.json)
    .action(async (asked: ListOptions) => {
      const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
      const all =
        asked.arch === undefined ? [...catalogue.architectures.values()] : [catalogue.architecture(asked.arch)];
      const document: ListJson = {
        schema: "cmodx/list/1",
        strategies: all.flatMap((each) => strategiesOf(each, catalogue)),
      };
      io.out(asked.json ? toJson(document) : all.map((each) => textOf(each, document, io)).join("\n"));
      leave(exit.complete);
    });
};

const strategiesOf = (architecture: ArchitecturePackage, catalogue: Catalogue): readonly StrategyJson[] =>
  catalogue.strategiesFor(architecture.id).map((strategy) => ({
    id: strategy.id,
    architecture: architecture.id,
    defaultSite: defaultSiteOf(strategy, create(architecture, undefined)) ?? "",
    profiles: create(architecture, undefined).fetchModels.map(({ id }) => id),
    steps: stepsOf(strategy, architecture),
    summary: strategy.summary,
    promises: strategy.promises,
  }));

/** Ids of the steps of one flip at the strategy's default site. */
const stepsOf = (strategy: PatchStrategy, architecture: ArchitecturePackage): readonly string[] => {
  const made = create(architecture, undefined);
  const text = defaultSiteOf(strategy, made);
  if (text === undefined) return [];
  const site = { ...siteFromText(text, made.base), address: made.base };
  const scenario = { name: strategy.id, sites: [site], patchers: [{ strategy, sites: [0], flips: 1 }], cpus: 2 };
  const plan = planFlip({ machine: createSimulation({ architecture: made }).machine(scenario), scenario }, 0);
  return isImpossible(plan) ? [] : stepIds(plan);
};

/** What `--drop` takes: ids of steps and of the lines that hold them, those of the handlers last. */
const stepIds = (program: PatchProgram): readonly string[] => [
  ...new Set([program.main, ...Object.values(program.traps ?? {})].flatMap((lines: readonly Line[]) => lineIds(lines))),
];

const textOf = (architecture: ArchitecturePackage, { strategies }: ListJson, io: Io): string => {
  const paint = colors(io.color);
  const rows = strategies
    .filter((each) => each.architecture === architecture.id)
    .map(({ id, defaultSite, summary }) => [id, defaultSite, summary]);
  const { fetchModels, fetchVariants = [] } = create(architecture, undefined);
  const profiles = fetchModels.map(({ id, summary }) => [id, summary]);
  const variants = fetchVariants.map(({ id, summary }) => [`…+${id}`, summary]);
  return `${[
    paint.bold(`${architecture.id}: strategies, with the site each is shown on`),
    ...columns(rows, WIDTH - 2).map((line) => `  ${line}`),
    "",
    paint.bold(`${architecture.id}: fetch profiles, the weakest first`),
    ...columns([...profiles, ...variants], WIDTH - 2).map((line) => `  ${line}`),
  ].join("\n")}\n`;
};
