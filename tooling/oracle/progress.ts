import type { Candidate, Context, CpuState, Data, Machine } from "@cmodx/core";
import { keyOf, running, same } from "@cmodx/core";
import type { Edge, StateGraph, View } from "./graph.js";

/*
 * `progress` by its definition, on a whole graph of states: from each state one must be reachable in which no call is under way and every
 * CPU is out of its traps and interrupts; and no fair run for ever may keep a call or a CPU from that.
 */

/** What breaks `progress`: a state from which not everything can finish, or a fair run for ever. */
export type Progress = "kept" | "stuck" | "endless";

/** Whether a graph without any other violation breaks `progress`. */
export const progressOf = (graph: StateGraph): Progress => {
  const views = Array.from({ length: graph.size }, (_, state) => graph.view(state));
  const calling = callsOf(graph.machine);
  const quiet = views.map((view) => isQuiet(view, calling));
  if (backwards(graph, quiet).some((leads) => !leads)) return "stuck";
  const cpus = views[0]?.cpus.length ?? 0;
  for (const [program, at] of calling) {
    const inside = views.map((view) => tasksOf(view).some((task) => isIn(task, program, at)));
    if (hasFairCycle(graph, views, inside, () => true)) return "endless";
  }
  for (let cpu = 0; cpu < cpus; cpu++) {
    const inside = views.map((view) => isHeld(view.cpus[cpu] as CpuState));
    if (hasFairCycle(graph, views, inside, (edge) => edge.cpu !== cpu || !takesOn(edge, views, graph.machine)))
      return "endless";
  }
  return "kept";
};

type Calling = ReadonlyMap<string, readonly boolean[]>;

/** By patcher's program, at which of its places a call is under way. */
const callsOf = ({ layout }: Machine): Calling =>
  new Map(
    [...layout.programs].flatMap(([name, { code }]) => {
      let inside = false;
      const at = code.map((entry) => {
        const before = inside;
        if (entry.kind === "op" && entry.op === "beginCall") inside = true;
        if (entry.kind === "op" && entry.op === "returnCall") inside = false;
        return before;
      });
      return at.some(Boolean) ? [[name, at] as const] : [];
    }),
  );

const tasksOf = ({ cpus, parked }: View): readonly Context[] => [
  ...cpus.flatMap(({ stack }) => stack.slice(0, 1)),
  ...parked.tasks,
];

const isIn = ({ code }: Context, program: string, at: readonly boolean[]): boolean =>
  code.run === "program" && code.program === program && at[code.at] === true;

const isQuiet = (view: View, calling: Calling): boolean =>
  tasksOf(view).every((task) => [...calling].every(([program, at]) => !isIn(task, program, at))) &&
  view.cpus.every(
    ({ stack, pending }) =>
      stack.length <= 1 &&
      pending.length === 0 &&
      stack.every(({ code }) => code.run === "program" || code.trapped === null),
  );

/** The states from which one of these is reached. */
const backwards = (graph: StateGraph, goal: readonly boolean[]): readonly boolean[] => {
  const before: number[][] = Array.from({ length: graph.size }, () => []);
  for (const edges of graph.edges) for (const { from, to } of edges) before[to]?.push(from);
  const leads = [...goal];
  const queue = goal.flatMap((is, state) => (is ? [state] : []));
  for (const state of queue)
    for (const from of before[state] ?? []) {
      if (leads[from]) continue;
      leads[from] = true;
      queue.push(from);
    }
  return leads;
};

/** A CPU that is in a trap or an interrupt, or whose task stands somewhere in its code. */
const isHeld = ({ stack }: CpuState): boolean => {
  const top = stack.at(-1);
  if (top === undefined || top.level === "stopper") return false;
  return stack.length > 1 || (top.code.run === "machine" && (!top.code.home || top.code.trapped !== null));
};

/** A step by which the task of a CPU executes an instruction that neither traps nor holds it up. */
const takesOn = ({ from, cpu, candidate, effect }: Edge, views: readonly View[], machine: Machine): boolean => {
  const before = views[from]?.cpus[cpu] as CpuState;
  if (before.stack.length > 1 || candidate.rule !== machine.order.execute) return false;
  return !(effect.observed ?? []).some(
    ({ what, detail }) => what === "execute" && (detail.owned === true || detail.vector !== null),
  );
};

/** Steps in which a task sleeps: it is queued, and woken when it can go on. */
const SLEEPING: ReadonlySet<string> = new Set(["lock", "queueStop", "awaitStop", "awaitGrace"]);

const OUTSIDE: ReadonlySet<string> = new Set(["irq", "nmi", "nested-nmi", "preempt"]);
const TAKING: ReadonlySet<string> = new Set(["take-ipi", "take-stopper"]);

/** A fetch, or a part of one, that an interrupt would throw away: no turn. */
const AHEAD: ReadonlySet<string> = new Set(["fetch-part", "fetch", "window-load", "window-restart"]);

const isNoTurn = ({ from, cpu, candidate, effect }: Edge, views: readonly View[], machine: Machine): boolean => {
  const before = views[from]?.cpus[cpu] as CpuState;
  const observed = effect.observed ?? [];
  if (candidate.rule !== machine.order.execute || !observed.every(({ what }) => AHEAD.has(what))) return false;
  const after = effect.set.cpu ?? before;
  return observed.length > 0 || same(running(before)?.code as Data, running(after)?.code as Data);
};

/** Who owes a turn for a step of this CPU. */
const turnsOf = (candidate: Candidate, cpu: number, state: CpuState, machine: Machine): readonly string[] => {
  const { rule, args } = candidate;
  if (TAKING.has(rule.id)) return [`${cpu} takes ${keyOf(args)}`];
  if (machine.order.spontaneous.includes(rule)) return [`${cpu} memory`];
  if (!machine.preempt || state.stack.length > 1) return [`${cpu} runs ${state.stack.length}`];
  const task = keyOf(running(state) as unknown as Data);
  return [`${cpu} runs ${task}`, `runs ${task}`];
};

const resumption = (task: Context): string => `resumes ${keyOf(task as unknown as Data)}`;

/** What a fair run that comes by a state again and again has to do, and what excuses it from that. */
const askedBy = (graph: StateGraph, state: number, view: View) => {
  const { machine } = graph;
  const owed = new Set(view.parked.tasks.map(resumption));
  const excused = new Set<string>();
  view.cpus.forEach((cpu, index) => {
    for (const [candidate, effects] of graph.steps(state, index)) {
      const { id } = candidate.rule;
      if (OUTSIDE.has(id) || id === "resume") continue;
      const turns = turnsOf(candidate, index, cpu, machine);
      if (effects.length > 0) for (const turn of turns) owed.add(turn);
      else if (!SLEEPING.has(id)) for (const turn of turns) excused.add(turn);
    }
  });
  return { owed, excused };
};

/** The turns that a step takes. */
const takenBy = (edge: Edge, views: readonly View[], machine: Machine): readonly string[] => {
  const { cpu, candidate, effect, from } = edge;
  const before = views[from]?.cpus[cpu] as CpuState;
  const { id } = candidate.rule;
  if (id === "preempt") {
    // A task that is taken off owes its turn to no CPU any more.
    const own = machine.candidates(before)[0] as Candidate;
    return turnsOf(own, cpu, before, machine).slice(0, 1);
  }
  if (id === "resume") return [resumption((effect.set.cpu as CpuState).stack[0] as Context)];
  if (OUTSIDE.has(id) || isNoTurn(edge, views, machine)) return [];
  return turnsOf(candidate, cpu, before, machine);
};

/** Whether a fair run can stay for ever in these states, by edges that `stays` allows (Streett's condition, by taking states out). */
const hasFairCycle = (
  graph: StateGraph,
  views: readonly View[],
  inside: readonly boolean[],
  stays: (edge: Edge) => boolean,
): boolean => {
  const open: number[][] = [inside.flatMap((is, state) => (is ? [state] : []))];
  for (let states = open.pop(); states !== undefined; states = open.pop()) {
    for (const part of componentsOf(graph, states, stays)) {
      const members = new Set(part);
      const edges = part.flatMap((state) =>
        (graph.edges[state] ?? []).filter((edge) => members.has(edge.to) && stays(edge)),
      );
      if (edges.length === 0) continue;
      const asked = part.map((state) => askedBy(graph, state, views[state] as View));
      const neglected = new Set(asked.flatMap(({ owed }) => [...owed]));
      for (const { excused } of asked) for (const turn of excused) neglected.delete(turn);
      for (const edge of edges) for (const turn of takenBy(edge, views, graph.machine)) neglected.delete(turn);
      if (neglected.size === 0) return true;
      open.push(part.filter((_, i) => ![...(asked[i]?.owed ?? [])].some((turn) => neglected.has(turn))));
    }
  }
  return false;
};

/** The strongly connected components of some states, by a search there and one back (Kosaraju). */
const componentsOf = (
  graph: StateGraph,
  states: readonly number[],
  stays: (edge: Edge) => boolean,
): readonly number[][] => {
  const members = new Set(states);
  const forth = new Map<number, number[]>(states.map((state) => [state, []]));
  const back = new Map<number, number[]>(states.map((state) => [state, []]));
  for (const state of states)
    for (const edge of graph.edges[state] ?? [])
      if (members.has(edge.to) && stays(edge)) {
        forth.get(state)?.push(edge.to);
        back.get(edge.to)?.push(state);
      }
  const order: number[] = [];
  const seen = new Set<number>();
  for (const root of states) {
    if (seen.has(root)) continue;
    seen.add(root);
    const stack = [{ state: root, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const to = forth.get(top.state)?.[top.next++];
      if (to === undefined) {
        order.push(top.state);
        stack.pop();
      } else if (!seen.has(to)) {
        seen.add(to);
        stack.push({ state: to, next: 0 });
      }
    }
  }
  const placed = new Set<number>();
  return order.reverse().flatMap((root) => {
    if (placed.has(root)) return [];
    placed.add(root);
    const component = [root];
    for (const state of component)
      for (const from of back.get(state) ?? [])
        if (!placed.has(from)) {
          placed.add(from);
          component.push(from);
        }
    return [component];
  });
};
