import { dirname, resolve } from "node:path";
import { InputError, parseSavedTrace, type Replayed, type SavedTrace } from "@cmodx/core";
import type { Command } from "commander";
import { loadCatalogue } from "../catalogue.js";
import { brokenJson, counterexampleJson, sitesOf } from "../document.js";
import { readText } from "../files.js";
import { colors, type Exit, exit, type Io } from "../io.js";
import { type ReplayJson, toJson } from "../json.js";
import { options } from "../options.js";
import { brokenText, siteText } from "../report.js";
import { parseRequest } from "../request.js";
import { type Subject, subjectOf } from "../subject.js";
import { count, entry, listed } from "../text.js";
import { renderTimeline } from "../timeline/timeline.js";

/** `cmodx replay`: shows a saved counterexample again, step by step in the machine. */
export const addReplay = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("replay")
    .summary("replay a counterexample that `cmodx check --save` wrote")
    .description(
      "Replays a saved counterexample strictly. One that is of another model, or no longer breaks what it broke, is refused.",
    )
    .argument("<file>", "the saved counterexample")
    .addOption(options.plugin)
    .addOption(options.json)
    .action(async (file: string, asked: { readonly plugin?: readonly string[]; readonly json?: boolean }) => {
      const saved = parseSavedTrace(await readJson(file, io.cwd), file);
      const request = parseRequest(saved.request, file);
      const folder = dirname(resolve(io.cwd, file));
      const catalogue = await loadCatalogue([...request.plugins, ...(asked.plugin ?? [])], folder);
      const subject = await subjectOf(request, catalogue, folder);
      const replayed = await subject.simulation.replay(subject.scenario, saved);
      io.out(asked.json ? toJson(documentOf(saved, replayed, subject)) : textOf(saved, replayed, subject, io));
      leave(exit.complete);
    });
};

const readJson = async (file: string, folder: string): Promise<unknown> => {
  const text = await readText(resolve(folder, file), file, "a saved counterexample");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is no saved counterexample: it is no JSON.`, {
      file,
      cause: error,
    });
  }
};

const documentOf = (
  { property, why, loop }: SavedTrace,
  { trace, broken }: Replayed,
  { machine }: Subject,
): ReplayJson => ({
  schema: "cmodx/replay/1",
  property,
  why,
  broken: brokenJson(machine, trace, broken),
  counterexample: counterexampleJson(machine, trace, loop),
});

const textOf = (saved: SavedTrace, { trace, broken }: Replayed, subject: Subject, io: Io): string => {
  const paint = colors(io.color);
  const { machine, scenario, architecture } = subject;
  const strategies = listed([...new Set(scenario.patchers.map(({ strategy }) => strategy.id))]);
  // What progress means cannot be seen in a finite trace: it breaks for what can no longer follow.
  const shown = broken.length > 0 ? broken : [{ property: saved.property, why: saved.why }];
  return `${[
    paint.bold(
      `${paint.red("REPLAYED")}  ${strategies} on ${architecture}, ${machine.fetch.id}: ${count(trace.length, "step")}, breaks ${saved.property}`,
    ),
    "",
    renderTimeline(machine, trace, {
      color: io.color,
      ...(saved.loop === undefined ? {} : { loop: saved.loop }),
    }).trimEnd(),
    "",
    ...brokenText(brokenJson(machine, trace, shown), [], paint),
    "",
    ...sitesOf(machine).map((site) => entry("Site", siteText(site))),
  ].join("\n")}\n`;
};
