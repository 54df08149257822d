import { type Context, running } from "../src/contract/state.js";
import {
  afterEffect,
  type Data,
  type Effect,
  type EventName,
  type Events,
  enabledSteps,
  eventsOf,
  initialView,
  keyOf,
  type Machine,
  type Property,
  type PropertyId,
  type StateView,
} from "../src/index.js";

/*
 * The explorer once more, as simple as can be: whole states under string keys, nothing remembered but what a search needs. The
 * real one is compared with it.
 */

export type NaiveVerdict = {
  readonly verdict: "safe" | "unsafe";
  /** Properties that a violation of the first level that has one breaks. */
  readonly properties: ReadonlySet<string>;
  /** Steps of a shortest counterexample; 0 when there is none. */
  readonly length: number;
  readonly states: number;
};

/** A step that was taken: who, what, from where. */
export type Visited = {
  readonly cpu: number;
  readonly rule: string;
  readonly effect: Effect;
  readonly before: StateView;
  readonly depth: number;
};

const MOST_STATES = 40_000;

/** The key of a state is made of numbers of its parts, each of which is under a key of its own. */
const keys = (): ((view: StateView) => string) => {
  const numbers = new Map<string, number>();
  const number = (part: object): number => {
    const text = keyOf(part as Data);
    const found = numbers.get(text) ?? numbers.size;
    numbers.set(text, found);
    return found;
  };
  return ({ memory, services, parked, cpus }) => [memory, services, parked, ...cpus].map(number).join();
};

/** Visits every state in breadth-first order; `taken` answers whether the search goes on behind a step. */
export const visit = (
  machine: Machine,
  taken: (step: Visited) => boolean,
  levelEnds: (depth: number) => boolean = () => true,
) => {
  const start = initialView(machine);
  const key = keys();
  const numbers = new Map<string, number>([[key(start), 0]]);
  const views = [start];
  const depths = [0];
  const edges: number[][] = [];
  for (let state = 0; state < views.length; state++) {
    if (views.length > MOST_STATES) throw new Error(`More than ${MOST_STATES} states: too many to look at one by one.`);
    const before = views[state] as StateView;
    const depth = depths[state] as number;
    if (depth !== depths[state - 1] && state > 0 && !levelEnds(depth)) break;
    const out: number[] = [];
    edges.push(out);
    for (let cpu = 0; cpu < before.cpus.length; cpu++) {
      for (const { candidate, effects } of enabledSteps(machine, before, cpu)) {
        for (const effect of effects) {
          if (!taken({ cpu, rule: candidate.rule.id, effect, before, depth })) continue;
          const after = afterEffect(machine, before, cpu, effect);
          const name = key(after);
          let number = numbers.get(name);
          if (number === undefined) {
            number = views.length;
            numbers.set(name, number);
            views.push(after);
            depths.push(depth + 1);
          }
          out.push(number);
        }
      }
    }
  }
  return { views, depths, edges };
};

/** The verdict on a machine, by definition. */
export const naiveCheck = (
  machine: Machine,
  properties: readonly Property[],
  counted: ReadonlySet<PropertyId>,
): NaiveVerdict => {
  const judges = properties.filter(({ id }) => counted.has(id));
  const broken = new Set<string>();
  let length = 0;
  const { views, depths, edges } = visit(
    machine,
    ({ effect, depth }) => {
      const breaks = judges.filter((property) =>
        (effect.observed ?? []).some((seen) => property.judge(seen) !== undefined),
      );
      for (const { id } of breaks) broken.add(id);
      if (breaks.length > 0) length = depth + 1;
      return breaks.length === 0;
    },
    () => broken.size === 0,
  );
  const states = views.length;
  if (broken.size > 0) return { verdict: "unsafe", properties: broken, length, states };
  if (counted.has("progress")) {
    const finishing = leadingTo(
      edges,
      views.map((view) => isQuiet(machine, view)),
    );
    const moving = leadingTo(
      edges,
      views.map((view) => programMoves(machine, view)),
    );
    const stuck = views.findIndex((_, state) => !finishing[state]);
    const blocked = views.findIndex((_, state) => !finishing[state] && !moving[state]);
    if (stuck >= 0) {
      const length = depths[blocked < 0 ? stuck : blocked] as number;
      return { verdict: "unsafe", properties: new Set(["progress"]), length, states };
    }
  }
  return { verdict: "safe", properties: broken, length: 0, states };
};

/** The states from which one that satisfies a condition can be reached. */
const leadingTo = (edges: readonly (readonly number[])[], satisfied: readonly boolean[]): readonly boolean[] => {
  const leads = [...satisfied];
  for (let grew = true; grew; ) {
    grew = false;
    for (let state = edges.length - 1; state >= 0; state--) {
      if (leads[state] || !edges[state]?.some((next) => leads[next])) continue;
      leads[state] = true;
      grew = true;
    }
  }
  return leads;
};

/** Some CPU runs a program that can take its next step. */
const programMoves = (machine: Machine, view: StateView): boolean =>
  view.cpus.some((cpu, i) => {
    if (running(cpu)?.code.run !== "program") return false;
    const own = machine.candidates(cpu)[0];
    return enabledSteps(machine, view, i).some(
      ({ candidate }) => candidate.rule === own?.rule && candidate.step === own.step,
    );
  });

/** No patch call is under way, and no CPU has a trap, an interrupt or other work before it. */
const isQuiet = (machine: Machine, { cpus, parked }: StateView): boolean =>
  [...cpus.flatMap(({ stack }) => stack), ...parked.tasks].every((context) => !isCalling(machine, context)) &&
  cpus.every(
    ({ stack, pending }) =>
      stack.length <= 1 &&
      pending.length === 0 &&
      stack.every(({ code }) => code.run === "program" || code.trapped === null),
  );

/** A patcher that has begun a call and has not returned from it: what it did last of these two. */
const isCalling = (machine: Machine, { level, code }: Context): boolean => {
  if (level !== "task" || code.run !== "program") return false;
  const operations = (machine.layout.programs.get(code.program)?.code ?? [])
    .slice(0, code.at)
    .flatMap((entry) => (entry.kind === "op" ? [entry.op] : []));
  return operations.lastIndexOf("beginCall") > operations.lastIndexOf("returnCall");
};

/** All that was observed under a name in any run, by what `tell` says of it. */
export const everSeen = <E extends EventName>(
  machine: Machine,
  what: E,
  tell: (seen: { readonly detail: Events[E] }, step: Visited) => string,
  taken: (step: Visited) => boolean = () => true,
): ReadonlySet<string> => {
  const found = new Set<string>();
  visit(machine, (step) => {
    if (!taken(step)) return false;
    for (const detail of eventsOf(step.effect.observed ?? [], what)) found.add(tell({ detail }, step));
    return true;
  });
  return found;
};

/** What CPUs other than the patcher's (CPU 0) can execute inside a site. */
export const executedAtSite = (machine: Machine): ReadonlySet<string> =>
  everSeen(machine, "execute", ({ detail }, { cpu }) => (detail.site === null || cpu === 0 ? "" : String(detail.text)));
