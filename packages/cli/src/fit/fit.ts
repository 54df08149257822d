import {
  type Architecture,
  type CostModel,
  type CostName,
  costParameters,
  InputError,
  TimedDriver,
  withCosts,
} from "@cmodx/core";
import { type Catalogue, create } from "../catalogue.js";
import { costModelOf } from "../cost-file.js";
import { breathe, type Io, type ProgressLine } from "../io.js";
import type { FittedJson } from "../json.js";
import { callsOf, copiesOf } from "../patch-calls.js";
import { leastSquares } from "./least-squares.js";
import type { Measurement, Measurements } from "./measurements.js";

/** Events between two looks at whether the user has ended the run. */
const AT_ONCE = 50_000;

/** What a row takes with a cost model, in nanoseconds; undefined where the user has ended the run. */
type Predict = (row: Measurement, cost: CostModel) => Promise<number | undefined>;

const predictor = (arch: string | undefined, catalogue: Catalogue, { signal }: Io): Predict => {
  const made = new Map<string, Architecture>();
  return async ({ costs, strategy: id = "", site, sites = 1, cpus = 1, among }, cost) => {
    if (costs !== undefined)
      return Object.entries(costs).reduce((sum, [name, times]) => sum + times * cost.values[name as CostName].value, 0);
    const of = arch ?? catalogue.architectureOf(id);
    const architecture = made.get(of) ?? create(catalogue.architecture(of), undefined);
    made.set(of, architecture);
    const strategy = catalogue.strategy(id, of, {});
    const calls = callsOf(strategy, copiesOf(strategy, site, architecture, sites), architecture, cpus);
    const driver = new TimedDriver({
      architecture,
      patchers: [{ calls }],
      cpus,
      cost,
      seed: 0,
      sites: Math.max(sites, among ?? 0),
    });
    while (!driver.advance(AT_ONCE)) {
      await breathe();
      if (signal.aborted) return undefined;
    }
    await breathe();
    return signal.aborted ? undefined : driver.result.time;
  };
};

/**
 * Fits parameters to measurements, and predicts all rows with them. Throws {@link InputError} where the rows do not tell a parameter.
 *
 * `file`: where they are from; undefined for those that come with cmodx.
 */
export const fitted = async (
  given: Measurements,
  file: string | undefined,
  catalogue: Catalogue,
  io: Io,
  progress: ProgressLine,
): Promise<FittedJson> => {
  const { name = file ?? "", base, arch, parameters = {}, fit, rows } = given;
  const source = file === undefined ? "public measurements" : `the file ${file}`;
  const of = file === undefined ? {} : { file };
  const begin = withCosts(await costModelOf(base, io.cwd), parameters, source, of);
  const names = fit as readonly CostName[];
  const withValues = (values: readonly number[]): CostModel =>
    withCosts(begin, Object.fromEntries(names.map((each, i) => [each, values[i] as number])), "fitted");
  const predict = predictor(arch, catalogue, io);
  const told = rows.filter(({ held }) => held !== true);
  let runs = 0;
  const solution = await leastSquares({
    start: names.map((each) => begin.values[each].value),
    measured: told.map(({ time }) => time),
    async predict(values) {
      const predicted: number[] = [];
      for (const row of told) {
        progress.show(`${name}: ${++runs} runs`);
        const time = await predict(row, withValues(values));
        if (time === undefined) return undefined;
        predicted.push(time);
      }
      return predicted;
    },
  });
  const untold = solution.untold === undefined ? undefined : names[solution.untold];
  if (untold !== undefined)
    throw new InputError(`The rows do not tell what ${untold} is: none depends on it in a way of its own.`, {
      ...of,
      place: "fit",
      code: "impossible",
    });
  const model = withValues(solution.values);
  const shown: FittedJson["rows"][number][] = [];
  for (const [i, row] of rows.entries()) {
    const predicted = solution.complete ? await predict(row, model) : undefined;
    shown.push({
      name: row.name ?? `row ${i}`,
      source: row.source ?? source,
      held: row.held === true,
      measured: row.time,
      predicted: predicted ?? null,
      deviation: predicted === undefined ? null : predicted / row.time - 1,
    });
  }
  return {
    name,
    base: base ?? begin.id,
    known: parameters,
    complete: solution.complete && shown.every(({ predicted }) => predicted !== null),
    parameters: names.map((each, i) => ({
      name: each,
      unit: costParameters[each].unit,
      before: begin.values[each].value,
      value: solution.values[i] as number,
    })),
    rows: shown,
  };
};
