import { resolve } from "node:path";
import { costNames, costParameters, costPresets } from "@cmodx/core";
import type { Command } from "commander";
import { loadCatalogue } from "../catalogue.js";
import { costModelOf } from "../cost-file.js";
import { fitted } from "../fit/fit.js";
import { type Measurements, readMeasurements } from "../fit/measurements.js";
import { publicMeasurements } from "../fit/public.js";
import { colors, type Exit, exit, type Io, progressLine } from "../io.js";
import { type CostFitJson, type CostJson, type FittedJson, toJson } from "../json.js";
import { signalWithin } from "../limits.js";
import { options } from "../options.js";
import { time } from "../patch-text.js";
import { columns, prose } from "../text.js";

const HELP = `
A cost model has a value for every parameter, each with its source; what nobody measured is marked assumed. A file of one's own names a model
that it begins with, and the parameters that differ: {"base": "vm", "parameters": {"ipiDeliver": 5000}}. docs/cost.md has what each means.

  $ cmodx cost show vm
  $ cmodx patch --sites 20000 --strategy int3-batch --cpus 64 --cost vm`;

const FIT_HELP = `
Fits parameters to measured times by least squares, and prints what all rows take with them; rows that are held are not fitted, so that their
deviation says how well the model predicts. The file names the parameters and has the rows, times in nanoseconds; docs/cost.md has all fields:

  {"base": "small-server", "fit": ["ipiDeliver", "textWrite"], "rows": [
    {"strategy": "int3", "sites": 100, "cpus": 16, "time": 12000000},
    {"strategy": "int3-batch", "sites": 100, "cpus": 16, "time": 450000},
    {"strategy": "int3-batch", "sites": 1000, "cpus": 16, "time": 3900000, "held": true}]}`;

type FitOptions = { readonly plugin?: readonly string[]; readonly timeout?: number; readonly json?: boolean };

/** `cmodx cost`: the cost models of `cmodx patch`. */
export const addCost = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  const cost = program.command("cost").summary("show the cost models of `cmodx patch`, and fit them");
  cost
    .command("show")
    .summary("show every parameter of a cost model with its source")
    .argument("[model]", `a file, or one of ${costPresets.map(({ id }) => id).join(", ")}`)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (name: string | undefined, asked: { readonly json?: boolean }) => {
      const { id, summary, values } = await costModelOf(name, io.cwd);
      const document: CostJson = {
        schema: "cmodx/cost/1",
        id,
        summary,
        parameters: costNames.map((each) => ({ name: each, ...costParameters[each], ...values[each] })),
      };
      io.out(asked.json ? toJson(document) : textOf(document, io));
      leave(exit.complete);
    });
  const fit = async (sets: readonly Measurements[], file: string | undefined, asked: FitOptions): Promise<void> => {
    const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
    const progress = progressLine(io);
    const within = { ...io, signal: signalWithin(asked, io) };
    const fits: FittedJson[] = [];
    try {
      for (const each of sets) fits.push(await fitted(each, file, catalogue, within, progress));
    } finally {
      progress.clear();
    }
    const document: CostFitJson = { schema: "cmodx/fit/1", fits };
    io.out(asked.json ? toJson(document) : fits.map((each) => fitText(each, io)).join("\n"));
    leave(fits.every(({ complete }) => complete) ? exit.complete : exit.inconclusive);
  };
  cost
    .command("fit")
    .summary("fit parameters to what was measured on a machine")
    .argument("<file>", "measurements")
    .addOption(options.timeout)
    .addOption(options.plugin)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(FIT_HELP)}\n`)
    .action(async (file: string, asked: FitOptions) =>
      fit([await readMeasurements(resolve(io.cwd, file), file)], file, asked),
    );
  cost
    .command("check")
    .summary("predict public measurements from others of the same machine, and print each deviation")
    .addOption(options.timeout)
    .addOption(options.json)
    .action(async (asked: FitOptions) => fit(publicMeasurements, undefined, asked));
};

const rounded = (value: number): number => Number(value.toPrecision(4));

const fitText = ({ name, base, known, complete, parameters, rows }: FittedJson, io: Io): string => {
  const found = Object.fromEntries(parameters.map((each) => [each.name, rounded(each.value)]));
  const shown = rows.map(({ name: row, held, measured, predicted, deviation, source }) => [
    `  ${row}`,
    time(measured),
    predicted === null ? "–" : time(predicted),
    deviation === null ? "–" : `${deviation < 0 ? "−" : "+"}${Math.abs(100 * deviation).toFixed(1)} %`,
    `${held ? "predicted" : "fitted"} — ${source}`,
  ]);
  return `${[
    colors(io.color).bold(name),
    ...parameters.map(
      (each) => `  ${each.name}: ${rounded(each.value)} ${each.unit}, ${each.before} ${each.unit} before`,
    ),
    ...columns([["  row", "measured", "model", "deviation", ""], ...shown], 160),
    `  cost file: ${JSON.stringify({ base, parameters: { ...known, ...found } })}`,
    ...(complete ? [] : ["cut short: the best values until then"]),
  ].join("\n")}\n`;
};

const textOf = ({ id, summary, parameters }: CostJson, io: Io): string => {
  const rows = parameters.map((each) => [
    `  ${each.name}`,
    `${each.value} ${each.unit}`,
    `${each.summary} — ${each.source}`,
  ]);
  return `${[colors(io.color).bold(`${id}: ${summary}`), ...columns(rows)].join("\n")}\n`;
};
