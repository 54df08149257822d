import { costNames, costParameters, didYouMean, InputError } from "@cmodx/core";
import {
  assertFits,
  atLeast,
  flag,
  list,
  object,
  optional,
  record,
  type Schema,
  some,
  text,
  whole,
} from "@cmodx/core/schema";
import { messageOf } from "../errors.js";
import { readText } from "../files.js";

/** A time that was measured: of patch calls, or of something that is a sum of parameters. */
export type Measurement = {
  readonly name?: string;
  /** Where it is from. */
  readonly source?: string;
  /** Nanoseconds. */
  readonly time: number;
  /** It is not fitted, but predicted from what was. */
  readonly held?: boolean;
  /** A sum of parameters: how often each comes in it. */
  readonly costs?: { readonly [parameter: string]: number };
  readonly strategy?: string;
  readonly site?: string;
  /** Copies of the site that are patched. */
  readonly sites?: number;
  /** All CPUs, the patcher's included. */
  readonly cpus?: number;
  /** All sites that CPUs pass through, where these are more. */
  readonly among?: number;
};

/** Measurements, and which parameters are fitted to them. */
export type Measurements = {
  readonly name?: string;
  /** The cost model that they begin with. */
  readonly base?: string;
  readonly arch?: string;
  /** What else is known of the machine. */
  readonly parameters?: { readonly [name: string]: number };
  readonly fit: readonly string[];
  readonly rows: readonly Measurement[];
};

const schema: Schema<Measurements> = object("measurements", {
  name: optional(text),
  base: optional(text),
  arch: optional(text),
  parameters: optional(record("numbers", atLeast(0))),
  fit: some("names of parameters", text),
  rows: list(
    "measurements",
    object<Measurement>("a measurement", {
      name: optional(text),
      source: optional(text),
      time: atLeast(0),
      held: optional(flag),
      costs: optional(record("numbers", atLeast(0))),
      strategy: optional(text),
      site: optional(text),
      sites: optional(whole(1, 1_000_000)),
      cpus: optional(whole(1, 65_536)),
      among: optional(whole(1)),
    }),
  ),
});

const EXPECTED =
  'a JSON object such as {"fit": ["ipiDeliver"], "rows": [{"strategy": "int3", "sites": 56, "cpus": 24, "time": 57000000}]}';

const assertTime = (name: string, place: string, file: string): void => {
  const fail = (why: string, code: "unknown-name" | "conflict"): InputError =>
    new InputError(why, { file, place, code });
  const known = costNames.find((each) => each === name);
  if (known === undefined)
    throw fail(`There is no cost parameter ${name}${didYouMean(name, costNames)}`, "unknown-name");
  if (costParameters[known].unit !== "ns")
    throw fail(
      `${name} is no time (its unit is ${costParameters[known].unit}), and only times are fitted.`,
      "conflict",
    );
};

/** Reads measurements. Throws {@link InputError}. */
export const readMeasurements = async (path: string, file: string): Promise<Measurements> => {
  let read: unknown;
  try {
    read = JSON.parse(await readText(path, file, EXPECTED));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file} is no JSON (${messageOf(error)}); expected ${EXPECTED}.`, {
      file,
      code: "wrong-type",
    });
  }
  assertFits(schema, read, "measurements", { file, words: `${file} has no measurements to fit` });
  const { fit, rows } = read;
  fit.forEach((name, i) => {
    assertTime(name, `fit[${i}]`, file);
    if (fit.indexOf(name) < i)
      throw new InputError(`${name} is fitted twice.`, { file, place: `fit[${i}]`, code: "conflict" });
  });
  rows.forEach(({ time, costs, strategy, sites, cpus }, i) => {
    const place = `rows[${i}]`;
    if (time === 0)
      throw new InputError("A measured time is above 0.", { file, place: `${place}.time`, code: "out-of-range" });
    for (const name of Object.keys(costs ?? {})) assertTime(name, `${place}.costs`, file);
    const calls = [strategy, sites, cpus].filter((each) => each !== undefined).length;
    if (costs === undefined ? calls < 3 : calls > 0)
      throw new InputError("A measurement has either strategy, sites and cpus, or costs.", {
        file,
        place,
        code: "conflict",
      });
  });
  const fitted = rows.filter(({ held }) => held !== true).length;
  if (fitted < fit.length)
    throw new InputError(`${fit.length} parameters need as many rows that are not held back; there are ${fitted}.`, {
      file,
      place: "rows",
      code: "conflict",
    });
  return read;
};
