import { isOwed, isSleep, resumption, type Turn, turnsOf } from "../fairness.js";
import type { Pause } from "../pace.js";
import { ABSENT } from "./column-steps.js";
import { NONE } from "./diagrams.js";
import type { Space, StateSets } from "./space.js";

/*
 * Whether a fair run can stay in a set of states for ever, as a greatest fixpoint: the states Z that have a successor in Z and from which, for
 * each turn that is asked for there, a state is reached inside Z in which a step takes that turn, or in which it is excused. In a fair
 * cycle every state is one of these; and from such a state a run goes on for ever from turn to turn that is asked for (Streett's condition
 * for a terminal strongly connected part of Z).
 */

/** A turn by its number, of the CPU in a column or, where that is undefined, of whoever. */
type Duty = { readonly turn: number; readonly column: number | undefined };

/** CPU parts by the guard under which something holds for them; {@link ABSENT}: always. */
type Conditions = Map<number, Set<number>>;

/** What states with the same shared parts ask for, and what excuses them, for one turn. */
type Asked = {
  /** The step that is the turn can be taken while the guard holds. */
  readonly ready: Conditions;
  /** Who waits without sleeping has to wait while the guard holds, */
  readonly held: Conditions;
  /** or while it does not. */
  readonly shut: Conditions;
  /** Parked tasks are owed it. */
  parked: boolean;
};

/** Numbers the turns of one search, and the sets of turns that effects take. */
export class Turns {
  readonly #numbers = new Map<string, number>();
  readonly #turns: Turn[] = [];
  readonly #labels = new Map<string, number>();
  readonly #held: ReadonlySet<number>[] = [];

  /** The number of a turn. */
  number(turn: Turn): number {
    const key = `${turn.own} ${turn.name}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#turns.push(turn) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** Whether a turn is of one CPU. */
  isOwn(turn: number): boolean {
    return (this.#turns[turn] as Turn).own;
  }

  /** The label of effects that take these turns. */
  label(turns: readonly Turn[]): number {
    const numbers = turns.map((turn) => this.number(turn));
    const key = numbers.join();
    let label = this.#labels.get(key);
    if (label === undefined) {
      label = this.#held.push(new Set(numbers)) - 1;
      this.#labels.set(key, label);
    }
    return label;
  }

  /** Whether effects with a label take a turn. */
  has(label: number, turn: number): boolean {
    return (this.#held[label] as ReadonlySet<number>).has(turn);
  }
}

/** Looks for fair runs in one space, whose single steps are labelled by the turns that they take ({@link Turns.label}). */
export class FairRuns {
  readonly #space: Space;
  readonly #turns: Turns;
  readonly #columns: number;
  /** By shared parts, then by turn. */
  readonly #asked: Map<number, Asked>[] = [];

  constructor(space: Space, turns: Turns, columns: number) {
    this.#space = space;
    this.#turns = turns;
    this.#columns = columns;
  }

  /** Whether there is one that stays in the states of `domain` for ever, by the steps of the space. */
  async exist(domain: StateSets, pause: Pause): Promise<boolean> {
    const { diagrams } = this.#space;
    const sets = domain.slice();
    diagrams.keep(sets);
    for (const [shared, set] of sets.entries()) {
      if (set === undefined) continue;
      await pause();
      this.#asked[shared] = this.#look(shared, set);
    }
    const duties = this.#duties();
    for (let changed = true; changed && !this.#space.isEmpty(sets); ) {
      changed = this.#keepWithin(sets, await this.#before(sets, sets, pause));
      for (const duty of duties) {
        await pause();
        diagrams.tidy();
        changed = this.#leaveOut(sets, await this.#neglecting(duty, sets, pause)) || changed;
      }
    }
    diagrams.release(sets);
    return !this.#space.isEmpty(sets);
  }

  #duties(): readonly Duty[] {
    const turns = new Set(this.#asked.flatMap((asked) => [...asked.keys()]));
    return [...turns].flatMap((turn): readonly Duty[] =>
      this.#turns.isOwn(turn)
        ? Array.from({ length: this.#columns }, (_, column) => ({ turn, column }))
        : [{ turn, column: undefined }],
    );
  }

  /** What the parts of a set ask for. */
  #look(shared: number, set: number): Map<number, Asked> {
    const { steps, diagrams } = this.#space;
    const { candidates, parts } = steps.steps;
    const found = new Map<number, Asked>();
    const at = (turn: number): Asked => {
      const asked = found.get(turn) ?? { ready: new Map(), held: new Map(), shut: new Map(), parked: false };
      found.set(turn, asked);
      return asked;
    };
    for (const task of parts.parked.value(steps.parts(shared).parked).tasks)
      at(this.#turns.number(resumption(task))).parked = true;
    for (const [guard, open] of this.#space.single(shared).list(set))
      diagrams.each(open, new Set(), (part) => {
        for (const candidate of steps.candidatesOf(part)) {
          if (!isOwed(steps.steps, candidate)) continue;
          const waitsFor = candidates.guardOf(candidate);
          const sleeps = isSleep(steps.steps, candidate);
          for (const turn of turnsOf(steps.steps, candidate)) {
            const asked = at(this.#turns.number(turn));
            if (guard === ABSENT && waitsFor !== ABSENT && !sleeps) add(asked.shut, waitsFor, part);
            if (waitsFor !== guard) continue;
            if (steps.canTake(shared, candidate)) add(asked.ready, guard, part);
            else if (!sleeps) add(asked.held, guard, part);
          }
        }
      });
    return found;
  }

  /** The states of some sets that ask for a turn and from which it is neither taken nor excused inside these sets. */
  async #neglecting(duty: Duty, sets: StateSets, pause: Pause): Promise<StateSets> {
    const { diagrams } = this.#space;
    const asking = sets.map((set, shared) => this.#asking(duty, shared, set));
    if (this.#space.isEmpty(asking)) return asking;
    const counts = (label: number): boolean => this.#turns.has(label, duty.turn);
    let fresh: StateSets = sets.map((set, shared) =>
      diagrams.union(
        this.#space.single(shared).leadingBy(counts, duty.column, sets, set),
        this.#excused(duty, shared, set),
      ),
    );
    let left = minus(this.#space, asking, fresh);
    let rest = minus(this.#space, sets, fresh);
    while (!this.#space.isEmpty(left) && !this.#space.isEmpty(fresh)) {
      fresh = await this.#before(fresh, rest, pause);
      left = minus(this.#space, left, fresh);
      rest = minus(this.#space, rest, fresh);
    }
    return left;
  }

  /** The states of `among` from which a step leads to one of these sets. */
  async #before(sets: StateSets, among: StateSets, pause: Pause): Promise<StateSets> {
    const all = (): boolean => true;
    const before: StateSets = [];
    for (const [shared, set] of among.entries()) {
      if (set === undefined) continue;
      await pause();
      before[shared] = set === NONE ? NONE : this.#space.single(shared).leadingBy(all, undefined, sets, set);
    }
    return before;
  }

  #asking(duty: Duty, shared: number, set: number): number {
    const asked = this.#asked[shared]?.get(duty.turn);
    if (asked === undefined || set === NONE) return NONE;
    return asked.parked ? set : this.#where(duty, shared, set, asked.ready);
  }

  #excused(duty: Duty, shared: number, set: number): number {
    const { diagrams } = this.#space;
    const asked = this.#asked[shared]?.get(duty.turn);
    if (asked === undefined || set === NONE) return NONE;
    let excused = this.#where(duty, shared, set, asked.held);
    for (const [guard, parts] of asked.shut) {
      const shut = diagrams.minus(set, this.#space.single(shared).open(set, guard));
      excused = diagrams.union(excused, this.#withPart(duty, shut, parts));
    }
    return excused;
  }

  #where(duty: Duty, shared: number, set: number, conditions: Conditions): number {
    let found = NONE;
    for (const [guard, parts] of conditions) {
      const open = this.#space.single(shared).open(set, guard);
      found = this.#space.diagrams.union(found, this.#withPart(duty, open, parts));
    }
    return found;
  }

  /** The states of a set in which the CPU of a duty, or any where it is nobody's own, has one of these parts. */
  #withPart({ column }: Duty, set: number, parts: ReadonlySet<number>): number {
    const { diagrams } = this.#space;
    const has = (part: number): boolean => parts.has(part);
    return column === undefined ? diagrams.withSome(set, has) : diagrams.withAt(diagrams.operation(), set, column, has);
  }

  #leaveOut(sets: StateSets, states: StateSets): boolean {
    let changed = false;
    states.forEach((set, shared) => {
      if (set === NONE) return;
      sets[shared] = this.#space.diagrams.minus(sets[shared] ?? NONE, set);
      changed = true;
    });
    return changed;
  }

  #keepWithin(sets: StateSets, kept: StateSets): boolean {
    let changed = false;
    kept.forEach((set, shared) => {
      changed ||= sets[shared] !== set;
      sets[shared] = set;
    });
    return changed;
  }
}

const add = (conditions: Conditions, guard: number, part: number): void => {
  const parts = conditions.get(guard) ?? new Set();
  conditions.set(guard, parts);
  parts.add(part);
};

const minus = ({ diagrams }: Space, sets: StateSets, others: StateSets): StateSets =>
  sets.map((set, shared) => diagrams.minus(set, others[shared] ?? NONE));
