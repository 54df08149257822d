import { type Architecture, createSimulation, InputError, listed, type Scenario } from "@cmodx/core";
import { type Catalogue, create } from "./catalogue.js";
import { isInputError } from "./errors.js";
import { breathe, colors, type Exit, exit, type Io, progressLine } from "./io.js";
import { type PairJson, type PairsJson, type PairWayJson, toJson } from "./json.js";
import { type Budget, cutShort, type LimitOptions, memoryInUse } from "./limits.js";
import { pairsText } from "./pairs-text.js";
import type { ArchitecturePackage, PairGroup, PairTable, PairWay } from "./plugin.js";

/** What `cmodx matrix --pairs` was asked. */
export type PairsOptions = Pick<LimitOptions, "maxStates" | "timeout"> & {
  readonly arch?: string;
  readonly strategy?: string;
  readonly fetch?: string;
  readonly cpus: number;
  readonly json?: boolean;
};

/** `cmodx matrix --pairs`: checks every instruction changed into every other, in each way until one is safe. */
export const showPairs = async (asked: PairsOptions, catalogue: Catalogue, budget: Budget, io: Io): Promise<Exit> => {
  const document = await fillPairs(asked, catalogue, budget, io);
  io.out(asked.json ? toJson(document) : pairsText(document, colors(io.color)));
  const isDecided = document.pairs.every(({ ways }) => ways.every(({ verdict }) => verdict !== "inconclusive"));
  return isDecided ? exit.complete : exit.inconclusive;
};

const tableOf = (asked: PairsOptions, catalogue: Catalogue): readonly [ArchitecturePackage, PairTable] => {
  const having = [...catalogue.architectures.values()].filter(({ pairs }) => pairs !== undefined);
  const architecture = asked.arch === undefined ? having[0] : catalogue.architecture(asked.arch);
  if (architecture?.pairs === undefined) {
    const ids = having.map(({ id }) => id);
    const where = ids.length === 0 ? "no architecture that is installed has" : `${listed(ids)} alone has`;
    throw new InputError(`${where} a table of instruction pairs.`, { place: "--pairs", code: "usage" });
  }
  if (asked.strategy !== undefined)
    throw new InputError("--strategy does not go with --pairs: the table has its own ways of changing code.", {
      place: "--strategy",
      code: "conflict",
    });
  return [architecture, architecture.pairs];
};

const fillPairs = async (asked: PairsOptions, catalogue: Catalogue, budget: Budget, io: Io): Promise<PairsJson> => {
  const [architecture, table] = tableOf(asked, catalogue);
  // Says so where there is no such fetch model.
  const { id } = create(architecture, asked.fetch);
  const groups = table.groups.filter(({ fetch }) => asked.fetch === undefined || fetch === asked.fetch);
  const progress = progressLine(io);
  const pairs: PairJson[] = [];
  const total = groups.reduce((sum, { forms }) => sum + Object.keys(forms).length ** 2, 0);
  for (const group of groups) {
    const made = create(architecture, group.fetch);
    for (const old of Object.keys(group.forms)) {
      for (const next of Object.keys(group.forms)) {
        progress.show(`${pairs.length + 1} of ${total}: ${group.id} ${old} to ${next}`);
        pairs.push(await pairOf(made, group, old, next, table.ways, asked, budget, io));
      }
    }
  }
  progress.clear();
  return {
    schema: "cmodx/pairs/1",
    architecture: id,
    cpus: asked.cpus,
    ways: table.ways.map(({ strategy, ...way }) => ({ ...way, strategy: strategy.id })),
    groups: groups.map(({ id, fetch, offset, forms }) => ({ id, fetch, offset, names: Object.keys(forms) })),
    pairs,
  };
};

const pairOf = async (
  architecture: Architecture,
  group: PairGroup,
  old: string,
  next: string,
  ways: readonly PairWay[],
  asked: PairsOptions,
  budget: Budget,
  io: Io,
): Promise<PairJson> => {
  const found: PairWayJson[] = [];
  for (const way of ways) {
    await breathe();
    const how = await wayOf(architecture, group, old, next, way, asked, budget, io);
    found.push(how);
    if (how.verdict === "safe" || how.verdict === "vacuous" || how.verdict === "inconclusive") break;
  }
  const last = found.at(-1);
  return { group: group.id, old, new: next, needs: last?.verdict === "safe" ? last.way : null, ways: found };
};

/** Distance from the line of the site to the handler of exceptions. */
const HANDLER = 0x800n;

const wayOf = async (
  architecture: Architecture,
  { forms, offset }: PairGroup,
  old: string,
  next: string,
  { id, strategy }: PairWay,
  asked: PairsOptions,
  budget: Budget,
  io: Io,
): Promise<PairWayJson> => {
  const nothing = { way: id, property: null, broken: [], why: null, states: 0 };
  const cut = cutShort(budget, io);
  if (cut !== undefined) return { ...nothing, verdict: "inconclusive", why: cut };
  const [before = ""] = forms[old] ?? [];
  const [other = "", same = ""] = forms[next] ?? [];
  const handler = architecture.base + HANDLER;
  const scenario: Scenario = {
    name: `${old} to ${next}`,
    sites: [{ address: architecture.base + BigInt(offset), old: before, new: old === next ? same : other }],
    patchers: [{ strategy, sites: [0], flips: 1 }],
    // Some of them are there to raise exceptions: the kernel handles these.
    blocks: [{ address: handler, code: architecture.epilogue ?? architecture.returns }],
    executors: [{ faults: handler }],
    cpus: asked.cpus,
  };
  const bounds = budget.left();
  try {
    const verdict = await createSimulation({ architecture }).check(scenario, {
      bounds,
      memory: memoryInUse,
      signal: io.signal,
      beyond: 0,
    });
    if (verdict.verdict !== "unsafe") return { ...nothing, verdict: verdict.verdict, states: verdict.states };
    const { property, broken, why, states } = verdict;
    return { way: id, verdict: "unsafe", property, broken: broken.map((each) => each.property), why, states };
  } catch (error) {
    if (isInputError(error)) return { ...nothing, verdict: "impossible", why: error.message };
    throw error;
  }
};
