import type { Rule } from "../contract/rule.js";
import type { Context } from "../contract/state.js";
import type { Machine } from "../machine/machine.js";
import { waitIpiRule } from "../services/ipi.js";
import { awaitStopRule } from "../services/stop-machine.js";
import { FairCycles } from "./fair-cycles.js";
import { Fairness, isTurn } from "./fairness.js";
import { goesOn, isHeld, type Kept, type PatchCall } from "./kept.js";
import type { Pause } from "./pace.js";
import { CPU0, PARKED } from "./row.js";
import type { Search } from "./search.js";
import type { Steps } from "./steps.js";

/*
 * Whether anything can be kept for ever at all, told from a reduced search. What a CPU runs changes by its own steps alone, and what
 * interrupts it leaves it as it was. So in a fair cycle that keeps a call or a CPU, either those steps go round in a circle, which
 * then shows in what single CPUs were seen to do; or a handler waits; or a patcher waits at one step, and a fair cycle shows in the
 * reduced graph, where CPUs are told apart by what others may be waiting for.
 *
 * Two waits need no look at the graph. That for the acknowledgements of an interrupt: a pending interrupt is taken in the end unless it
 * is masked for ever, and where no handler waits or goes round in a circle its own comes to the acknowledgement. And that for
 * stop_machine, where tasks can be preempted, one patcher calls it and its stoppers wait for nothing but each other: every stopper
 * takes its CPU in the end. Without preemption a task may keep it off by going round in code that it fetches.
 */

/**
 * Whether a fair cycle may keep something; false is certain. Needs a complete search with the graph, without stubborn sets. Throws
 * {@link LimitReached} where `pause` does.
 */
export const mayBeEndless = async (
  search: Search,
  steps: Steps,
  calls: readonly PatchCall[],
  pause: Pause,
): Promise<boolean> => {
  if (goesInCircles(steps, calls) || someHandlerWaits(steps)) return true;
  const graph = search.graph();
  const fairness = new Fairness(graph, steps, "signature");
  for (const call of calls)
    if (await new FairCycles(graph, fairness, new Waiting(steps, call), pause).exists()) return true;
  return false;
};

/**
 * What a fair run may keep for ever where no graph was made of the search, if anything: `all` where that takes a look at everything that
 * could be kept, or else for each call whether a task is this call and waits for what need not come in the end.
 */
export const endlessIn = (steps: Steps, calls: readonly PatchCall[]): "all" | readonly WaitsFor[] => {
  if (goesInCircles(steps, calls) || someHandlerWaits(steps)) return "all";
  return calls.flatMap((call) => {
    const places = waitingPlaces(steps, call);
    return places.size === 0 ? [] : [(task) => waitsAt(call, places, task)];
  });
};

/** Whether a task is a call, and stands where that waits. */
export type WaitsFor = (task: Context | undefined) => boolean;

const waitsAt = (call: PatchCall, places: ReadonlySet<number>, task: Context | undefined): boolean =>
  call.isIn(task) && task?.code.run === "program" && places.has(task.code.at);

/** Whether the own steps of a CPU inside a call, a trap or an interrupt lead back to where they were. */
const goesInCircles = (steps: Steps, calls: readonly PatchCall[]): boolean => {
  const leads = new Map<number, number[]>();
  for (let effect = 0; effect < steps.effects.infos.length; effect++) {
    const before = steps.actingPart(effect);
    if (!isTurn(steps, effect)) continue;
    if (!(isHeld(before) ? !goesOn(steps, effect) : calls.some((call) => call.isIn(before.stack[0])))) continue;
    const after = steps.effects.cpuAfter(effect);
    const from = steps.parts.structure(before.stack);
    const to = after < 0 ? from : steps.parts.structure(steps.parts.cpu.value(after).stack);
    leads.set(from, [...(leads.get(from) ?? []), to]);
  }
  return hasCircle(leads);
};

const hasCircle = (leads: ReadonlyMap<number, readonly number[]>): boolean => {
  const left = new Map([...leads].map(([from, to]) => [from, to.length]));
  const into = new Map<number, number[]>();
  for (const [from, all] of leads) for (const to of all) into.set(to, [...(into.get(to) ?? []), from]);
  // Whoever leads nowhere is on no circle, and so on backwards.
  const ended = [...into.keys()].filter((node) => !leads.has(node));
  for (const node of ended) {
    for (const from of into.get(node) ?? []) {
      const rest = (left.get(from) as number) - 1;
      left.set(from, rest);
      if (rest === 0) ended.push(from);
    }
  }
  return [...left.values()].some((rest) => rest > 0);
};

const someHandlerWaits = (steps: Steps): boolean => {
  for (let part = 0; part < steps.parts.cpu.size; part++) {
    const next = steps.candidates.next(part);
    const { stack } = steps.parts.cpu.value(part);
    if (next >= 0 && stack.length > 1 && isHeld(steps.parts.cpu.value(part)) && steps.mayBlock(next)) return true;
  }
  return false;
};

/** Steps of a stopper that never wait, and those by which the stoppers wait for each other. */
const STOPPING: ReadonlySet<string> = new Set([
  "ackStop",
  "awaitStopStage",
  "store",
  "syncCore",
  "maintain",
  "fence",
  "set",
]);

/** The rules of waits that end where no handler waits and nobody goes round in a circle. */
const endingWaits = (machine: Machine): readonly Rule[] => {
  if (machine.uses("maskIrq")) return [];
  const programs = [...machine.layout.programs.values()];
  const stoppers = programs.filter(({ code }) => code.some((entry) => entry.kind === "op" && entry.op === "ackStop"));
  const stops = stoppers.every(({ code }) => code.every((entry) => entry.kind !== "op" || STOPPING.has(entry.op)));
  const alone = machine.layout.steps.length === 1;
  return stops && alone && machine.preempt ? [waitIpiRule, awaitStopRule] : [waitIpiRule];
};

/** Places in the program of a call where it was seen to wait, or may have to, for what need not come in the end. */
const waitingPlaces = (steps: Steps, call: PatchCall): ReadonlySet<number> => {
  const places = new Set<number>();
  const ending = endingWaits(steps.machine);
  for (let part = 0; part < steps.parts.cpu.size; part++) {
    const { stack } = steps.parts.cpu.value(part);
    const next = steps.candidates.next(part);
    const code = stack[0]?.code;
    if (next < 0 || stack.length > 1 || code?.run !== "program" || !call.isIn(stack[0])) continue;
    if (steps.mayBlock(next) && !ending.includes(steps.candidates.candidate(next).rule)) places.add(code.at);
  }
  return places;
};

/** A patch call that stands at a step which waits. */
class Waiting implements Kept {
  readonly #steps: Steps;
  readonly #call: PatchCall;
  readonly #places: ReadonlySet<number>;
  /** By part of a CPU: 1 where the patcher stands at such a place, 2 where it does not, 0 where that is not known. */
  readonly #known: number[] = [];

  constructor(steps: Steps, call: PatchCall) {
    this.#steps = steps;
    this.#call = call;
    this.#places = waitingPlaces(steps, call);
  }

  inside(rows: Int32Array, base: number): boolean {
    if (this.#places.size === 0) return false;
    const {
      width,
      parts: { cpu, parked },
    } = this.#steps;
    for (let column = CPU0; column < width; column++) {
      const part = rows[base + column] as number;
      this.#known[part] ??= this.#waits(cpu.value(part).stack[0]) ? 1 : 2;
      if (this.#known[part] === 1) return true;
    }
    return parked.value(rows[base + PARKED] as number).tasks.some((task) => this.#waits(task));
  }

  #waits(task: Context | undefined): boolean {
    return waitsAt(this.#call, this.#places, task);
  }

  stays(): boolean {
    return true;
  }
}
