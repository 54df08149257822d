import { alwaysPromised, isOwnOfCore, type Property, type PropertyId, propertyIds } from "../contract/property.js";
import type { Scenario } from "../contract/scenario.js";
import type { Bounds, Broken, Progress, Verdict, VerdictBase } from "../contract/verdict.js";
import { MACHINE, type Machine } from "../machine/machine.js";
import { DEVELOPMENT, PROPERTIES, SCENARIO } from "../wiring/parts.js";
import { injectable, token, use, useAll } from "../wiring/tokens.js";
import { mayBeEndless } from "./endless.js";
import { FairCycles, type Loop } from "./fair-cycles.js";
import { Fairness } from "./fairness.js";
import { keepable } from "./kept.js";
import { type Pause, pacedBy } from "./pace.js";
import { CPU0 } from "./row.js";
import {
  bitsOf,
  type Edge,
  type Graph,
  type Reductions,
  Search,
  type SearchEnd,
  type SearchOptions,
  type Taken,
} from "./search.js";
import { Steps } from "./steps.js";
import { SetCheck } from "./symbolic/set-check.js";
import { type Found, sizeOf, Verdicts } from "./verdicts.js";
import { type Limit, LimitReached, Watch } from "./watch.js";

/** How a check is run. */
export type CheckOptions = {
  /**
   * `any`: of every number of CPUs that the scenario can have, from 2 on, whatever it says itself ({@link VerdictBase.numbers}). All CPUs
   * that no patcher runs on run the same code. {@link InputError} where the scenario counts its executors.
   */
  readonly cpus?: "any";
  readonly bounds?: Bounds;
  /** Tells how many bytes of memory are in use, for `bounds.bytes`; by default those of the tables of states alone. */
  readonly memory?: () => number;
  /** Ends the run; the verdict is then `inconclusive`. */
  readonly signal?: AbortSignal;
  /** Told about five times a second how far the run is. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Which reductions are used: all (the default), none, or those that are named. Stubborn sets are left out where `progress` counts,
   * which is a question about the whole graph. The verdict and the property that breaks are the same without.
   */
  readonly reduce?: boolean | Partial<Reductions>;
  /**
   * States looked at behind the first violation, to see what else breaks; 0 or more, default 20,000. Where states are explored as sets
   * many more may come in one round.
   */
  readonly beyond?: number;
  /**
   * So many states are looked at one by one before they are explored as sets; 0 or more, default 30,000, and fewer where there are more than 47
   * CPUs. With a bound of states, or
   * with some reductions alone, all are looked at one by one.
   */
  readonly singly?: number;
  /** Look for a shortest counterexample; default true. Without, the first that was found is given. */
  readonly shortest?: boolean;
};

/** {@link CheckOptions.beyond} when it is not given. */
const BEYOND = 20_000;

/** {@link CheckOptions.singly} when it is not given: this many, and no more than whose parts are so many. */
const SINGLY = 30_000;
const SINGLY_PARTS = 50 * SINGLY;

type How = Pick<SearchOptions, "reduce" | "beyond" | "singly">;
type Searched = { readonly search: Search; readonly end: SearchEnd };

/** A run for ever that keeps something: the way to its loop, and the loop. */
type EndlessRun = {
  readonly search: Search;
  readonly stem: readonly Taken[];
  readonly loop: readonly Taken[];
  readonly why: string;
  /** It takes interrupts from outside that come for ever. */
  readonly interrupted?: boolean;
};

type Endless = Loop & { readonly why: string };

const ENDLESS_INTERRUPTS = "It takes interrupts from outside that never stop coming: after the last of them it ends.";

const withoutEdges = (graph: Graph, without: (edge: Edge) => boolean): Graph => ({
  ...graph,
  edges: (from) => graph.edges(from).filter((edge) => !without(edge)),
});

/** The driver that explores every interleaving. */
@injectable()
export class Explorer {
  readonly #steps: Steps;
  readonly #properties: readonly Property[];
  readonly #scenario: Scenario;

  constructor(
    @use(MACHINE) machine: Machine,
    @useAll(PROPERTIES) properties: readonly Property[],
    @use(SCENARIO) scenario: Scenario,
    @use(DEVELOPMENT) development: boolean,
  ) {
    this.#steps = new Steps(machine, properties, development);
    this.#properties = properties;
    this.#scenario = scenario;
  }

  async check(options: CheckOptions): Promise<Verdict> {
    const { bounds = {}, beyond = BEYOND, shortest = true } = options;
    const counted = countedProperties(this.#scenario, this.#properties);
    const verdicts = new Verdicts(this.#steps, this.#properties, this.#scenario, counted, bounds);
    const left = (): CheckOptions => withTimeLeft(options, verdicts.elapsed);
    const reduce = reductionsOf(options.reduce);
    const singly =
      options.singly ??
      (reduce === EVERY && bounds.states === undefined
        ? Math.min(SINGLY, Math.floor(SINGLY_PARTS / this.#steps.width))
        : Number.POSITIVE_INFINITY);
    let decided = await this.#decide(counted, options, { reduce, beyond, singly });
    if (decided.end.end === "large") {
      const verdict = await new SetCheck(verdicts, { ...left(), beyond, shortest }).verdict();
      if (verdict !== undefined) return verdict;
      decided = await this.#decide(counted, left(), { reduce, beyond });
    }
    const { search, end } = decided;
    const complete = end.end === "complete";
    const base = (shown: Search): VerdictBase => verdicts.base(sizeOf(shown), search.brokenInactive, complete);
    if (end.end === "limit") return { ...base(search), verdict: "inconclusive", limit: end.limit };
    const first = await unlessLimited(found(verdicts, decided));
    if (first instanceof LimitReached) return { ...base(search), verdict: "inconclusive", limit: first.limit };
    if (first === undefined) {
      const kept = counted.has("progress") ? await this.#kept(decided, counted, verdicts, left()) : "none";
      if (kept === "none") return verdicts.unbroken(base(search));
      if (typeof kept === "string") return { ...base(search), verdict: "inconclusive", limit: kept };
      return endless(verdicts, kept, base(kept.search));
    }
    if (reduce === false || !shortest) return verdicts.unsafe(first, base(search), search.broken, reduce === false);

    // All reductions but symmetry make paths longer, so the shortest is looked for without them; the memoised steps are there already.
    const again = await this.#search(counted, left(), { reduce: SYMMETRY, beyond: 0, singly });
    if (again.end.end === "large") {
      const nearest = await new SetCheck(verdicts, { ...left(), beyond, shortest }).nearest(end.end === "violation");
      return verdicts.unsafe(nearest ?? first, base(search), search.broken, nearest !== undefined);
    }
    if (again.end.end === "limit") return verdicts.unsafe(first, base(search), search.broken, false);
    const nearest = await unlessLimited(found(verdicts, again));
    if (nearest instanceof LimitReached) return verdicts.unsafe(first, base(search), search.broken, false);
    if (nearest === undefined) throw new Error("The reductions broke what is not broken.");
    return verdicts.unsafe(nearest, base(again.search), search.broken, true);
  }

  /** The search that decides. Stubborn sets are for properties of single steps; what they rest on may turn out not to hold. */
  async #decide(counted: ReadonlySet<PropertyId>, options: CheckOptions, how: How): Promise<Searched> {
    const { reduce } = how;
    if (reduce === false || !reduce.stubborn) return this.#search(counted, options, how);
    const plain: How = { ...how, reduce: { ...reduce, stubborn: false } };
    if (counted.has("progress")) return this.#search(counted, options, plain);
    const began = performance.now();
    const reduced = await this.#search(counted, options, how);
    if (reduced.end.end !== "complete" || reduced.search.covered) return reduced;
    return this.#search(counted, withTimeLeft(options, performance.now() - began), plain);
  }

  async #search(
    counted: ReadonlySet<PropertyId>,
    { bounds = {}, memory, signal, onProgress }: CheckOptions,
    how: How,
  ): Promise<Searched> {
    const search = new Search(this.#steps);
    const graph = counted.has("progress");
    const end = await search.run({
      active: bitsOf(counted, this.#properties),
      bounds,
      memory,
      signal,
      onProgress,
      graph,
      ...how,
    });
    return { search, end };
  }

  /**
   * What a fair run can keep from its end for ever, by a search without reductions: it takes that to tell CPUs apart. It is done only
   * where the search that decided leaves the question open.
   */
  async #kept(
    decided: Searched,
    counted: ReadonlySet<PropertyId>,
    verdicts: Verdicts,
    options: CheckOptions,
  ): Promise<"none" | Limit | EndlessRun> {
    const watch = new Watch(options.bounds ?? {}, options.memory ?? (() => decided.search.bytes), options.signal);
    const kept = await unlessLimited(this.#keptUntil(decided, counted, verdicts, options, pacedBy(watch)));
    return kept instanceof LimitReached ? kept.limit : kept;
  }

  async #keptUntil(
    decided: Searched,
    counted: ReadonlySet<PropertyId>,
    { calls }: Verdicts,
    options: CheckOptions,
    pause: Pause,
  ): Promise<"none" | Limit | EndlessRun> {
    if (!decided.search.isPlain && !(await mayBeEndless(decided.search, this.#steps, calls, pause))) return "none";
    const exact = decided.search.isPlain ? decided : await this.#search(counted, options, { reduce: false, beyond: 0 });
    if (exact.end.end === "limit") return exact.end.limit;
    const graph = exact.search.graph();
    const fairness = new Fairness(graph, this.#steps, "column");
    const find = async (among: Graph): Promise<Endless | undefined> => {
      for (const kept of keepable(this.#steps, calls)) {
        const found = await new FairCycles(among, fairness, kept, pause).find();
        if (found !== undefined) return { ...found, why: kept.why(graph.rows, found.start * graph.width) };
      }
      return undefined;
    };
    const { effects } = this.#steps;
    const some = await find(graph);
    if (some === undefined) return "none";
    const interrupted = some.path.some(({ effect }) => effects.isFromOutside(effect));
    // One that goes on by itself is worse than one that interrupts keep up.
    const byItself = interrupted
      ? await find(withoutEdges(graph, ({ effect }) => effects.isFromOutside(effect)))
      : some;
    const { start, path, why } = byItself ?? some;
    const run = { search: exact.search, stem: await exact.search.pathTo(start), loop: path };
    return byItself === undefined ? { ...run, why: `${why} ${ENDLESS_INTERRUPTS}`, interrupted } : { ...run, why };
  }
}

/** What comes of a work, or the limit that ended it. */
const unlessLimited = <T>(work: Promise<T>): Promise<T | LimitReached> =>
  work.catch((error: unknown) => {
    if (error instanceof LimitReached) return error;
    throw error;
  });

/** What a search that came to its end found broken; undefined where nothing is. Throws {@link LimitReached} where that is not known. */
const found = async (verdicts: Verdicts, { search, end }: Searched): Promise<Found | undefined> => {
  if (end.end === "violation") return verdicts.violation(await search.nearest());
  if (!verdicts.counted.has("progress")) return undefined;
  const stuck = await search.stuck((state) => isQuiet(verdicts, search, state));
  return stuck === undefined ? undefined : verdicts.stuck(await search.pathTo(stuck), search.row(stuck));
};

/** No patch call is under way, and every CPU is out of its traps and interrupts. */
const isQuiet = (verdicts: Verdicts, { store: { rows, width } }: Search, state: number): boolean => {
  const base = state * width;
  if (verdicts.calls.some((call) => call.inside(rows, base))) return false;
  for (let column = CPU0; column < width; column++) if (!verdicts.isQuiet(rows[base + column] as number)) return false;
  return true;
};

const endless = (verdicts: Verdicts, { stem, loop, why, interrupted }: EndlessRun, base: VerdictBase): Verdict => {
  const broken: readonly Broken[] = [{ property: "progress", why }];
  const unsafe = verdicts.unsafe({ path: [...stem, ...loop], broken, consequences: [] }, base, 0, true);
  const run = { ...unsafe, loop: stem.length };
  return interrupted === true ? { ...run, otherwise: verdicts.without("progress", base) } : run;
};

const EVERY: Reductions = { urgent: true, symmetry: true, stubborn: true };

const SYMMETRY: Reductions = { urgent: false, symmetry: true, stubborn: false };

const reductionsOf = (asked: CheckOptions["reduce"] = true): Reductions | false => {
  if (typeof asked === "boolean") return asked ? EVERY : false;
  return { urgent: false, symmetry: false, stubborn: false, ...asked };
};

/** The options with what is left of their time after so many milliseconds. */
export const withTimeLeft = (options: CheckOptions, elapsed: number): CheckOptions => {
  const milliseconds = options.bounds?.milliseconds;
  if (milliseconds === undefined) return options;
  return {
    ...options,
    bounds: { ...options.bounds, milliseconds: Math.max(0, milliseconds - elapsed) },
  };
};

/**
 * The properties that count: those that a strategy promises, those that always count and those under ids of their own, less what the
 * scenario leaves out. `judged` are all properties of the simulation, those of plugins among them; by default core's and the scenario's.
 */
export const countedProperties = (
  scenario: Scenario,
  judged: readonly Property[] = scenario.judges ?? [],
): ReadonlySet<PropertyId> => {
  const own = judged.flatMap(({ id }) => (isOwnOfCore(id) ? [] : [id]));
  const promised = new Set<PropertyId>([
    ...alwaysPromised,
    ...own,
    ...scenario.patchers.flatMap((patcher) => patcher.strategy.promises),
  ]);
  const asked = scenario.properties ?? [...propertyIds, ...own];
  const ignored = new Set<PropertyId>(scenario.ignore ?? []);
  return new Set(asked.filter((id) => !ignored.has(id) && (promised.has(id) || scenario.properties !== undefined)));
};

/** The driver that explores every interleaving. */
export const EXPLORER = token<Pick<Explorer, "check">>("explorer");
