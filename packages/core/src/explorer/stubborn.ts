import { GrowingInt32 } from "./growing.js";
import { ANYTHING, IN_CPU, IN_STACK, MayTouch, WAITS } from "./may-touch.js";
import { CPU0 } from "./row.js";
import type { Steps } from "./steps.js";

/*
 * Partial-order reduction by stubborn sets (Valmari 1989; persistent sets, Godefroid 1996). In a state the steps of one CPU are
 * enough if whatever the others can do before that CPU moves is independent of each of them:
 *
 * 1. These steps write nothing but their own CPU's part, and none waits for other CPUs. So they neither change what others can do,
 *    nor what it does.
 * 2. Nobody else may write what they look at, or the field of their CPU's part that they or its list of steps depend on. What the
 *    others may write is read off their programs from where they stand (`MayTouch`), through every handler of interrupts that are
 *    pending, may be sent or may come from outside, and up to the first step that cannot be taken before this CPU moves:
 *    a. one whose guard this CPU falsifies now; nobody may change the fields that guards look at;
 *    b. one that another part blocks now; nobody may write a shared part;
 *    c. one that outwaits a step on the way there (`Rule.outwaits`).
 *    What these steps look at is measured when they are first computed, not declared: they are given parts that throw when looked at.
 * 3. No ignoring: one of their successors leads on, by successors that were noted in the same way, to a state in which all steps are
 *    taken or which is still to be expanded (`Witnesses`). Else the steps of another CPU are tried, and in the end all are taken.
 *
 * Take a sequence of steps from a state to one that breaks a property. By 2, if the chosen CPU moves in it, its first move can as well
 * come first: it is among the steps that are taken here, it looks at the same values, and the rest is one step shorter. If it does not
 * move, by 1 and 2 the whole sequence is possible after each of the steps that are taken here; follow the noted ones, by 3 they come to
 * a state where the first step of the sequence is taken. So every effect that a full search takes is taken here too, and properties
 * are judged by effects alone. What is judged by the graph (`progress`) is another matter.
 *
 * Urgent steps are sets of one step each, for reasons of their own; the choice is made in states that have none. Symmetry goes along: the
 * choice depends on the parts of the CPUs, not on their places.
 */

/** Chooses CPUs whose steps are enough. */
export class Stubborn {
  readonly #steps: Steps;
  readonly #mayTouch: MayTouch;
  /** By part of a CPU: what it may touch of others, free and blocked. */
  readonly #free = new GrowingInt32();
  readonly #blocked = new GrowingInt32();
  /** By part of a CPU and what others may touch: whether that can change what steps it has. */
  readonly #lists = new Map<number, boolean>();
  /** Columns of the CPUs that may touch others, in the state that is looked at. */
  readonly #actors: Int32Array;
  #actorCount = 0;

  constructor(steps: Steps) {
    this.#steps = steps;
    this.#mayTouch = new MayTouch(steps.machine);
    this.#actors = new Int32Array(steps.width);
  }

  /**
   * Whether what the choice rests on holds: tasks stay on their CPUs, memory does nothing by itself, no row of urgent steps was given
   * up, and machine code was never seen to write what others see. The first such write of a full search would have been seen here too.
   */
  static fits({ machine, gaveUp, machineCodeWrites }: Steps): boolean {
    return (
      !machine.preempt &&
      machine.order.spontaneous.length === 0 &&
      machine.order.rules === undefined &&
      !gaveUp &&
      !machineCodeWrites
    );
  }

  /** Looks at a state; {@link enough} is about the one that was looked at last. */
  look(rows: Int32Array, base: number): void {
    this.#actorCount = 0;
    for (let column = CPU0; column < this.#steps.width; column++)
      if (this.#of(this.#free, rows[base + column] as number) !== 0) this.#actors[this.#actorCount++] = column;
  }

  /** Whether the steps of the CPU in `column` are enough, if one of them leads on. */
  enough(rows: Int32Array, base: number, column: number): boolean {
    const others = this.#others(rows, base, column);
    if ((others & WAITS) !== 0) return false;
    const cpu = rows[base + column] as number;
    if ((others & IN_STACK) !== 0 || this.#listChanges(cpu, others)) return false;
    const steps = this.#steps;
    const first = steps.candidates.first(cpu);
    const end = first + steps.candidates.count(cpu);
    for (let candidate = first; candidate < end; candidate++) {
      if (steps.candidates.isGuarded(candidate)) return false;
      const outcome = steps.outcome(candidate, rows, base);
      const last = steps.firstEffect(outcome) + steps.effectCount(outcome);
      for (let effect = steps.firstEffect(outcome); effect < last; effect++)
        if (steps.effects.writesShared(effect)) return false;
      if (others !== 0 && steps.looksAt(candidate, others, rows, base)) return false;
    }
    return true;
  }

  /** What the others may touch before the CPU in `column` moves. */
  #others(rows: Int32Array, base: number, column: number): number {
    const steps = this.#steps;
    const mine = rows[base + column] as number;
    let touched = 0;
    let kept = 0;
    for (let i = 0; i < this.#actorCount; i++) {
      const other = this.#actors[i] as number;
      if (other === column) continue;
      const cpu = rows[base + other] as number;
      const next = steps.candidates.next(cpu);
      let blocked = false;
      if (next >= 0 && steps.candidates.isGuarded(next) && !steps.candidates.holdsFor(next, mine)) {
        blocked = true;
        kept |= IN_CPU;
      } else if (next >= 0 && steps.effectCount(steps.outcome(next, rows, base)) === 0) {
        blocked = true;
        kept |= ANYTHING;
      }
      touched |= this.#of(blocked ? this.#blocked : this.#free, cpu);
    }
    return (touched & kept) === 0 ? touched : ANYTHING;
  }

  #listChanges(cpu: number, others: number): boolean {
    if (others === 0) return false;
    const key = (ANYTHING + 1) * cpu + others;
    let changes = this.#lists.get(key);
    if (changes === undefined) {
      changes = this.#steps.listLooksAt(cpu, others);
      this.#lists.set(key, changes);
    }
    return changes;
  }

  #of(list: GrowingInt32, cpu: number): number {
    while (this.#blocked.length <= cpu) {
      const part = this.#steps.parts.cpu.value(this.#blocked.length);
      this.#free.push(this.#mayTouch.of(part, false));
      this.#blocked.push(this.#mayTouch.of(part, true));
    }
    return list.get(cpu);
  }
}
