import { CPU0 } from "../row.js";
import type { Taken } from "../search.js";
import { ABSENT } from "./column-steps.js";
import { NONE } from "./diagrams.js";
import type { Exploring } from "./reachable.js";
import type { Space, StateSets } from "./space.js";

/** A state: the number of its shared parts, and the parts of its CPUs. */
type State = { readonly shared: number; readonly cpus: readonly number[] };

/** A way from the initial state, with all of its urgent steps, and the row of the state that it leads to. */
export type Way = { readonly path: readonly Taken[]; readonly row: Int32Array };

/** A step of a CPU, which its column counted from 0 tells, and the state that it leads to behind its urgent steps. */
type Move = { readonly column: number; readonly effect: number; readonly to: State };

/**
 * The rounds of an exploration: from these a way to any state that was found is told, however far the exploration came. It is none of the
 * shortest. A state of a round is behind steps of single CPUs from one that the round began with, and that is behind one step from a
 * state of an earlier round.
 */
export class Rounds {
  readonly #space: Space;
  readonly #shared: number[] = [];
  readonly #found: number[] = [];

  constructor(space: Space) {
    this.#space = space;
    space.diagrams.keep(this.#found);
  }

  /** Notes what a round begins with ({@link Exploring.begins}). */
  readonly note: NonNullable<Exploring["begins"]> = (shared, found) => {
    this.#shared.push(shared);
    this.#found.push(found);
  };

  /** A way to one of these states, one of the earliest round that has any; undefined where no round has. */
  wayTo(sets: StateSets): Way | undefined {
    const { diagrams } = this.#space;
    for (let round = 0; round < this.#shared.length; round++) {
      const shared = this.#shared[round] as number;
      const wanted = sets[shared] ?? NONE;
      if (wanted === NONE) continue;
      const [cpus] = diagrams.vectors(diagrams.common(this.#closed(round), wanted));
      if (cpus !== undefined) return this.#walk(this.#movesTo({ shared, cpus }, round));
    }
    return undefined;
  }

  /** What a round found, and what was found again. */
  #closed(round: number): number {
    return this.#space.local(this.#shared[round] as number).closed(this.#found[round] as number);
  }

  #movesTo(last: State, lastRound: number): readonly Move[] {
    const moves: Move[] = [];
    let state = last;
    for (let round = lastRound; ; ) {
      const { shared } = state;
      const begun = this.#before(state, (set) =>
        this.#space.local(shared).leadingTo(set, this.#found[round] as number),
      );
      if (begun === undefined) throw new Error("A state of a round is behind one that it began with.");
      moves.unshift(...this.#alone(shared, begun, state.cpus));
      if (round === 0) return moves;
      state = { shared, cpus: begun };
      const [before, earlier] = this.#stepTo(state, round);
      moves.unshift(this.#single(before, state));
      state = before;
      round = earlier;
    }
  }

  /** The first vector of a set that `leading` makes of a state by itself. */
  #before({ cpus }: State, leading: (set: number) => number): readonly number[] | undefined {
    const { diagrams } = this.#space;
    const [first] = diagrams.vectors(leading(diagrams.vector(cpus)));
    return first;
  }

  /** A state of a round before this one, and that round, from which one step leads to a state. */
  #stepTo(state: State, round: number): readonly [State, number] {
    for (let earlier = 0; earlier < round; earlier++) {
      const shared = this.#shared[earlier] as number;
      const relation = this.#space.shared(shared);
      if (!relation.targets.has(state.shared)) continue;
      const cpus = this.#before(state, (set) => relation.leadingTo(state.shared, set, this.#closed(earlier)));
      if (cpus !== undefined) return [{ shared, cpus }, earlier];
    }
    throw new Error("What a round begins with is behind a round before it.");
  }

  /** The steps that single CPUs take by themselves, one CPU after the other. */
  #alone(shared: number, from: readonly number[], to: readonly number[]): readonly Move[] {
    const { steps } = this.#space;
    const setting = steps.settingOf(shared);
    const cpus = [...from];
    return to.flatMap((part, column) => {
      return steps.localWay(setting, cpus[column] as number, part).map((move): Move => {
        cpus[column] = move.to;
        return { column, effect: move.effect, to: { shared, cpus: [...cpus] } };
      });
    });
  }

  /** One step that leads from a state to another. */
  #single(from: State, to: State): Move {
    const { steps } = this.#space;
    for (const [column, part] of from.cpus.entries()) {
      for (const guard of [ABSENT, ...steps.guardsOf(part)]) {
        if (guard !== ABSENT && !from.cpus.every((cpu) => steps.holds(guard, cpu))) continue;
        let found: number | undefined;
        steps.each(from.shared, part, guard, true, (step) => {
          const same =
            step.to === to.shared &&
            from.cpus.every((cpu, i) => {
              const now = i === column ? step.own : steps.other(step.to, step.every, step.others, cpu);
              return now === to.cpus[i];
            });
          if (same) found ??= step.effect;
        });
        if (found !== undefined) return { column, effect: found, to };
      }
    }
    throw new Error("One step leads from a state to that behind it.");
  }

  /** Takes the moves and all urgent steps, from the initial state on. */
  #walk(moves: readonly Move[]): Way {
    const { steps } = this.#space;
    const { effects } = steps.steps;
    const row = steps.steps.initialRow();
    const path: Taken[] = [];
    const take = (effect: number, column: number): void => {
      path.push({ effect, column });
      effects.successor(effect, row, 0, row.length, column, row);
    };
    const settle = (): void => {
      const setting = steps.settingOf(this.#space.sharedOf(row));
      for (let column = CPU0; column < row.length; column++)
        for (const effect of steps.settling(setting, row[column] as number)) take(effect, column);
    };
    settle();
    for (const { column, effect, to } of moves) {
      take(effect, CPU0 + column);
      settle();
      if (this.#space.sharedOf(row) !== to.shared || to.cpus.some((part, i) => row[CPU0 + i] !== part))
        throw new Error("A move leads to where it was found to.");
    }
    return { path, row };
  }
}
