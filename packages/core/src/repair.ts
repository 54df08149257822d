import { InputError } from "./base/errors.js";
import { keyOf } from "./base/key.js";
import type { Addition, Line, LinesArgument, Step } from "./contract/program.js";
import type { Property } from "./contract/property.js";
import type { Patcher, Scenario } from "./contract/scenario.js";
import type { Choice } from "./contract/trace.js";
import type { Bounds, Verdict } from "./contract/verdict.js";
import type { CheckOptions } from "./explorer/explorer.js";
import { countedProperties } from "./explorer/explorer.js";
import { pause, YIELD_MS } from "./explorer/pace.js";
import { follow } from "./explorer/trace.js";
import type { Machine } from "./machine/machine.js";
import { type Gap, gapsOf, isStep, linesHeld, nested } from "./program/lines.js";
import { waitRcu, waitRcuTasks, waitRcuTasksRude } from "./services/grace-periods.js";
import { syncCore, syncCores } from "./services/ipi.js";
import { fence } from "./services/locks.js";
import { maintain } from "./services/patching.js";

/** A kind of synchronisation that can be added to a program. */
export type Synchronisation = {
  /** What `--add` calls it. */
  readonly kind: string;
  /** What it does, as the end of a sentence: `all CPUs synchronise`. */
  readonly does: string;
  /** It waits for others, so only a task can do it. */
  readonly sleeps: boolean;
  line(id: string): Line;
};

/** The synchronisations that a machine knows, the cheapest first. A barrier is one where the memory order gives it a meaning. */
export const synchronisationsOf = ({ cache, order }: Pick<Machine, "cache" | "order">): readonly Synchronisation[] => [
  ...(order.id === "sequential"
    ? []
    : BARRIERS.map(([kind, does]) => ({ kind, does, sleeps: false, line: (id: string) => fence(id, kind) }))),
  ...Object.keys(cache.operations).map((operation) => ({
    kind: operation,
    does: `${operation} of all code`,
    sleeps: false,
    line: (id: string) => maintain(id, operation),
  })),
  { kind: "sync-core", does: "the CPU itself synchronises", sleeps: false, line: syncCore },
  { kind: "sync", does: "all CPUs synchronise", sleeps: true, line: syncCores },
  { kind: "rcu", does: "an RCU grace period", sleeps: true, line: waitRcu },
  { kind: "rcu-tasks-rude", does: "an RCU-tasks-rude grace period", sleeps: true, line: waitRcuTasksRude },
  { kind: "rcu-tasks", does: "an RCU-tasks grace period", sleeps: true, line: waitRcuTasks },
];

/** The kernel's barriers, the cheapest first. */
const BARRIERS: readonly (readonly [kind: string, does: string])[] = [
  ["wmb", "a barrier between stores"],
  ["rmb", "a barrier between loads"],
  ["mb", "a full memory barrier"],
];

/** How the place before all other steps is called. */
const START = "start";

/** `KIND@STEP`: the name of a synchronisation that is added somewhere, which is also the id of its step. */
const nameOf = (kind: string, { after, inside }: Omit<Addition, "line">): string =>
  `${kind}@${after ?? START}${inside === undefined ? "" : `/${inside}`}`;

/**
 * Reads `KIND@STEP`: a synchronisation after a step. `KIND@start` comes before all steps; `KIND@STEP/run`, `/secondaries` and
 * `/handler` before the lines that a step holds. Throws {@link InputError} when there is no such kind or the text has another form.
 */
export const parseAddition = (text: string, machine: Pick<Machine, "cache" | "order">): Addition => {
  const known = synchronisationsOf(machine);
  const [, kind, after = "", inside] = /^([^@]+)@([^@/]+?)(?:\/(run|secondaries|handler))?$/.exec(text) ?? [];
  if (kind === undefined) {
    throw new InputError(`A synchronisation to add is KIND@STEP, such as sync@write-int3; not ${text}.`, {
      place: "add",
      code: "wrong-type",
    });
  }
  const found = known.find((each) => each.kind === kind);
  if (found === undefined) {
    const barrier = BARRIERS.some(([word]) => word === kind);
    throw new InputError(
      barrier
        ? `There is nothing to add for the barrier ${kind}: memory is sequential, so that all accesses are in order already; ask with architectural memory.`
        : `There is no synchronisation ${kind} to add here; there are ${kinds(known)}.`,
      { place: "add", code: "unknown-name" },
    );
  }
  if (after === START && inside !== undefined) {
    throw new InputError(`Before all steps there is no ${inside} to put ${kind} into, as ${text} asks.`, {
      place: "add",
      code: "conflict",
    });
  }
  const place = {
    after: after === START ? null : after,
    ...(inside === undefined ? {} : { inside: inside as LinesArgument }),
  };
  return { ...place, line: found.line(text) };
};

const kinds = (known: readonly Synchronisation[]): string => known.map(({ kind }) => kind).join(", ");

/** A synchronisation that is added to a program. */
export type RepairAttempt = {
  /** Index into the scenario's patchers. */
  readonly patcher: number;
  readonly synchronisation: Synchronisation;
  readonly addition: Addition;
};

/** One added synchronisation that makes a scenario safe. */
export type Repair = RepairAttempt & {
  /** The scenario with it: what was found safe. */
  readonly scenario: Scenario;
};

/** What {@link Simulation.repairs} found. */
export type Repairs = {
  /** The cheapest first; of the same cost the one that comes first in the program. */
  readonly found: readonly Repair[];
  /** Additions about which it was decided whether they repair. */
  readonly tried: number;
  /** Additions there are. */
  readonly candidates: number;
  /** States of all checks together. */
  readonly states: number;
  /**
   * Additions that a bound kept from being decided: of those that cost less than what was found, and of all where nothing was found or all
   * were asked for.
   */
  readonly undecided: readonly RepairAttempt[];
};

/** How repairs are looked for. */
export type RepairOptions = {
  /** Bounds of each check; `milliseconds` of all together. */
  readonly bounds?: Bounds;
  /** As in {@link CheckOptions}. */
  readonly memory?: () => number;
  /** States of all checks together, 1 or more; by default there is no end to them. */
  readonly states?: number;
  readonly signal?: AbortSignal;
  /** A counterexample of the scenario: what leaves it possible is no repair. */
  readonly counterexample?: readonly Choice[];
  /** Look for every repair; default false: for the cheapest alone. */
  readonly all?: boolean;
  /** Told before each check how many additions are decided, and how many there are. */
  readonly onTry?: (tried: number, candidates: number) => void;
};

/** States of each check of the first round; in each further round it may see four times as many. */
const FIRST_STATES = 8_000;
const MORE_STATES = 4;

/** What is put where a step was left out may take this part of all states, before any other addition is looked at. */
const FOR_DROPPED = 1 / 2;

/** What a search for repairs needs of a simulation. */
type Simulated = {
  /** The properties that its runs judge. */
  readonly properties: readonly Property[];
  check(scenario: Scenario, options: CheckOptions): Promise<Verdict>;
  machine(scenario: Scenario): Machine;
};

/**
 * Adds each synchronisation at each place of the patchers' programs, one at a time, and checks what becomes of the scenario. What does
 * the same as a step that was left out comes first, where that stood: it is likely to do, and what costs more is then of no interest.
 * Of the others, scenarios with few states are decided first, so that one that is hard does not stand in the way of the rest.
 */
export const findRepairs = async (
  simulation: Simulated,
  scenario: Scenario,
  options: RepairOptions,
): Promise<Repairs> => {
  const began = performance.now();
  const {
    bounds = {},
    memory,
    states: work = Number.POSITIVE_INFINITY,
    signal,
    counterexample = [],
    all = false,
    onTry,
  } = options;
  // What waits for ever breaks nothing else: no repair may end like that, whatever was promised.
  const counted = [...new Set([...countedProperties(scenario, simulation.properties), "progress" as const])];
  const { ignore: _, ...rest } = scenario;
  const judged: Scenario = { ...rest, properties: counted };
  const properties = simulation.properties.filter(({ id }) => counted.includes(id));
  const whole = { ...scenario, patchers: scenario.patchers.map(({ drop: _, ...patcher }) => patcher) };
  const candidates = candidatesOf(simulation.machine(scenario), simulation.machine(whole), scenario);
  const left = (): number => (bounds.milliseconds ?? Number.POSITIVE_INFINITY) - (performance.now() - began);
  let seen = 0;
  const isOver = (): boolean => seen >= work || left() <= 0 || signal?.aborted === true;
  const decide = async ({ patchers }: Candidate, states: number): Promise<Verdict["verdict"]> => {
    if (isOver()) return "inconclusive";
    const time = left();
    const within = {
      ...bounds,
      ...(Number.isFinite(states) ? { states } : {}),
      ...(Number.isFinite(time) ? { milliseconds: time } : {}),
    };
    const how = {
      bounds: within,
      beyond: 0,
      shortest: false,
      ...(signal === undefined ? {} : { signal }),
      ...(memory === undefined ? {} : { memory }),
    };
    try {
      const verdict = await simulation.check({ ...judged, patchers }, how);
      seen += verdict.states;
      return verdict.verdict;
    } catch (error) {
      // With it the run comes to a step that lacks what it needs: that is no repair.
      if (error instanceof InputError) return "unsafe";
      throw error;
    }
  };

  const found: Candidate[] = [];
  let tried = 0;
  const isDecided = async (candidate: Candidate, states: number): Promise<boolean> => {
    onTry?.(tried, candidates.length);
    const verdict = await decide(candidate, Math.min(states, Math.max(1, work - seen)));
    if (verdict === "safe") found.push(candidate);
    if (verdict !== "inconclusive") tried++;
    return verdict !== "inconclusive";
  };
  let open: Candidate[] = [];
  let yielded = performance.now();
  for (const candidate of candidates) {
    // So many machines are made that an interruption would wait for too long.
    if (performance.now() - yielded > YIELD_MS) {
      await pause();
      yielded = performance.now();
    }
    const { patchers } = candidate;
    if (!isOver() && stillBreaks(simulation.machine({ ...judged, patchers }), counterexample, properties)) tried++;
    else open.push(candidate);
  }
  const most = Math.min(bounds.states ?? Number.POSITIVE_INFINITY, work);
  for (const candidate of open.filter(({ dropped }) => dropped)) {
    if (await isDecided(candidate, Math.min(most, FOR_DROPPED * work - seen)))
      open = open.filter((each) => each !== candidate);
  }
  for (let states = Math.min(FIRST_STATES, most); ; ) {
    const undecided: Candidate[] = [];
    for (const candidate of open) {
      // One that costs more is of no interest any more.
      if (!all && found.some(({ rank }) => rank < candidate.rank)) break;
      if (!(await isDecided(candidate, states))) undecided.push(candidate);
    }
    open = undecided;
    if (open.length === 0 || states === most || isOver()) break;
    // One that is left alone stands in nobody's way.
    states = open.length === 1 ? most : Math.min(MORE_STATES * states, most);
  }
  found.sort((a, b) => a.rank - b.rank);
  return {
    found: (all ? found : found.slice(0, 1)).map(({ rank: _, dropped: __, patchers, ...repair }) => ({
      ...repair,
      scenario: { ...scenario, patchers },
    })),
    tried,
    candidates: candidates.length,
    states: seen,
    undecided: open.map(({ rank: _, dropped: __, patchers: ___, ...addition }) => addition),
  };
};

type Candidate = RepairAttempt & {
  /** Its place in the order of costs. */
  readonly rank: number;
  /** It does the same as a step that was left out, where that stood. */
  readonly dropped: boolean;
  readonly patchers: readonly Patcher[];
};

/** `whole`: the machine of the scenario with nothing left out. */
const candidatesOf = (machine: Machine, whole: Machine, scenario: Scenario): readonly Candidate[] => {
  const taken = new Set(machine.layout.steps.flat());
  const left = scenario.patchers.map((patcher, index) => droppedFrom(whole, index, patcher));
  return synchronisationsOf(machine)
    .flatMap((synchronisation) =>
      scenario.patchers.flatMap((patcher, index) =>
        placesOf(machine, index, patcher)
          .filter(({ sleeps }) => sleeps || !synchronisation.sleeps)
          .flatMap(({ sleeps: _, ...gap }) => {
            const id = nameOf(synchronisation.kind, gap);
            if (taken.has(id)) return [];
            const addition: Addition = { ...gap, line: synchronisation.line(id) };
            const changed: Patcher = { ...patcher, add: [...(patcher.add ?? []), addition] };
            const patchers = scenario.patchers.map((other, i) => (i === index ? changed : other));
            const dropped = left[index]?.some((each) => isInPlaceOf(addition, each)) === true;
            return [{ patcher: index, synchronisation, addition, patchers, dropped }];
          }),
      ),
    )
    .map((candidate, rank) => ({ ...candidate, rank }));
};

/** The places of a patcher's programs, there and back: after each step of the strategy's own and what is added there already. */
const placesOf = (machine: Machine, index: number, { add = [] }: Patcher): readonly Gap[] => {
  const added = new Set(add.map(({ line }) => line.id));
  const places = new Map<string, Gap>();
  for (const program of machine.layout.plans[index] ?? []) {
    for (const gap of gapsOf(program)) if (gap.after === null || !added.has(gap.after)) places.set(keyOf(gap), gap);
  }
  return [...places.values()];
};

type Place = Pick<Addition, "after" | "inside">;

/** A step that was left out, and where it stood among what was not. */
type Dropped = { readonly place: Place; readonly step: Step };

const droppedFrom = (whole: Machine, index: number, { drop = [] }: Patcher): readonly Dropped[] => {
  const ids = new Set(drop);
  const inLines = (lines: readonly Line[], start: Place | undefined): readonly Dropped[] => {
    let place = start;
    return lines.flatMap((line) => {
      if (ids.has(line.id)) return place === undefined || !isStep(line) ? [] : [{ place, step: line }];
      place = { after: line.id };
      const held = isStep(line) ? linesHeld(line) : [[null, nested(line)] as const];
      return held.flatMap(([inside, lines]) =>
        inLines(lines, inside === null ? undefined : { after: line.id, inside }),
      );
    });
  };
  return (whole.layout.plans[index] ?? []).flatMap(({ main, traps = {} }) => [
    ...inLines(main, { after: null }),
    ...Object.values(traps).flatMap((lines) => inLines(lines, undefined)),
  ]);
};

/** Whether an addition stands where a step stood, and does what that did or more. */
const isInPlaceOf = ({ after, inside, line }: Addition, { place, step }: Dropped): boolean => {
  if (!isStep(line) || after !== place.after || inside !== place.inside) return false;
  const { op, args } = step;
  // An interrupt to all CPUs, and the wait for it, are two steps in some programs.
  if (line.op === "syncCores") return op === "syncCores" || op === "sendIpi" || op === "waitIpi";
  if (line.op === "maintain" && op === "maintain") return line.args.operation === args.operation;
  if (line.op === "waitGrace" && op === "waitGrace") return line.args.flavour === args.flavour;
  return line.op === op;
};

/** Whether a counterexample of a scenario without an addition is one with it: the addition comes too late. */
const stillBreaks = (machine: Machine, counterexample: readonly Choice[], properties: readonly Property[]): boolean => {
  // What cannot be followed to its end breaks nothing where it stops.
  const last = follow(machine, counterexample).at(-1);
  return (last?.observed ?? []).some((observation) =>
    properties.some((property) => property.judge(observation) !== undefined),
  );
};
