import { CPU0 } from "../row.js";
import type { Steps } from "../steps.js";
import { ABSENT, ColumnSteps } from "./column-steps.js";
import { NONE } from "./diagrams.js";
import type { SharedSteps } from "./shared-steps.js";
import { Space, type StateSets } from "./space.js";

/** A violation: a step that breaks a property that counts, and the shared parts of a state in which it can be taken. */
type Violation = { readonly effect: number; readonly shared: number };

/** The states of a machine as sets, with urgent steps taken along or without, and what breaks there. */
export class Exploration {
  readonly space: Space;
  readonly violations: Violation[] = [];
  readonly #steps: Steps;
  readonly #active: number;

  constructor(steps: Steps, active: number, urgent: boolean) {
    this.#steps = steps;
    this.#active = active;
    this.space = new Space(
      new ColumnSteps(steps, active, urgent, (effect, shared) => {
        this.violations.push({ effect, shared });
      }),
    );
  }

  /** Bits of the properties that count and that broke. */
  get broken(): number {
    return this.violations.reduce((bits, violation) => bits | this.brokenBy(violation), 0);
  }

  /** Bits of the properties that a violation breaks. */
  brokenBy({ effect }: Violation): number {
    return this.#steps.effects.countedBits(effect, this.#active);
  }

  /** The states among these in which a step can be taken that breaks something; `relation`: the steps of their shared parts that were taken. */
  violating(sets: StateSets, relation: (shared: number) => SharedSteps): StateSets {
    const { diagrams } = this.space;
    const found: StateSets = [];
    for (const [shared, guards] of this.#acting()) {
      for (const [guard, acting] of guards) {
        const open = relation(shared).open(sets[shared] ?? NONE, guard);
        const breaking = diagrams.withSome(open, (part) => acting.has(part));
        found[shared] = diagrams.union(found[shared] ?? NONE, breaking);
      }
    }
    return found;
  }

  /** By shared parts and guard: the parts whose steps break something. */
  #acting(): ReadonlyMap<number, ReadonlyMap<number, ReadonlySet<number>>> {
    const all = new Map<number, Map<number, Set<number>>>();
    for (const { effect, shared } of this.violations) {
      const { acting, guard } = this.#stepOf(effect);
      const guards = all.get(shared) ?? new Map<number, Set<number>>();
      all.set(shared, guards.set(guard, (guards.get(guard) ?? new Set()).add(acting)));
    }
    return all;
  }

  /** The violations that can come next in a state, and by which column of its row. */
  violationsIn(row: Int32Array): (Violation & { readonly column: number })[] {
    const { steps } = this.space;
    const at = this.space.sharedOf(row);
    const cpus = row.subarray(CPU0);
    return this.violations.flatMap((violation) => {
      const { effect, shared } = violation;
      const { acting, guard } = this.#stepOf(effect);
      const column = row.indexOf(acting, CPU0);
      if (shared !== at || column < 0) return [];
      return guard === ABSENT || cpus.every((part) => steps.holds(guard, part)) ? [{ ...violation, column }] : [];
    });
  }

  /** The states among these in which a program that some CPU runs can take its next step. */
  moving(sets: StateSets): StateSets {
    const { diagrams, steps } = this.space;
    return sets.map((set, shared) => {
      const relation = this.space.shared(shared);
      return [ABSENT, ...relation.guards].reduce(
        (all, guard) =>
          diagrams.union(
            all,
            diagrams.withSome(relation.open(set, guard), (part) => steps.programMoves(shared, part, guard)),
          ),
        NONE,
      );
    });
  }

  /** The part of the CPU that takes a step, and the guard of that. */
  #stepOf(effect: number): { readonly acting: number; readonly guard: number } {
    const { candidates, effects } = this.#steps;
    const candidate = effects.candidateOf(effect);
    return { acting: candidates.cpuOf(candidate), guard: candidates.guardOf(candidate) };
  }
}
