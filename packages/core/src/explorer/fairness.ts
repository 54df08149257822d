import { keyOf, same } from "../base/key.js";
import { type Context, type CpuState, running } from "../contract/state.js";
import { CPU0, PARKED } from "./row.js";
import type { Edge, Graph } from "./search.js";
import type { Steps } from "./steps.js";

/*
 * Fairness. A run for ever is fair if whatever can be done again and again is done again and again: the next step of every context that
 * a CPU runs, what a CPU has pending, the steps that memory takes by itself; and if every parked task is resumed again and again. To be
 * interrupted, preempted or masked in between does not excuse anybody from his turn: a task stays runnable, an interrupt stays pending
 * until it is taken. A turn is a whole instruction: to fetch one, or a part of one, which an interrupt then discards, is none.
 *
 * Who waits without sleeping sees what he waits for only if it is there when he looks: such a step need not be taken if it is blocked
 * now and then. (Who sleeps is queued and woken.) Nothing has to come from outside (IRQ, NMI), and nobody has to be preempted.
 */

/** Something that a fair run does again and again, by a number of its own. */
export type Duty = number;

/** What a state asks of a run that comes by again and again. */
export type Asked = {
  /** What can be done now. */
  readonly duties: readonly Duty[];
  /** Steps that wait without sleeping, and have to wait now. */
  readonly excused: readonly Duty[];
};

/**
 * How CPUs are told apart. By their columns: exact, in the graph of a search without symmetry. By what others may be waiting for (what
 * is pending, per-CPU words, marks of grace periods) and what they run: in a graph with symmetry that finds every fair cycle, and
 * perhaps some that are none.
 */
export type Identity = "column" | "signature";

/** What is done for an instruction before it takes effect, and done again after an interrupt. */
const ahead: ReadonlySet<string> = new Set(["fetch-part", "fetch", "window-load", "window-restart"]);

const isPartOnly = (steps: Steps, effect: number): boolean => {
  const { rule, observed } = steps.effects.info(effect);
  if (rule !== steps.machine.order.execute.id || !observed.every(({ what }) => ahead.has(what))) return false;
  if (observed.length > 0) return true;
  const after = steps.parts.cpu.value(steps.effects.cpuAfter(effect));
  return same(running(steps.actingPart(effect))?.code, running(after)?.code);
};

/** Whether an effect is a turn of the context that its CPU runs. */
export const isTurn = (steps: Steps, effect: number): boolean => {
  const { rule } = steps.candidates.candidate(steps.effects.candidateOf(effect));
  if (rule.fromOutside === true || rule.turn !== undefined) return false;
  return !steps.machine.order.spontaneous.includes(rule) && !isPartOnly(steps, effect);
};

/** What a fair run does again and again: on the CPU in whose column it is asked for (`own`), or wherever it is done. */
export type Turn = { readonly name: string; readonly own: boolean };

/** The turns that a step of the CPU of this candidate takes. */
export const turnsOf = (steps: Steps, candidate: number): readonly Turn[] => {
  const { rule, args } = steps.candidates.candidate(candidate);
  const { machine } = steps;
  if (rule.turn === "posted") return [{ name: `takes ${keyOf(args)}`, own: true }];
  if (machine.order.spontaneous.includes(rule)) return [{ name: "memory", own: true }];
  const cpu = steps.parts.cpu.value(steps.candidates.cpuOf(candidate));
  if (!machine.preempt || cpu.stack.length > 1) return [{ name: `runs ${cpu.stack.length}`, own: true }];
  // A task that may go to another CPU has its turn there or here; it is known by what it is about to do.
  const name = `runs ${keyOf(running(cpu))}`;
  return [
    { name, own: true },
    { name, own: false },
  ];
};

/** The turn of a parked task. */
export const resumption = (task: Context): Turn => ({
  name: `resumes ${keyOf(task)}`,
  own: false,
});

/** The turns that a transition by this effect takes. */
export const turnsDone = (steps: Steps, effect: number): readonly Turn[] => {
  const candidate = steps.effects.candidateOf(effect);
  const { turn, fromOutside } = steps.candidates.candidate(candidate).rule;
  // A task that is taken off owes its turn to no CPU any more.
  if (turn === "nobody") return turnsOf(steps, steps.candidates.first(steps.candidates.cpuOf(candidate))).slice(0, 1);
  if (fromOutside === true || isPartOnly(steps, effect)) return [];
  if (turn !== "parked") return turnsOf(steps, candidate);
  return [resumption(steps.parts.cpu.value(steps.effects.cpuAfter(effect)).stack[0] as Context)];
};

/** Whether a step is owed by its CPU: it comes from there, and is no resumption, which a parked task is owed. */
export const isOwed = (steps: Steps, candidate: number): boolean => {
  const { turn, fromOutside } = steps.candidates.candidate(candidate).rule;
  return fromOutside !== true && turn !== "parked";
};

/** Whether who waits in this step sleeps: he is woken when it can be taken, so that being blocked now and then is no excuse. */
export const isSleep = (steps: Steps, candidate: number): boolean =>
  steps.candidates.candidate(candidate).rule.sleeps === true;

/** The duties in one graph. */
export class Fairness {
  readonly #graph: Graph;
  readonly #steps: Steps;
  readonly #identity: Identity;
  readonly #numbers = new Map<string, Duty>();
  /** By candidate and column. */
  readonly #duties = new Map<number, readonly Duty[]>();
  /** The duties of each CPU, by what it is told apart by. */
  readonly #dutiesOf = new Map<string, Set<Duty>>();
  readonly #resumptions = new Map<number, readonly Duty[]>();
  readonly #signatures: string[] = [];

  constructor(graph: Graph, steps: Steps, identity: Identity) {
    this.#graph = graph;
    this.#steps = steps;
    this.#identity = identity;
  }

  /** What a state asks for. */
  asked(state: number): Asked {
    const { rows, width } = this.#graph;
    const steps = this.#steps;
    const base = state * width;
    const duties = [...this.#parked(rows[base + PARKED] as number)];
    const excused: Duty[] = [];
    for (let column = CPU0; column < width; column++) {
      const part = rows[base + column] as number;
      const first = steps.candidates.first(part);
      const end = first + steps.candidates.count(part);
      for (let candidate = first; candidate < end; candidate++) {
        if (!isOwed(steps, candidate)) continue;
        const ready =
          steps.candidates.enabled(candidate, rows, base, width) &&
          steps.effectCount(steps.outcome(candidate, rows, base)) > 0;
        if (ready) duties.push(...this.#dutiesTo(candidate, column));
        else if (!isSleep(steps, candidate)) excused.push(...this.#dutiesTo(candidate, column));
      }
    }
    return { duties, excused };
  }

  /** The duties that a transition does. */
  done({ from, to, effect, column }: Edge): readonly Duty[] {
    const done = this.#doneBy(effect, column);
    return this.#identity === "column" ? done : [...done, ...this.#left(from, to, effect)];
  }

  #doneBy(effect: number, column: number): readonly Duty[] {
    const cpu = this.#steps.candidates.cpuOf(this.#steps.effects.candidateOf(effect));
    return turnsDone(this.#steps, effect).map((turn) => this.#duty(turn, this.#who(cpu, column)));
  }

  /**
   * The duties of whoever has another signature after a transition: who that is now is not known, so they count as done. A map over CPUs
   * may change any.
   */
  #left(from: number, to: number, effect: number): readonly Duty[] {
    const before = this.#whoIn(from);
    const mapped = this.#steps.effects.mapsCpus(effect);
    const after = mapped ? [] : this.#whoIn(to);
    return before.flatMap((who) =>
      count(before, who) > count(after, who) ? [...(this.#dutiesOf.get(who) ?? [])] : [],
    );
  }

  #whoIn(state: number): readonly string[] {
    const { rows, width } = this.#graph;
    const found: string[] = [];
    for (let column = CPU0; column < width; column++)
      found.push(this.#who(rows[state * width + column] as number, column));
    return found;
  }

  #who(part: number, column: number): string {
    if (this.#identity === "column") return `CPU ${column}`;
    this.#signatures[part] ??= signatureOf(this.#steps.parts.cpu.value(part));
    return this.#signatures[part];
  }

  /** What is done by a candidate of the CPU in a column. */
  #dutiesTo(candidate: number, column: number): readonly Duty[] {
    const key = this.#steps.width * candidate + column;
    let duties = this.#duties.get(key);
    if (duties === undefined) {
      const who = this.#who(this.#steps.candidates.cpuOf(candidate), column);
      duties = turnsOf(this.#steps, candidate).map((turn) => this.#duty(turn, who));
      this.#duties.set(key, duties);
      const all = this.#dutiesOf.get(who) ?? new Set();
      all.add(duties[0] as Duty);
      this.#dutiesOf.set(who, all);
    }
    return duties;
  }

  #parked(parked: number): readonly Duty[] {
    let duties = this.#resumptions.get(parked);
    if (duties === undefined) {
      duties = this.#steps.parts.parked.value(parked).tasks.map((task) => this.#duty(resumption(task), ""));
      this.#resumptions.set(parked, duties);
    }
    return duties;
  }

  #duty({ name, own }: Turn, who: string): Duty {
    return this.#number(own ? `${who} ${name}` : name);
  }

  #number(name: string): Duty {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(name, number);
    }
    return number;
  }
}

const count = (list: readonly string[], value: string): number => list.filter((each) => each === value).length;

const signatureOf = ({ stack, pending, words }: CpuState): string => {
  const [task] = stack;
  const runs = task === undefined ? null : task.code.run === "program" ? task.code.program : task.code.routine;
  return keyOf({ pending, words, runs, marks: stack.flatMap(({ marks }) => marks) });
};
