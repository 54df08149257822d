import {
  alwaysPromised,
  isOwnOfCore,
  type Property,
  type PropertyId,
  propertyIds,
  reportedAt,
} from "../contract/property.js";
import type { Scenario } from "../contract/scenario.js";
import type { CpuState } from "../contract/state.js";
import type { Bounds, Broken, Progress, Verdict, VerdictBase } from "../contract/verdict.js";
import type { Machine } from "../machine/machine.js";
import { MACHINE } from "../machine/machine.js";
import { countedOf, type Judged } from "../properties/judge.js";
import { DEVELOPMENT, PROPERTIES, SCENARIO } from "../wiring/parts.js";
import { injectable, token, use, useAll } from "../wiring/tokens.js";
import { idleBecause, notExecutedIn, notJudgedIn, vacuousBecause } from "./empty.js";
import { mayBeEndless } from "./endless.js";
import { FairCycles, type Loop } from "./fair-cycles.js";
import { Fairness } from "./fairness.js";
import { keepable, PatchCall } from "./kept.js";
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
import { follow } from "./trace.js";
import { LimitReached, Watch } from "./watch.js";

/** How a check is run. */
export type CheckOptions = {
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
  /** States looked at behind the first violation, to see what else breaks; 0 or more, default 20,000. */
  readonly beyond?: number;
  /** Look for a shortest counterexample; default true. Without, the one that the reduced search found is given. */
  readonly shortest?: boolean;
};

/** {@link CheckOptions.beyond} when it is not given. */
const BEYOND = 20_000;

type How = Pick<SearchOptions, "reduce" | "beyond">;
type Limit = Extract<SearchEnd, { readonly end: "limit" }>["limit"];
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
  readonly #machine: Machine;
  readonly #steps: Steps;
  readonly #properties: readonly Property[];
  readonly #scenario: Scenario;
  readonly #calls: readonly PatchCall[];

  constructor(
    @use(MACHINE) machine: Machine,
    @useAll(PROPERTIES) properties: readonly Property[],
    @use(SCENARIO) scenario: Scenario,
    @use(DEVELOPMENT) development: boolean,
  ) {
    this.#machine = machine;
    this.#steps = new Steps(machine, properties, development);
    this.#properties = properties;
    this.#scenario = scenario;
    this.#calls = scenario.patchers.map((_, patcher) => new PatchCall(this.#steps, patcher));
  }

  async check(options: CheckOptions): Promise<Verdict> {
    const began = performance.now();
    const { bounds = {}, beyond = BEYOND } = options;
    const counted = countedProperties(this.#scenario, this.#properties);
    const reduce = reductionsOf(options.reduce);
    const decided = await this.#decide(counted, options, { reduce, beyond });
    const { search, end } = decided;

    const asked = { scenario: this.#scenario, machine: this.#machine, steps: this.#steps };
    const idle = end.end === "complete" ? idleBecause(asked) : undefined;
    const notJudged = notJudgedIn(counted, asked, idle);
    const base = (shown: Search): VerdictBase => ({
      states: shown.store.size,
      transitions: shown.transitions,
      depth: shown.depth,
      bytes: shown.bytes,
      seconds: (performance.now() - began) / 1000,
      bounds,
      unused: end.end === "complete" ? this.#unused() : [],
      notJudged,
      notExecuted: end.end === "complete" ? notExecutedIn(asked) : [],
      notPromised: this.#idsOf(search.brokenInactive),
      faults: counted.has("fault") ? [] : this.#faults(),
      ...this.#passed(),
    });
    if (end.end === "limit") return { ...base(search), verdict: "inconclusive", limit: end.limit };
    // Whether everything can finish is asked of the graph, which is turned round for that.
    if (end.end === "complete" && counted.has("progress")) {
      const watch = new Watch(withTimeLeft(options, began).bounds ?? {}, options.memory ?? (() => search.bytes));
      const limit = watch.reached(search.turning);
      if (limit !== undefined) return { ...base(search), verdict: "inconclusive", limit };
    }
    if (end.end === "complete" && this.#violation(decided, counted) === undefined) {
      const kept = counted.has("progress") ? await this.#kept(decided, counted, withTimeLeft(options, began)) : "none";
      if (kept === "none") {
        const reason = vacuousBecause(counted, notJudged, asked, idle);
        return reason === undefined
          ? { ...base(search), verdict: "safe" }
          : { ...base(search), verdict: "vacuous", reason };
      }
      if (typeof kept === "string") return { ...base(search), verdict: "inconclusive", limit: kept };
      const { stem, loop, why } = kept;
      const broken: readonly Broken[] = [{ property: "progress", why }];
      const unsafe = { ...this.#unsafe(base(kept.search), broken, [...stem, ...loop], [], true), loop: stem.length };
      if (kept.interrupted !== true) return unsafe;
      const rest = new Set([...counted].filter((id) => id !== "progress"));
      return {
        ...unsafe,
        otherwise: vacuousBecause(rest, notJudged, asked, idle) === undefined ? "safe" : "vacuous",
      };
    }

    // All reductions but symmetry make paths longer, so the shortest is looked for without them; the memoised steps are there already.
    const again =
      reduce && options.shortest !== false
        ? await this.#search(counted, withTimeLeft(options, began), { reduce: SYMMETRY, beyond: 0 })
        : decided;
    const shortest = again === decided && reduce ? undefined : this.#violation(again, counted);
    if (shortest === undefined && again !== decided && again.end.end !== "limit")
      throw new Error("The reductions broke what is not broken.");
    const found = shortest ?? this.#violation(decided, counted);
    if (found === undefined) throw new Error("What was found broken is found again.");
    const { path, consequences } = found;
    const broken = found.broken.map(({ property, why }): Broken => ({ property, why }));
    const also = this.#idsOf(search.broken).filter((id) => !broken.some(({ property }) => property === id));
    const shown = base(shortest === undefined ? search : again.search);
    const faults = [...consequences.map(({ why }) => why), ...shown.faults];
    return this.#unsafe({ ...shown, faults }, broken, path, also, shortest !== undefined);
  }

  #passed(): Pick<VerdictBase, "opaque"> {
    const { instructions, dependent } = this.#machine.opaque;
    return instructions.length === 0 || dependent !== undefined ? {} : { opaque: instructions };
  }

  /** The search that decides. Stubborn sets are for properties of single steps; what they rest on may turn out not to hold. */
  async #decide(counted: ReadonlySet<PropertyId>, options: CheckOptions, how: How): Promise<Searched> {
    const { reduce, beyond } = how;
    if (reduce === false || !reduce.stubborn) return this.#search(counted, options, how);
    const plain: How = { reduce: { ...reduce, stubborn: false }, beyond };
    if (counted.has("progress")) return this.#search(counted, options, plain);
    const began = performance.now();
    const reduced = await this.#search(counted, options, how);
    if (reduced.end.end !== "complete" || reduced.search.covered) return reduced;
    return this.#search(counted, withTimeLeft(options, began), plain);
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

  /** What a search found broken, and the way there. */
  #violation(
    { search, end }: Searched,
    counted: ReadonlySet<PropertyId>,
  ):
    | { readonly path: readonly Taken[]; readonly broken: readonly Judged[]; readonly consequences: readonly Judged[] }
    | undefined {
    if (end.end === "limit") return undefined;
    if (end.end === "violation") {
      const path = search.nearest();
      const last = path[path.length - 1] as Taken;
      return {
        path,
        ...countedOf(this.#steps.effects.info(last.effect).broken, (id) => counted.has(id)),
      };
    }
    if (!counted.has("progress")) return undefined;
    const stuck = search.stuck((state) => this.#quiet(search, state));
    if (stuck === undefined) return undefined;
    const why = `From here not everything can finish any more: ${this.#standing(search, stuck).join("; ")}.`;
    return { path: search.pathTo(stuck), broken: [{ property: "progress", why }], consequences: [] };
  }

  /**
   * What a fair run can keep from its end for ever, by a search without reductions: it takes that to tell CPUs apart. It is done only
   * where the search that decided leaves the question open.
   */
  async #kept(
    decided: Searched,
    counted: ReadonlySet<PropertyId>,
    options: CheckOptions,
  ): Promise<"none" | Limit | EndlessRun> {
    try {
      const watch = new Watch(options.bounds ?? {}, options.memory ?? (() => decided.search.bytes));
      return await this.#keptUntil(decided, counted, options, watch);
    } catch (error) {
      if (error instanceof LimitReached) return error.limit;
      throw error;
    }
  }

  async #keptUntil(
    decided: Searched,
    counted: ReadonlySet<PropertyId>,
    options: CheckOptions,
    watch: Watch,
  ): Promise<"none" | Limit | EndlessRun> {
    if (!decided.search.isPlain && !mayBeEndless(decided.search, this.#steps, this.#calls, watch)) return "none";
    const exact = decided.search.isPlain ? decided : await this.#search(counted, options, { reduce: false, beyond: 0 });
    if (exact.end.end === "limit") return exact.end.limit;
    const graph = exact.search.graph();
    const fairness = new Fairness(graph, this.#steps, "column");
    const find = (among: Graph): Endless | undefined => {
      for (const kept of keepable(this.#steps, this.#calls)) {
        const found = new FairCycles(among, fairness, kept, watch).find();
        if (found !== undefined) return { ...found, why: kept.why(graph.rows, found.start * graph.width) };
      }
      return undefined;
    };
    const { effects } = this.#steps;
    const some = find(graph);
    if (some === undefined) return "none";
    const interrupted = some.path.some(({ effect }) => effects.isFromOutside(effect));
    // One that goes on by itself is worse than one that interrupts keep up.
    const byItself = interrupted ? find(withoutEdges(graph, ({ effect }) => effects.isFromOutside(effect))) : some;
    const { start, path, why } = byItself ?? some;
    const run = { search: exact.search, stem: exact.search.pathTo(start), loop: path };
    return byItself === undefined ? { ...run, why: `${why} ${ENDLESS_INTERRUPTS}`, interrupted } : { ...run, why };
  }

  /** What the programs, traps and interrupts of a state stand at, lowest context first. */
  #standing(search: Search, state: number): readonly string[] {
    const { rows, width } = search.store;
    return [...rows.subarray(state * width + CPU0, (state + 1) * width)].flatMap((part) =>
      this.#steps.parts.cpu.value(part).stack.flatMap(({ level, code }) => {
        if (code.run === "program")
          return [`${level} ${code.program} at ${this.#machine.next(code)?.step ?? "its end"}`];
        return level === "task" ? [] : [`${level} at 0x${code.pc.toString(16)}`];
      }),
    );
  }

  /** What faulted or left the code in any step that was looked at. */
  #faults(): readonly string[] {
    const broken = this.#steps.effects.infos.flatMap((info) => info.broken);
    return [...new Set(broken.flatMap(({ property, why }) => (property === "fault" ? [why] : [])))];
  }

  #idsOf(bits: number): readonly PropertyId[] {
    return this.#properties.filter((_, i) => (bits & (1 << i)) !== 0).map((property) => property.id);
  }

  #unsafe(
    base: VerdictBase,
    broken: readonly Broken[],
    path: readonly Taken[],
    alsoBroken: readonly PropertyId[],
    shortest: boolean,
  ): Extract<Verdict, { readonly verdict: "unsafe" }> {
    const inOrder = [...broken].sort((a, b) => reportedAt(a.property) - reportedAt(b.property));
    const first = inOrder[0] as Broken;
    const choices = path.map(({ effect, column }) => {
      const { rule, step, candidate, choice } = this.#steps.effects.info(effect);
      return { cpu: column - CPU0, rule, step, candidate, choice };
    });
    const trace = follow(this.#machine, choices);
    if (trace.length !== choices.length) throw new Error("A path that was found can be followed.");
    return {
      ...base,
      verdict: "unsafe",
      property: first.property,
      why: first.why,
      broken: inOrder,
      alsoBroken,
      trace,
      shortest,
    };
  }

  #unused(): readonly string[] {
    const taken = new Set(this.#steps.effects.infos.map((info) => info.step));
    const steps = new Set(
      [...this.#machine.layout.programs.values()].flatMap(({ code }) =>
        code.flatMap((entry) => (entry.kind === "op" ? [entry.step] : [])),
      ),
    );
    return [...new Set(this.#machine.layout.steps.flat())].filter((id) => steps.has(id) && !taken.has(id));
  }

  /** No patch call is under way, and every CPU is out of its traps and interrupts. */
  #quiet(search: Search, state: number): boolean {
    const { rows, width } = search.store;
    const base = state * width;
    if (this.#calls.some((call) => call.inside(rows, base))) return false;
    for (let column = CPU0; column < width; column++)
      if (!quiet(this.#steps.parts.cpu.value(rows[base + column] as number))) return false;
    return true;
  }
}

const EVERY: Reductions = { urgent: true, symmetry: true, stubborn: true };

const SYMMETRY: Reductions = { urgent: false, symmetry: true, stubborn: false };

const reductionsOf = (asked: CheckOptions["reduce"] = true): Reductions | false => {
  if (typeof asked === "boolean") return asked ? EVERY : false;
  return { urgent: false, symmetry: false, stubborn: false, ...asked };
};

const withTimeLeft = (options: CheckOptions, began: number): CheckOptions => {
  const milliseconds = options.bounds?.milliseconds;
  if (milliseconds === undefined) return options;
  return {
    ...options,
    bounds: { ...options.bounds, milliseconds: Math.max(0, milliseconds - (performance.now() - began)) },
  };
};

const quiet = (cpu: CpuState): boolean => {
  const [task, above] = cpu.stack;
  if (above !== undefined || cpu.pending.length > 0) return false;
  return task === undefined || task.code.run === "program" || task.code.trapped === null;
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
