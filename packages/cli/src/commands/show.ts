import { InputError, isImpossible, listed, type PatchProgram } from "@cmodx/core";
import type { Command } from "commander";
import { type ModelOptions, requestsOf } from "../ask.js";
import { loadCatalogue } from "../catalogue.js";
import { sitesOf } from "../document.js";
import { colors, type Exit, exit, type Io } from "../io.js";
import { type ShowJson, toJson } from "../json.js";
import { options } from "../options.js";
import { programText } from "../program-text.js";
import { siteText } from "../report.js";
import { planFlip, type Subject, subjectOf } from "../subject.js";
import { entry } from "../text.js";

type ShowOptions = Pick<ModelOptions, "arch" | "site" | "offset" | "flips" | "width" | "option" | "plugin"> & {
  readonly json?: boolean;
};

/** `cmodx show`: the program of a strategy. */
export const addShow = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("show")
    .summary("print the program of a strategy with its step ids and sources")
    .argument("<strategy>", "see `cmodx list`")
    .addOption(options.arch)
    .addOption(options.site)
    .addOption(options.offset)
    .addOption(options.flips)
    .addOption(options.width)
    .addOption(options.option)
    .addOption(options.plugin)
    .addOption(options.json)
    .action(async (strategy: string, asked: ShowOptions) => {
      const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
      const [request] = await requestsOf({ ...asked, strategy, flips: 1 }, catalogue, io.cwd);
      if (request === undefined) throw new InputError("There is nothing to show.", { code: "usage" });
      const subject = await subjectOf(request, catalogue, io.cwd);
      const flips = asked.flips === "forever" ? 2 : (asked.flips ?? 1);
      const document = documentOf(subject, flips);
      io.out(asked.json ? toJson(document) : textOf(document, io));
      leave(exit.complete);
    });
};

const documentOf = (subject: Subject, flips: number): ShowJson => {
  const strategy = subject.scenario.patchers[0]?.strategy;
  const [site] = sitesOf(subject.machine);
  if (strategy === undefined || site === undefined)
    throw new InputError("There is nothing to show.", { code: "usage" });
  const { id, summary, source, promises } = strategy;
  const plan = (flip: number): PatchProgram => {
    const planned = planFlip(subject, flip);
    if (!isImpossible(planned)) return planned;
    throw new InputError(`The strategy ${id} cannot do flip ${flip + 1}: ${planned.impossible}`, {
      place: "--flips",
      code: "impossible",
    });
  };
  return {
    schema: "cmodx/show/1",
    id,
    architecture: subject.architecture,
    summary,
    source,
    promises,
    site,
    flips: Array.from({ length: flips }, (_, flip) => plan(flip)),
  };
};

const textOf = ({ id, architecture, summary, source, promises, site, flips }: ShowJson, io: Io): string => {
  const paint = colors(io.color);
  return `${[
    `${paint.bold(id)} on ${architecture}`,
    entry("Does", summary),
    entry("Source", source),
    entry("Promises", listed(promises)),
    entry("Site", siteText(site)),
    ...flips.flatMap((program, i) => [
      "",
      paint.bold(`flip ${i + 1}, ${i % 2 === 0 ? "old to new" : "new to old"}:`),
      ...programText(program, site, paint),
    ]),
  ].join("\n")}\n`;
};
