import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { InputError } from "@cmodx/core";
import type { Expectation, Expectations, LitmusAnswer, LitmusError, LitmusResult } from "@cmodx/litmus";
import type { Command } from "commander";
import { readText } from "../files.js";
import { type Colors, colors, type Exit, exit, type Io, type Leave, progressLine } from "../io.js";
import { type LitmusJson, toJson } from "../json.js";
import { signalWithin } from "../limits.js";
import { readLitmusFiles } from "../litmus-files.js";
import { option, options, whole, words } from "../options.js";
import { count, entry, prose } from "../text.js";

type LitmusOptions = {
  readonly json?: boolean;
  readonly fetch?: readonly string[];
  readonly expect?: string;
  readonly jobs?: number;
  readonly states?: number;
  readonly timeout?: number;
};

/** What `@cmodx/litmus` exports; loaded when it is asked for. */
type Litmus = typeof import("@cmodx/litmus");

const HELP = `
Every execution of a test is explored on the machine, under the architectural memory order, and its final states are
printed as herd7 prints them; the witnesses are counted in final states. Of a directory or a .tar.gz every .litmus file in
it is run. AArch64 is known, with CacheType=IDC and DIC, and RISCV, with Fetch=zifencei (without the line), ziccif or
ziccid. --fetch A,B runs every test under these fetch models, whatever its file says, --fetch all under all: none, idc and
idc+dic of AArch64, zifencei, ziccif and ziccid of RISCV. With --expect each run is compared. The exit code is the worst.

--expect FILE compares verdicts and final states with those of a JSON object by path, or of a table with the columns test,
verdict and states, and prints the differences.

Exit codes: 0 every file was run, 1 a result is not as expected, 2 wrong usage or a file that is no test, 3 interrupted, out of
time, or a test that has more states than were to be explored.`;

/** `cmodx litmus`: litmus tests of instruction fetch. */
export const addLitmus = (program: Command, io: Io, leave: Leave): void => {
  program
    .command("litmus")
    .summary("run litmus tests of data and instruction memory, as herd7 does")
    .argument("<path...>", "litmus files, directories, or .tar.gz archives of them")
    .addOption(options.json)
    .addOption(
      option("--fetch <ids>", "run under these fetch models, or all, whatever the files say", words("--fetch")),
    )
    .addOption(option("--expect <file>", "compare with the verdicts and final states in this file"))
    .addOption(option("--jobs <n>", "tests that run at once (default: one for each core)", whole("--jobs", 1, 64)))
    .addOption(
      option(
        "--states <n>",
        "the most states that are explored of a test (default: 5000000)",
        whole("--states", 1, 100_000_000),
      ),
    )
    .addOption(options.timeout)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (paths: readonly string[], asked: LitmusOptions) => {
      const signal = signalWithin(asked, io);
      const litmus = await import("@cmodx/litmus");
      const expected = asked.expect === undefined ? undefined : await readExpected(asked.expect, litmus, io);
      const files = await readLitmusFiles(paths, io.cwd);
      const progress = progressLine(io);
      const answers = await litmus
        .runAll(files, {
          jobs: asked.jobs ?? availableParallelism(),
          ...(asked.fetch === undefined ? {} : { fetch: asked.fetch }),
          ...(asked.states === undefined ? {} : { states: asked.states }),
          signal,
          onAnswer: (done) => progress.show(`${done} of ${count(files.length, "litmus test")}`),
        })
        .finally(() => progress.clear());
      const judged = judge(answers, expected, litmus);
      // A file that the user named is an error of the whole run; one that was merely found is not.
      const [alone] = files;
      if (files.length === 1 && alone?.walked === false && judged.errors[0] !== undefined)
        throw asError(judged.errors[0]);
      if (!asked.json) for (const each of judged.errors) io.err(`cmodx: ${sentenceOf(each)}\n`);
      if (asked.json) io.out(toJson(documentOf(judged)));
      else if (expected === undefined)
        for (const { result } of judged.tests)
          io.out(`${severalModels(judged) ? `Fetch ${result.fetch}\n` : ""}${litmus.herdText(result)}`);
      io.out(asked.json ? "" : summaryOf(judged, expected, colors(io.color)));
      const code = codeOf(judged);
      leave(code, code === exit.unsafe ? "not as expected" : undefined);
    });
};

const readExpected = async (name: string, { readExpectations }: Litmus, io: Io): Promise<Expectations> => {
  return readExpectations(await readText(resolve(io.cwd, name), name, "a file of expectations"), name);
};

type Judged = {
  readonly tests: readonly {
    readonly result: LitmusResult;
    readonly expected: Expectation | undefined;
    readonly difference: string | undefined;
  }[];
  readonly errors: readonly LitmusError[];
  readonly interrupted: boolean;
};

const judge = (
  answers: readonly (LitmusAnswer | undefined)[],
  expectations: Expectations | undefined,
  { expectationOf, differenceFrom }: Litmus,
): Judged => ({
  tests: answers.flatMap((answer) => {
    if (answer?.result === undefined) return [];
    const { result } = answer;
    const expected = expectations && expectationOf(expectations, result.file);
    return [{ result, expected, difference: expected && differenceFrom(result, expected) }];
  }),
  errors: answers.flatMap((answer) => answer?.error ?? []),
  interrupted: answers.includes(undefined),
});

const asError = ({ message, file, place }: LitmusError): InputError =>
  new InputError(`${file}${place === null ? "" : `, ${place}`}: ${message}`, {
    file,
    ...(place === null ? {} : { place }),
    code: "unreadable",
  });

const sentenceOf = ({ message, file, place }: LitmusError): string =>
  `${file}${place === null ? "" : `, ${place}`}: ${message}`;

const codeOf = ({ tests, errors, interrupted }: Judged): Exit => {
  if (errors.length > 0) return exit.input;
  if (interrupted) return exit.inconclusive;
  if (tests.some(({ difference }) => difference !== undefined)) return exit.unsafe;
  return tests.some(isOpen) ? exit.inconclusive : exit.complete;
};

/** Whether a part of the executions did not tell what is asked. */
const isOpen = ({ result, expected }: Judged["tests"][number]): boolean =>
  expected === undefined ? !result.decided : !result.complete;

const documentOf = ({ tests, errors, interrupted }: Judged): LitmusJson => ({
  schema: "cmodx/litmus/1",
  tests: tests.map(({ result, expected, difference }) => ({
    name: result.name,
    file: result.file,
    fetch: result.fetch,
    verdict: result.verdict,
    complete: result.complete,
    observation: result.observation,
    states: result.states,
    flags: result.flags,
    positive: result.positive,
    negative: result.negative,
    seconds: result.seconds,
    expected: expected?.verdict ?? null,
    difference: difference ?? null,
  })),
  errors,
  interrupted,
});

/** Whether a test was run more than once. */
const severalModels = ({ tests }: Pick<Judged, "tests">): boolean =>
  new Set(tests.map(({ result }) => result.file)).size < tests.length;

const summaryOf = (
  { tests, errors, interrupted }: Judged,
  expected: Expectations | undefined,
  paint: Colors,
): string => {
  const lines: string[] = [];
  for (const { result, difference } of tests)
    if (difference !== undefined)
      lines.push(
        entry(
          `${paint.bold(severalModels({ tests }) ? `${result.file}, ${result.fetch}` : result.file)}:`,
          difference,
          2,
        ),
      );
  const ran = [count(tests.length, "test")];
  if (expected !== undefined) {
    const known = tests.filter((each) => each.expected !== undefined).length;
    const differing = tests.filter(({ difference }) => difference !== undefined).length;
    const undecided = tests.filter((each) => isOpen(each) && each.difference === undefined).length;
    ran.push(`${known - differing - undecided} as expected`, `${differing} not`);
    if (known < tests.length) ran.push(`${tests.length - known} without an expectation`);
  }
  if (errors.length > 0) ran.push(`${count(errors.length, "file")} that ${errors.length === 1 ? "is" : "are"} no test`);
  if (expected !== undefined || tests.length + errors.length > 1) lines.push(`${ran.join(", ")}`);
  const open = tests.filter(isOpen).length;
  if (open > 0) lines.push(`inconclusive: ${count(open, "test")} with more states than were to be explored`);
  if (interrupted) lines.push("interrupted: not all tests were run");
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
};
