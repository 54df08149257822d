import { InputError } from "@cmodx/core";
import type { Command } from "commander";
import { DEFAULT_CPUS, fetchesOf, type ModelOptions, requestsOf, strongerThan } from "../ask.js";
import { type Catalogue, loadCatalogue } from "../catalogue.js";
import { checkAll, checkAllText } from "../check-all.js";
import { checkJson } from "../document.js";
import { isInputError, unwritten } from "../errors.js";
import { type Extras, outcomesOf, repairsOf } from "../extras.js";
import { colors, type Exit, exit, type Io, type Leave, type ProgressLine, progressLine } from "../io.js";
import { toJson } from "../json.js";
import { type Judged, judgeModels, judgeWorst, type Numbers } from "../judge.js";
import { type Budget, budgetOf, type LimitOptions } from "../limits.js";
import { modelOptions, options } from "../options.js";
import { reportOf } from "../report.js";
import type { Request } from "../request.js";
import { assertWritable, relocate, writeWhole } from "../save.js";
import { prose } from "../text.js";

type CheckOptions = Omit<ModelOptions, "cpus"> &
  LimitOptions & {
    readonly cpus?: number | "any";
    readonly save?: string;
    readonly json?: boolean;
    readonly outcomes?: boolean;
    readonly repair: boolean;
    readonly all?: boolean;
  };

const HELP = `
The site is the strategy's own by default. It can also be given as code (--site, --offset), taken from a real
binary (--from; without --strategy it is checked as Linux patches such a site, with --all all sites are), or given as bytes (--old-bytes, --new-bytes, --at). A scenario module (--scenario) says all of
this itself and can have several sites and patchers; --cpus, --irq, --nmi, --preempt, --memory, --drop and --add
come before what it says.

--cpus any asks about every number of CPUs from 2 on: whether anything breaks but progress, which is checked with
few alone. It is unsafe where a number of CPUs breaks something, and tells the smallest.

--fetch A,B checks under several fetch models, --fetch all under all that the architecture has. The answer is the
worst, and so is the exit code: 2 where one refuses the site, then 1, then 3.

Exit codes: 0 safe, 1 unsafe, 2 wrong usage or input, 3 inconclusive, interrupted or vacuous.

  $ cmodx check --strategy int3 --cpus 3 --nmi
  $ cmodx check --strategy int3 --cpus any --irq --nmi
  $ cmodx check --strategy plain-store --site nop5:call --offset 62 --fetch amd --save torn.json
  $ cmodx check --strategy int3 --from vmlinux:schedule --drop sync-1`;

/** `cmodx check`: whether a strategy is safe. */
export const addCheck = (program: Command, io: Io, leave: Leave): void => {
  const command = program
    .command("check")
    .summary("say whether a way of patching is safe, and show the interleaving that breaks it when it is not")
    .description("Explores every interleaving of a patch with the CPUs that run the patched code.");
  for (const each of modelOptions(options.cpusOrAny(DEFAULT_CPUS), options.flips)) command.addOption(each);
  command
    .addOption(options.all)
    .addOption(options.maxStates)
    .addOption(options.maxMemory)
    .addOption(options.timeout)
    .addOption(options.outcomes)
    .addOption(options.noRepair)
    .addOption(options.save)
    .addOption(options.plugin)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (asked: CheckOptions) => {
      const budget = budgetOf(asked, io);
      if (asked.save !== undefined) await assertWritable(asked.save, io.cwd);
      const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
      const progress = progressLine(io);
      if (asked.all === true) {
        const answer = await checkAll(refuseWithAll(asked), catalogue, budget, io, progress).finally(() =>
          progress.clear(),
        );
        io.out(asked.json ? toJson(answer) : checkAllText(answer));
        const worst = answer.classes.some(({ verdict }) => verdict === "unsafe");
        const isSafe = answer.cut === null && answer.classes.every((each) => each.verdict === "safe");
        return leave(worst ? exit.unsafe : isSafe ? exit.complete : exit.inconclusive);
      }
      const told = await tell(asked, catalogue, budget, io, progress).finally(() => progress.clear());
      const [saved, unsaved] = asked.save === undefined ? [null] : await save(told.judged, asked.save, io);
      io.out(
        asked.json
          ? toJson(checkJson(told.judged, told.extras, saved))
          : reportOf(told.judged, told.extras, colors(io.color), saved),
      );
      const code = codeOf(told.judged, told.extras);
      const word = told.judged.verdict.verdict;
      if (unsaved !== undefined) io.err(`cmodx: ${unwritten(unsaved.file ?? "a file", word, unsaved.message)}\n`);
      leave(code, word);
    });
};

/** What is about one site does not go with all of them. */
const refuseWithAll = ({ cpus, ...asked }: CheckOptions): ModelOptions & LimitOptions => {
  const { from, save, outcomes, fetch } = asked;
  const refuse = (flag: string, why: string): never => {
    throw new InputError(`--all ${why}.`, { place: flag, code: "conflict" });
  };
  if (from === undefined) refuse("--all", "needs --from FILE: it is about the sites of a binary");
  if (save !== undefined)
    refuse("--save", "does not go with --save: it saves no counterexample; check the site that it names");
  if (outcomes === true) refuse("--outcomes", "does not go with --outcomes, which are those of one site");
  if (fetch !== undefined && (fetch === "all" || fetch.includes(",")))
    refuse("--fetch", "takes one fetch model; it says itself which stronger one flips the answer");
  if (cpus === "any") return refuse("--cpus", "takes one number of CPUs; check the site that it names with any");
  return { ...asked, ...(cpus === undefined ? {} : { cpus }) };
};

const tell = async (
  { cpus, ...others }: CheckOptions,
  catalogue: Catalogue,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
): Promise<{ readonly judged: Judged; readonly extras: Extras }> => {
  const asked = { ...others, ...(cpus === undefined || cpus === "any" ? {} : { cpus }) };
  const numbers = cpus === "any" ? { cpus } : {};
  const fetches = await fetchesOf(asked, catalogue, io.cwd);
  const requests = (fetch: string | undefined): Promise<readonly Request[]> =>
    requestsOf(fetch === undefined ? asked : { ...asked, fetch }, catalogue, io.cwd);
  const judged =
    fetches.length < 2
      ? await judgeWorst(await requests(fetches[0]), catalogue, budget, io, progress, numbers)
      : await judgeModels(
          await Promise.all(fetches.map(async (fetch) => ({ fetch, requests: await requests(fetch) }))),
          catalogue,
          budget,
          io,
          progress,
          numbers,
        );
  const { subject, verdict } = judged;
  const beside = async <T>(work: () => Promise<T | null>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      // What was found broken is not taken back by what a longer search comes to.
      if (verdict.verdict !== "unsafe" || !isInputError(error)) throw error;
      progress.clear();
      io.err(`cmodx: ${error.message}\n`);
      return null;
    }
  };
  const extras = {
    repairs: asked.repair ? await beside(() => repairsOf(subject, verdict, budget, io, progress)) : null,
    stronger: await beside(() => strongerFor(judged, asked, catalogue, budget, io, progress, numbers)),
    outcomes: asked.outcomes === true ? await beside(() => outcomesOf(subject, budget, io, progress)) : null,
  };
  return { judged, extras };
};

/** The first fetch model behind the weakest under which a site of a binary that is unsafe is safe. */
const strongerFor = async (
  { subject, verdict }: Judged,
  asked: ModelOptions,
  catalogue: Catalogue,
  budget: Budget,
  io: Io,
  progress: ProgressLine,
  numbers: Numbers,
): Promise<string | null> => {
  if (asked.from === undefined || asked.fetch !== undefined || verdict.verdict !== "unsafe") return null;
  for (const fetch of strongerThan(subject.machine.fetch.id, catalogue.architecture(subject.architecture))) {
    const requests = await requestsOf({ ...asked, fetch }, catalogue, io.cwd);
    if ((await judgeWorst(requests, catalogue, budget, io, progress, numbers)).verdict.verdict === "safe") return fetch;
  }
  return null;
};

/** Saves a counterexample; a verdict without one leaves no file. Gives the file, or null and why it could not be written. */
const save = async (
  { subject, verdict }: Judged,
  file: string,
  io: Io,
): Promise<readonly [saved: string | null, unsaved?: InputError]> => {
  if (verdict.verdict !== "unsafe") return [null];
  const trace = await subject.simulation.save(subject.scenario, verdict, relocate(subject.request, file, io.cwd));
  try {
    await writeWhole(file, io, toJson(trace));
    return [file];
  } catch (error) {
    if (isInputError(error)) return [null, error];
    throw error;
  }
};

/** Of several fetch models one under which nothing could be checked is worse than an unsafe one, and that worse than an undecided one. */
const codeOf = ({ verdict, models }: Judged, { outcomes }: Extras): Exit => {
  if (models.some((model) => model.verdict === "impossible")) return exit.input;
  if (verdict.verdict === "unsafe") return exit.unsafe;
  const cut = outcomes !== null && outcomes.limit !== null;
  return cut || verdict.verdict !== "safe" ? exit.inconclusive : exit.complete;
};
