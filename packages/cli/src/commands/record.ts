import { InputError, initialView, listed, MOST_FLIPS, walk } from "@cmodx/core";
import { type Recording, recordingOf } from "@cmodx/record";
import type { Command } from "commander";
import { DEFAULT_CPUS, fetchesOf, type ModelOptions, requestsOf } from "../ask.js";
import { loadCatalogue } from "../catalogue.js";
import { colors, type Exit, exit, type Io } from "../io.js";
import { type RecordJson, toJson } from "../json.js";
import { budgetOf, type LimitOptions } from "../limits.js";
import { modelOptions, options } from "../options.js";
import { assertOutputs, howToRead, type OutputOptions, type Written, writeRecording } from "../recorded.js";
import { type Subject, subjectOf } from "../subject.js";
import { count, hex, prose } from "../text.js";

type RecordOptions = ModelOptions &
  OutputOptions &
  Pick<LimitOptions, "timeout"> & { readonly seed?: number; readonly flips?: number; readonly json?: boolean };

/** Patch calls when the user does not say: there and back. */
const DEFAULT_FLIPS = 2;

const HELP = `
One interleaving is chosen by the seed: the same seed gives the same run. Interrupts, NMIs and preemption come at random where they are
switched on. docs/recording.md says what perf, trace-cmd, KernelShark, babeltrace2 and Perfetto show of it.

  $ cmodx record --strategy int3 --option events --nmi --seed 7 --perf run.perf
  $ perf script -i run.perf --itrace=be -F cpu,event,ip,addr
  $ cmodx record --strategy nosync --trace-dat run.dat && trace-cmd report -i run.dat`;

/** `cmodx record`: one run as files that other tools read. */
export const addRecord = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  const command = program
    .command("record")
    .summary("record one run for perf, trace-cmd, babeltrace2 or Perfetto")
    .description(
      "Runs one interleaving of a patch with the CPUs that run the patched code, and writes it for other tools.",
    );
  for (const each of modelOptions(options.cpus(DEFAULT_CPUS), options.calls)) command.addOption(each);
  command
    .addOption(options.seed)
    .addOption(options.perf)
    .addOption(options.traceDat)
    .addOption(options.ctf)
    .addOption(options.chrome)
    .addOption(options.timeout)
    .addOption(options.plugin)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (asked: RecordOptions) => {
      budgetOf(asked, io);
      await assertOutputs(asked, io.cwd);
      const subject = await subjectOfRun(asked, io);
      const { seed = 0 } = asked;
      const recording = recordingOfRun(subject, seed, asked.flips);
      const document = documentOf(subject, seed, recording, await writeRecording(recording, asked, io));
      io.out(asked.json ? toJson(document) : textOf(document, io));
      leave(exit.complete);
    });
};

/** The model of a run: that of a check, but that a patcher goes on for as long as is asked. */
const subjectOfRun = async (asked: RecordOptions, io: Io): Promise<Subject> => {
  const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
  const [, more] = await fetchesOf(asked, catalogue, io.cwd);
  if (more !== undefined)
    throw new InputError("A run has one fetch model; name one with --fetch.", { place: "--fetch", code: "usage" });
  const { flips, ...model } = asked;
  const many = flips !== undefined && flips > MOST_FLIPS ? ("forever" as const) : flips;
  const said = asked.scenario === undefined && many !== undefined ? { flips: many } : {};
  const [request] = await requestsOf({ ...model, ...said }, catalogue, io.cwd);
  if (request === undefined) throw new InputError("There is nothing to record.", { code: "impossible" });
  return subjectOf(request, catalogue, io.cwd);
};

const strategiesOf = ({ scenario }: Subject): readonly string[] => [
  ...new Set(scenario.patchers.map(({ strategy }) => strategy.id)),
];

const recordingOfRun = (subject: Subject, seed: number, flips: number | undefined): Recording => {
  const { machine, scenario, architecture } = subject;
  const endless = scenario.patchers.some((patcher) => patcher.flips === "forever");
  const most = flips ?? (endless ? DEFAULT_FLIPS : undefined);
  const run = walk(machine, { seed, ...(most === undefined ? {} : { flips: most }) });
  const title = `${strategiesOf(subject).join(" + ")} on ${architecture}, ${machine.fetch.id}, seed ${seed}`;
  return recordingOf(machine, run, { title, architecture, initial: initialView(machine) });
};

const documentOf = (
  subject: Subject,
  seed: number,
  recording: Recording,
  { files, branches }: Written,
): RecordJson => ({
  schema: "cmodx/record/1",
  strategies: strategiesOf(subject),
  architecture: subject.architecture,
  fetch: subject.machine.fetch.id,
  seed,
  cpus: recording.cpus,
  steps: recording.steps.length,
  flips: recording.steps.filter(({ observed }) => observed.some(({ what }) => what === "return-call")).length,
  files,
  branches: branches?.map((list) => list.map(({ from, to }) => ({ from: hex(from), to: hex(to) }))) ?? null,
});

const textOf = (document: RecordJson, io: Io): string => {
  const { strategies, architecture, fetch, seed, cpus, steps, flips, branches, files } = document;
  const paint = colors(io.color);
  const what = `${listed([...strategies])} on ${architecture}, ${fetch}, seed ${seed}`;
  const taken = branches?.reduce((sum, list) => sum + list.length, 0);
  return `${[
    paint.bold(
      `RECORDED  ${what}: ${count(steps, "step")} of ${count(cpus, "CPU")}, ${count(flips, "patch call")}${
        taken === undefined ? "" : `, ${taken} branches`
      }`,
    ),
    ...howToRead(files).map((line) => `  ${line}`),
  ].join("\n")}\n`;
};
