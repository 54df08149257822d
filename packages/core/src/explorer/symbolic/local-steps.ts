import type { ColumnSteps } from "./column-steps.js";
import { type Diagrams, END, NONE } from "./diagrams.js";

/**
 * The steps in one setting of the shared parts that change the part of the acting CPU alone. Those of different CPUs are independent, so
 * that a set of states is closed under them column by column. The parts are put together to strongly connected components, which come
 * in the order in which none leads to a later one: a set is closed in one pass along them.
 */
export class LocalSteps {
  readonly #diagrams: Diagrams;
  readonly #steps: ColumnSteps;
  readonly #setting: number;
  readonly #forth: number;
  readonly #back: number;
  /** By part: its component and 1, or 0 where it was not looked at. */
  #component = new Int32Array(64);
  /** By component: its parts, and the components that these lead to. */
  readonly #members: number[][] = [];
  readonly #leads: (readonly number[])[] = [];
  /** By component, while a list is closed: what may come behind its parts. */
  readonly #behind: number[] = [];

  constructor(diagrams: Diagrams, steps: ColumnSteps, setting: number) {
    this.#diagrams = diagrams;
    this.#steps = steps;
    this.#setting = setting;
    this.#forth = diagrams.operation();
    this.#back = diagrams.operation();
  }

  /** The states that steps of this kind lead to from a set, its own among them. */
  closed(set: number): number {
    const diagrams = this.#diagrams;
    if (set <= END) return set;
    const found = diagrams.cache.find(this.#forth, set, 0);
    if (found >= 0) return found;
    const starts: number[] = [];
    const downs: number[] = [];
    for (let at = set; at !== NONE; at = diagrams.right(at)) {
      starts.push(this.#componentOf(diagrams.value(at)));
      downs.push(this.closed(diagrams.down(at)));
    }
    const behind = this.#behind;
    const reached = this.#reachedFrom(starts);
    for (const component of reached) behind[component] = NONE;
    starts.forEach((component, i) => {
      behind[component] = diagrams.union(behind[component] as number, downs[i] as number);
    });
    const values: number[] = [];
    const lists: number[] = [];
    for (const component of reached) {
      const down = behind[component] as number;
      for (const next of this.#leads[component] as readonly number[])
        behind[next] = diagrams.union(behind[next] as number, down);
      for (const part of this.#members[component] as readonly number[]) {
        values.push(part);
        lists.push(down);
      }
    }
    const closed = diagrams.list(values, lists);
    diagrams.cache.put(this.#forth, set, 0, closed);
    return closed;
  }

  /** The states of `among`, which is closed, from which steps of this kind lead to one of a set; those of the set itself among them. */
  leadingTo(set: number, among: number): number {
    const diagrams = this.#diagrams;
    if (set === NONE || among === NONE) return NONE;
    if (set === END) return END;
    const found = diagrams.cache.find(this.#back, set, among);
    if (found >= 0) return found;
    const starts: number[] = [];
    for (let at = among; at !== NONE; at = diagrams.right(at)) starts.push(this.#componentOf(diagrams.value(at)));
    const reached = this.#reachedFrom(starts);
    const behind: number[] = [];
    for (const component of reached) behind[component] = NONE;
    for (let at = set; at !== NONE; at = diagrams.right(at)) {
      const component = this.#componentOf(diagrams.value(at));
      behind[component] = diagrams.union(behind[component] ?? NONE, diagrams.down(at));
    }
    for (let i = reached.length - 1; i >= 0; i--) {
      const component = reached[i] as number;
      for (const next of this.#leads[component] as readonly number[])
        behind[component] = diagrams.union(behind[component] as number, behind[next] as number);
    }
    const values: number[] = [];
    const lists: number[] = [];
    for (let at = among; at !== NONE; at = diagrams.right(at)) {
      const value = diagrams.value(at);
      const down = this.leadingTo(behind[this.#componentOf(value)] as number, diagrams.down(at));
      if (down === NONE) continue;
      values.push(value);
      lists.push(down);
    }
    const leading = diagrams.list(values, lists);
    diagrams.cache.put(this.#back, set, among, leading);
    return leading;
  }

  /** The components that these lead to, they among them; none is behind one that it leads to. */
  #reachedFrom(starts: readonly number[]): readonly number[] {
    const reached = new Set(starts);
    for (const component of reached) for (const next of this.#leads[component] as readonly number[]) reached.add(next);
    // A component is numbered behind all that it leads to.
    return [...reached].sort((a, b) => b - a);
  }

  #componentOf(part: number): number {
    const known = this.#component[part] ?? 0;
    if (known !== 0) return known - 1;
    this.#explore(part);
    return (this.#component[part] as number) - 1;
  }

  /** Puts everything that a part leads to and that is not known into components (Tarjan). */
  #explore(root: number): void {
    const index = new Map<number, number>();
    const low = new Map<number, number>();
    const path: number[] = [];
    const calls: { readonly part: number; readonly successors: readonly number[]; next: number }[] = [];
    const enter = (part: number): void => {
      low.set(part, index.size);
      index.set(part, index.size);
      path.push(part);
      calls.push({ part, successors: this.#steps.localSuccessors(this.#setting, part), next: 0 });
    };
    const lower = (part: number, number: number): void => {
      if (number < (low.get(part) as number)) low.set(part, number);
    };
    enter(root);
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const successor = call.successors[call.next++];
      if (successor !== undefined) {
        if ((this.#component[successor] ?? 0) !== 0) continue;
        const seen = index.get(successor);
        if (seen === undefined) enter(successor);
        else lower(call.part, seen);
        continue;
      }
      calls.pop();
      const caller = calls.at(-1);
      if (caller !== undefined) lower(caller.part, low.get(call.part) as number);
      if (low.get(call.part) === index.get(call.part)) this.#complete(path.splice(path.indexOf(call.part)));
    }
  }

  #complete(members: number[]): void {
    const component = this.#members.push(members) - 1;
    const highest = members.reduce((most, part) => Math.max(most, part), 0);
    if (highest >= this.#component.length) {
      const grown = new Int32Array(Math.max(highest + 1, 2 * this.#component.length));
      grown.set(this.#component);
      this.#component = grown;
    }
    for (const part of members) this.#component[part] = component + 1;
    const leads = new Set<number>();
    for (const part of members)
      for (const next of this.#steps.localSuccessors(this.#setting, part))
        leads.add((this.#component[next] as number) - 1);
    leads.delete(component);
    this.#leads.push([...leads]);
  }
}
