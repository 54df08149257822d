import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InputError, initialView, listed, parseSavedTrace, type Replayed, type SavedTrace } from "@cmodx/core";
import { type Recording, recordingOf } from "@cmodx/record";
import { brokenToJson, counterexampleToJson, renderTimeline } from "@cmodx/view";
import type { Command } from "commander";
import { type Catalogue, CONFIG, loadCatalogue } from "../catalogue.js";
import { sitesOf } from "../document.js";
import { isInputError } from "../errors.js";
import { readText } from "../files.js";
import { colors, type Exit, exit, type Io } from "../io.js";
import { type ReplayJson, toJson } from "../json.js";
import { isPath } from "../modules.js";
import { options } from "../options.js";
import { assertOutputs, isRecorded, type OutputOptions, writeRecording } from "../recorded.js";
import { brokenText, siteText } from "../report.js";
import { isScenario, parseRequest, type Request } from "../request.js";
import { type Subject, subjectOf } from "../subject.js";
import { count, entry } from "../text.js";

type ReplayOptions = OutputOptions & {
  readonly plugin?: readonly string[];
  readonly allowPlugins?: boolean;
  readonly json?: boolean;
};

/** `cmodx replay`: shows a saved counterexample again, step by step in the machine. */
export const addReplay = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("replay")
    .summary("replay a counterexample that `cmodx check --save` wrote")
    .description(
      "Replays a saved counterexample strictly. One that is of another model, or no longer breaks what it broke, is refused. Plugins and scenario modules that the file names are code: they are run with --allow-plugins only.",
    )
    .argument("<file>", "the saved counterexample")
    .addOption(options.plugin)
    .addOption(options.allowPlugins)
    .addOption(options.perf)
    .addOption(options.traceDat)
    .addOption(options.ctf)
    .addOption(options.chrome)
    .addOption(options.json)
    .action(async (file: string, asked: ReplayOptions) => {
      await assertOutputs(asked, io.cwd);
      const saved = parseSavedTrace(await readJson(file, io.cwd), file);
      const request = parseRequest(saved.request, file);
      const folder = dirname(resolve(io.cwd, file));
      const { plugin = [], allowPlugins = false } = asked;
      if (!allowPlugins) assertNoCode(request, file);
      // What the user names is seen from where the user is.
      const own = plugin.map((name) => (isPath(name) ? resolve(io.cwd, name) : name));
      const catalogue = await loadCatalogue([...request.plugins, ...own], folder, { config: allowPlugins });
      const left = !allowPlugins && existsSync(join(folder, CONFIG));
      const [subject, replayed] = await replay(saved, request, catalogue, folder).catch((error) => {
        throw left && isInputError(error) ? withHint(error) : error;
      });
      if (isRecorded(asked)) await writeRecording(recordingOfReplay(saved, replayed, subject), asked, io);
      io.out(asked.json ? toJson(documentOf(saved, replayed, subject)) : textOf(saved, replayed, subject, io));
      leave(exit.complete);
    });
};

/** Throws {@link InputError} where a trace names code: whoever replays it may not be who wrote it. */
const assertNoCode = (request: Request, file: string): void => {
  const named = [...request.plugins, ...(isScenario(request) ? [request.scenario] : [])];
  if (named.length === 0) return;
  throw new InputError(
    `${file} names code that a replay runs: ${listed(named)}; --allow-plugins runs it, if you trust whoever wrote both.`,
    { file, place: "request", code: "conflict" },
  );
};

const replay = async (
  saved: SavedTrace,
  request: Request,
  catalogue: Catalogue,
  folder: string,
): Promise<readonly [Subject, Replayed]> => {
  const subject = await subjectOf(request, catalogue, folder);
  return [subject, await subject.simulation.replay(subject.scenario, saved)];
};

/** The recording of a counterexample: its steps, the cycle of an endless one once. */
const recordingOfReplay = ({ property }: SavedTrace, { trace }: Replayed, subject: Subject): Recording => {
  const { machine, scenario, architecture } = subject;
  const strategies = [...new Set(scenario.patchers.map(({ strategy }) => strategy.id))];
  const title = `${strategies.join(" + ")} on ${architecture}, ${machine.fetch.id}: breaks ${property}`;
  return recordingOf(machine, trace, { title, architecture, initial: initialView(machine) });
};

const withHint = (error: InputError): InputError =>
  new InputError(`${error.message} Without --allow-plugins the ${CONFIG} beside the file was not loaded.`, {
    cause: error,
    ...(error.file === undefined ? {} : { file: error.file }),
    ...(error.place === undefined ? {} : { place: error.place }),
    code: error.code,
  });

const readJson = async (file: string, folder: string): Promise<unknown> => {
  const text = await readText(resolve(folder, file), file, "a saved counterexample");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is no saved counterexample: it is no JSON.`, {
      file,
      cause: error,
      code: "unreadable",
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
  broken: brokenToJson(machine, trace, broken),
  counterexample: counterexampleToJson(machine, trace, loop),
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
      paint,
      ...(saved.loop === undefined ? {} : { loop: saved.loop }),
    }).trimEnd(),
    "",
    ...brokenText(brokenToJson(machine, trace, shown), [], paint),
    "",
    ...sitesOf(machine).map((site) => entry("Site", siteText(site))),
  ].join("\n")}\n`;
};
