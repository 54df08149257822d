import { GrowingInt32 } from "./growing.js";

/**
 * Provides that no step is ignored for ever. A state in which the steps of one CPU alone are taken needs a witness: a successor from
 * which the witnesses lead on to a state in which all steps are taken, or to one that is still to be expanded. Witnesses thus never
 * form a cycle, and when the search is done each chain of them ends where all steps were taken.
 */
export class Witnesses {
  /** By state: one further on its chain of witnesses, or itself where there is none (yet). */
  readonly #further = new GrowingInt32();

  /**
   * Takes a successor for the witness of a state, if its chain does not end in that very state. The last one offered counts, but one
   * by an interrupt from outside (`weak`), whose return soon leads back, only where there is no other.
   */
  offer(state: number, successor: number, weak: boolean): void {
    const further = this.#further;
    while (further.length <= Math.max(state, successor)) further.push(further.length);
    if (weak && further.get(state) !== state) return;
    const before = further.get(state);
    further.set(state, state);
    const end = this.#end(successor);
    further.set(state, end === state ? before : end);
  }

  /** Bytes that are used. */
  get bytes(): number {
    return this.#further.bytes;
  }

  /** Whether a state has a witness. */
  has(state: number): boolean {
    return state < this.#further.length && this.#further.get(state) !== state;
  }

  /** Where a chain ends; on the way it is made shorter. */
  #end(state: number): number {
    const further = this.#further.array;
    let at = state;
    while (further[at] !== at) {
      further[at] = further[further[at] as number] as number;
      at = further[at] as number;
    }
    return at;
  }
}
