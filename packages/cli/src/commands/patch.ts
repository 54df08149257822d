import { type CostModel, InputError, TimedDriver, type TimedRun } from "@cmodx/core";
import { type Command, Option } from "commander";
import { type Catalogue, create, loadCatalogue } from "../catalogue.js";
import { costModelOf } from "../cost-file.js";
import { breathe, type Exit, exit, type Io, type ProgressLine, progressLine } from "../io.js";
import { type PatchJson, type PatchRunJson, toJson } from "../json.js";
import { signalWithin } from "../limits.js";
import { option, options, whole, words } from "../options.js";
import { callsOf, copiesOf, type Groups, shuffled, sitesOfFile } from "../patch-calls.js";
import { assertPatchFiles, type PatchFiles, writePatchFiles } from "../patch-files.js";
import { patchText } from "../patch-text.js";
import type { StrategyOptions } from "../request.js";
import { count, prose, thousands } from "../text.js";

const MOST_SITES = 1_000_000;
const MOST_CPUS = 65_536;
const DEFAULT_CPUS = 8;

/** Events between two looks at whether the user has ended the run. */
const AT_ONCE = 50_000;

const HELP = `
Times the patch calls of a kernel's keys or traced functions, or of copies of one site, on a machine of any size: batches, rounds of interrupts,
traps, stops, how long the calls take, and what the CPUs lose that run the code. The programs are those that \`cmodx check\` judges, compiled
the same; they are run by events in simulated nanoseconds of a cost model (docs/cost.md). The same seed gives the same run.

  $ cmodx patch --sites 20000 --strategy int3-batch,int3,stop-machine --cpus 64
  $ cmodx patch vmlinux --key sched_schedstats --writes
  $ cmodx patch --sites 1000 --strategy int3-batch,int3 --sweep cpus=1,4,16,64,256 --svg costs.svg --csv costs.csv`;

type PatchOptions = PatchFiles & {
  readonly arch?: string;
  readonly sites?: number;
  readonly strategy?: readonly string[];
  readonly site?: string;
  readonly key?: string;
  readonly allKeys?: boolean;
  readonly ftrace?: boolean;
  readonly cpus?: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly cost?: string;
  readonly writes?: boolean;
  readonly shuffled?: boolean;
  readonly option?: StrategyOptions;
  readonly sweep?: Sweep;
  readonly plugin?: readonly string[];
  readonly json?: boolean;
  readonly timeout?: number;
};

/** The sizes that are gone through. */
type Sweep = { readonly cpus?: readonly number[]; readonly sites?: readonly number[] };

const sweepOf = (text: string, before: Sweep = {}): Sweep => {
  const [, name, list = ""] = /^(cpus|sites)=(\d+(?:,\d+)*)$/.exec(text) ?? [];
  const most = name === "cpus" ? MOST_CPUS : MOST_SITES;
  const sizes = list.split(",").map(Number);
  if (name === undefined || sizes.some((size) => size < 1 || size > most))
    throw new InputError(`--sweep takes cpus=N,N,… or sites=N,N,… with numbers from 1 on, not ${text}.`, {
      place: "--sweep",
      code: "usage",
    });
  if (before[name as keyof Sweep] !== undefined)
    throw new InputError(`--sweep ${name}=… is given twice.`, { place: "--sweep", code: "usage" });
  return { ...before, [name]: [...new Set(sizes)] };
};

/** `cmodx patch`: what patching a kernel's worth of sites costs. */
export const addPatch = (program: Command, io: Io, leave: (code: Exit) => void): void => {
  program
    .command("patch")
    .summary("what patching many sites costs on a machine of any size")
    .argument("[file]", "a linked kernel whose jump labels or traced functions are patched")
    .addOption(options.arch)
    .addOption(
      new Option("--sites <n>", "instead of a file: so many copies of a site").argParser(
        whole("--sites", 1, MOST_SITES),
      ),
    )
    .addOption(
      new Option(
        "--strategy <ids>",
        "ways of patching, compared with each other; of a file by default Linux's own",
      ).argParser(words("--strategy")),
    )
    .addOption(options.option)
    .addOption(options.site)
    .addOption(new Option("--key <name>", "the jump labels of this key"))
    .addOption(new Option("--all-keys", "the jump labels of every key, a call for each key"))
    .addOption(new Option("--ftrace", "the entries of all traced functions"))
    .addOption(
      new Option("--cpus <n>", `all CPUs, the patcher's included (default ${DEFAULT_CPUS})`).argParser(
        whole("--cpus", 1, MOST_CPUS),
      ),
    )
    .addOption(
      new Option(
        "--rate <n>",
        "passages of each other CPU through the sites in a second (default: the cost model's)",
      ).argParser(whole("--rate", 0)),
    )
    .addOption(options.seed)
    .addOption(new Option("--cost <model>", "a cost model or a file with one, see `cmodx cost show`"))
    .addOption(new Option("--shuffled", "the sites of each call in an order by the seed, not by address"))
    .addOption(new Option("--writes", "print every store to code in its order"))
    .addOption(new Option("--sweep <list>", "cpus=N,N,… or sites=N,N,…: a run for each").argParser(sweepOf))
    .addOption(option("--svg <file>", "write plots of a sweep, as a picture"))
    .addOption(option("--html <file>", "write plots of a sweep with a table, as a page"))
    .addOption(option("--csv <file>", "write the runs as comma-separated values"))
    .addOption(options.timeout)
    .addOption(options.plugin)
    .addOption(options.json)
    .addHelpText("after", `\n${prose(HELP)}\n`)
    .action(async (file: string | undefined, asked: PatchOptions) => {
      await assertPatchFiles(asked, [file, asked.cost], io.cwd);
      const progress = progressLine(io);
      const signal = signalWithin(asked, io);
      const document = await patch(file, asked, { ...io, signal }, progress).finally(() => progress.clear());
      await writePatchFiles(asked, document, io);
      io.out(asked.json ? toJson(document) : patchText(document, io));
      leave(document.interrupted ? exit.inconclusive : exit.complete);
    });
};

const patch = async (
  file: string | undefined,
  asked: PatchOptions,
  io: Io,
  progress: ProgressLine,
): Promise<PatchJson> => {
  const catalogue = await loadCatalogue(asked.plugin ?? [], io.cwd);
  const model = await costModelOf(asked.cost, io.cwd);
  const cost = asked.rate === undefined ? model : withRate(model, asked.rate);
  const { seed = 0 } = asked;
  const given = await groupsOf(file, asked, catalogue, io.cwd);
  const ids = asked.strategy ?? (given?.strategy === undefined ? [] : [given.strategy]);
  const [first] = ids;
  if (first === undefined)
    throw new InputError("Say how to patch with --strategy ID; `cmodx list` has the strategies.", {
      place: "--strategy",
      code: "usage",
    });
  const id = given?.architecture ?? asked.arch ?? catalogue.architectureOf(first);
  const architecture = create(catalogue.architecture(id), undefined);
  const strategies = ids.map((each) =>
    catalogue.strategy(each, id, asked.option === undefined ? {} : { options: asked.option }),
  );
  const runs: PatchRunJson[] = [];
  let interrupted = false;
  const sizes = asked.sweep?.sites ?? [asked.sites ?? 0];
  for (const strategy of strategies) {
    for (const sites of sizes) {
      for (const cpus of asked.sweep?.cpus ?? [asked.cpus ?? DEFAULT_CPUS]) {
        if (interrupted) break;
        const sorted = given ?? copiesOf(strategy, asked.site, architecture, sites);
        const groups = asked.shuffled === true ? shuffled(sorted, seed) : sorted;
        const many = groups.groups.reduce((sum, each) => sum + each.length, 0);
        const text: { address: string; bytes: string }[] = [];
        const calls = callsOf(strategy, groups, architecture, cpus);
        const driver = new TimedDriver(
          { architecture, patchers: [{ calls }], cpus, cost, seed, sites: many },
          asked.writes === true
            ? ({ what, detail }) => {
                const [address = "", bytes = ""] = detail.split(" ");
                if (what === "store") text.push({ address, bytes });
              }
            : undefined,
        );
        while (!driver.advance(AT_ONCE)) {
          progress.show(
            `${strategy.id}, ${count(cpus, "CPU")}: ${thousands(driver.counts.sites)} of ${count(many, "site")}`,
          );
          await breathe();
          interrupted = io.signal.aborted;
          if (interrupted) break;
        }
        runs.push(runJson(strategy.id, cpus, many, driver.result, asked.writes === true ? text : null));
        await breathe();
        interrupted ||= io.signal.aborted && !isLast(runs.length, strategies.length, sizes, asked);
      }
    }
  }
  return { schema: "cmodx/patch/1", architecture: id, cost: model.id, seed, interrupted, runs };
};

const isLast = (done: number, strategies: number, sizes: readonly number[], { sweep }: PatchOptions): boolean =>
  done === strategies * sizes.length * (sweep?.cpus?.length ?? 1);

const withRate = (model: CostModel, rate: number): CostModel => ({
  ...model,
  values: { ...model.values, passRate: { value: rate, source: "--rate" } },
});

/** The sites of the file, or none where copies of a site are asked for. */
const groupsOf = async (
  file: string | undefined,
  asked: PatchOptions,
  catalogue: Catalogue,
  folder: string,
): Promise<Groups | undefined> => {
  const { sites, sweep, key, allKeys, ftrace } = asked;
  for (const name of ["cpus", "sites"] as const)
    if (asked[name] !== undefined && sweep?.[name] !== undefined)
      throw new InputError(`--${name} does not go with --sweep ${name}=…, which says how many.`, {
        place: `--${name}`,
        code: "conflict",
      });
  const fail = (sentence: string, place: string): InputError => new InputError(sentence, { place, code: "usage" });
  const chosen = [key !== undefined && "--key", allKeys === true && "--all-keys", ftrace === true && "--ftrace"].filter(
    (each) => each !== false,
  );
  if (chosen.length > 1) throw fail(`${chosen.join(" and ")} each name other sites.`, chosen[0] as string);
  if (file === undefined) {
    if (chosen.length > 0) throw fail(`${chosen[0]} needs a kernel to take the sites from.`, chosen[0] as string);
    if (sites === undefined && sweep?.sites === undefined)
      throw fail("Say what to patch: a kernel, or --sites N.", "--sites");
    return undefined;
  }
  if (sites !== undefined || sweep?.sites !== undefined) throw fail("--sites does not go with a file.", "--sites");
  if (chosen.length === 0) throw fail("Say which sites of the file: --key NAME, --all-keys or --ftrace.", "--key");
  return sitesOfFile(
    file,
    { ...(key !== undefined && { key }), ...(ftrace === true && { ftrace }) },
    catalogue,
    folder,
  );
};

const runJson = (
  strategy: string,
  cpus: number,
  asked: number,
  run: TimedRun,
  text: PatchRunJson["text"],
): PatchRunJson => {
  const { events: _, ...told } = run;
  return { strategy, cpus, asked, ...told, text };
};
