import { ABSENT, type ColumnSteps, type SharedStep } from "./column-steps.js";
import { type Diagrams, END, NONE } from "./diagrams.js";

/** Steps from the same shared parts that agree in all but what the acting CPU has before and behind them: one relation for all columns. */
type Group = Omit<SharedStep, "own" | "effect"> & {
  readonly guard: number;
  readonly label: number;
  /** By part of the CPU that acts: the parts it has behind. */
  readonly own: Map<number, number[]>;
  /** Nothing changes in the columns that do not act. */
  readonly still: boolean;
  /** Numbers of operations: on the columns from one on among which one acts, and on those among which none does. */
  readonly image: number;
  readonly rest: number;
  readonly before: number;
  readonly restBefore: number;
  /** The same where it is the CPU so many columns further on that acts. */
  readonly beforeBy: Map<number, number>;
};

/** Which steps are in the groups, beside those that change more than the part of the CPU that acts, and what tells them apart further. */
export type Grouping = {
  /** Those too that change nothing else. */
  readonly local: boolean;
  /** Effects with different labels are in different groups. */
  readonly labelOf?: (effect: number) => number;
};

/** A set of states with the same shared parts. */
export type Image = { readonly to: number; readonly set: number };

/** The steps from one value of the shared parts, in groups. */
export class SharedSteps {
  readonly #diagrams: Diagrams;
  readonly #steps: ColumnSteps;
  readonly #shared: number;
  readonly #grouping: Grouping;
  readonly #groups = new Map<string, Group>();
  /** By guard, the parts whose steps are in the groups. */
  readonly #listed = new Map<number, Set<number>>([[ABSENT, new Set()]]);
  /** By guard, the number of the operation that keeps the states in which it holds. */
  readonly #filters = new Map<number, number>();

  constructor(diagrams: Diagrams, steps: ColumnSteps, shared: number, grouping: Grouping) {
    this.#diagrams = diagrams;
    this.#steps = steps;
    this.#shared = shared;
    this.#grouping = grouping;
  }

  /** The values of the shared parts to which steps lead. */
  get targets(): ReadonlySet<number> {
    return new Set([...this.#groups.values()].map(({ to }) => to));
  }

  /** Where these steps lead from the states of a set: at least one image for each value of the shared parts. */
  images(set: number): readonly Image[] {
    const open = this.list(set);
    return [...this.#groups.values()].flatMap((group) => {
      const from = open.get(group.guard);
      const image = from === undefined ? NONE : this.#image(group, from);
      return image === NONE ? [] : [{ to: group.to, set: image }];
    });
  }

  /** Puts the steps of a set into groups; tells the states in which each guard holds, where there are any. */
  list(set: number): ReadonlyMap<number, number> {
    this.#list(set, ABSENT);
    const open = new Map([[ABSENT, set]]);
    for (const guard of this.#filters.keys()) {
      const kept = this.#where(guard, set);
      if (kept === NONE) continue;
      this.#list(kept, guard);
      open.set(guard, kept);
    }
    return open;
  }

  /** The guards of these steps. */
  get guards(): Iterable<number> {
    return this.#filters.keys();
  }

  /** The states of a set in which a guard of these steps holds, or all for {@link ABSENT}. */
  open(set: number, guard: number): number {
    return guard === ABSENT ? set : this.#where(guard, set);
  }

  /** The states of `among`, whose steps were listed, from which these steps lead to one of a set with the shared parts `to`. */
  leadingTo(to: number, set: number, among: number): number {
    let leading = NONE;
    for (const group of this.#groups.values()) {
      if (group.to !== to) continue;
      const from = this.open(among, group.guard);
      leading = this.#diagrams.union(leading, this.#before(group, set, from));
    }
    return leading;
  }

  /**
   * The states of `among`, whose steps were listed, from which a step with a label that counts leads to one of `sets`, which come by the
   * shared parts. `column`: of the CPU in that column, counted from 0; undefined: of any.
   */
  leadingBy(
    counts: (label: number) => boolean,
    column: number | undefined,
    sets: readonly number[],
    among: number,
  ): number {
    let leading = NONE;
    for (const group of this.#groups.values()) {
      const set = sets[group.to] ?? NONE;
      if (set === NONE || !counts(group.label)) continue;
      const from = this.open(among, group.guard);
      const before = column === undefined ? this.#before(group, set, from) : this.#beforeBy(group, column, set, from);
      leading = this.#diagrams.union(leading, before);
    }
    return leading;
  }

  /** The states in which a guard holds. */
  #where(guard: number, set: number): number {
    return this.#diagrams.filter(this.#filters.get(guard) as number, set, (part) => this.#steps.holds(guard, part));
  }

  /** Puts the steps with a guard of all parts of a set into groups; the guard holds in all of its states. */
  #list(set: number, guard: number): void {
    const listed = this.#listed.get(guard) ?? new Set();
    this.#listed.set(guard, listed);
    this.#diagrams.each(set, new Set(), (part) => {
      if (listed.has(part)) return;
      listed.add(part);
      if (guard === ABSENT)
        for (const each of this.#steps.guardsOf(part))
          if (!this.#filters.has(each)) this.#filters.set(each, this.#diagrams.operation());
      this.#steps.each(this.#shared, part, guard, this.#grouping.local, (step) => {
        this.#add(part, guard, step);
      });
    });
  }

  #add(part: number, guard: number, { to, own, every, others, effect }: SharedStep): void {
    const label = this.#grouping.labelOf?.(effect) ?? 0;
    const key = `${to} ${every} ${others} ${guard} ${label}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      const sameSetting = this.#steps.settingOf(to) === this.#steps.settingOf(this.#shared);
      group = {
        to,
        every,
        others,
        guard,
        label,
        own: new Map(),
        still: every === ABSENT && others === ABSENT && (sameSetting || !this.#steps.urgent),
        image: this.#diagrams.operation(),
        rest: this.#diagrams.operation(),
        before: this.#diagrams.operation(),
        restBefore: this.#diagrams.operation(),
        beforeBy: new Map(),
      };
      this.#groups.set(key, group);
    }
    const known = group.own.get(part);
    if (known === undefined) group.own.set(part, [own]);
    else if (!known.includes(own)) known.push(own);
  }

  #other({ to, every, others, still }: Group, part: number): number {
    return still ? part : this.#steps.other(to, every, others, part);
  }

  /** What a step of one of the columns of a set leads to. */
  #image(group: Group, set: number): number {
    if (set <= END) return NONE;
    const diagrams = this.#diagrams;
    const found = diagrams.cache.find(group.image, set, 0);
    if (found >= 0) return found;
    const values: number[] = [];
    const downs: number[] = [];
    for (let at = set; at !== NONE; at = diagrams.right(at)) {
      const part = diagrams.value(at);
      const later = this.#image(group, diagrams.down(at));
      if (later !== NONE) {
        values.push(this.#other(group, part));
        downs.push(later);
      }
      for (const own of group.own.get(part) ?? []) {
        values.push(own);
        downs.push(this.#rest(group, diagrams.down(at)));
      }
    }
    const image = diagrams.list(values, downs);
    diagrams.cache.put(group.image, set, 0, image);
    return image;
  }

  /** What the columns of a set become while another acts. */
  #rest(group: Group, set: number): number {
    if (group.still || set <= END) return set;
    const diagrams = this.#diagrams;
    const found = diagrams.cache.find(group.rest, set, 0);
    if (found >= 0) return found;
    const values: number[] = [];
    const downs: number[] = [];
    for (let at = set; at !== NONE; at = diagrams.right(at)) {
      values.push(this.#other(group, diagrams.value(at)));
      downs.push(this.#rest(group, diagrams.down(at)));
    }
    const image = diagrams.list(values, downs);
    diagrams.cache.put(group.rest, set, 0, image);
    return image;
  }

  /** The states of `among` from which a step of one of the columns leads to one of a set. */
  #before(group: Group, set: number, among: number): number {
    if (set <= END || among <= END) return NONE;
    const diagrams = this.#diagrams;
    const found = diagrams.cache.find(group.before, set, among);
    if (found >= 0) return found;
    const behind = this.#entries(set);
    const before = this.#among(among, (part, rest) => {
      const still = behind.get(this.#other(group, part));
      const later = still === undefined ? NONE : this.#before(group, still, rest);
      return diagrams.union(later, this.#actedBefore(group, part, behind, rest));
    });
    diagrams.cache.put(group.before, set, among, before);
    return before;
  }

  /** The same where it is the CPU in a column that acts, counted from the first of these. */
  #beforeBy(group: Group, column: number, set: number, among: number): number {
    if (set <= END || among <= END) return NONE;
    const diagrams = this.#diagrams;
    const operation = group.beforeBy.get(column) ?? diagrams.operation();
    group.beforeBy.set(column, operation);
    const found = diagrams.cache.find(operation, set, among);
    if (found >= 0) return found;
    const behind = this.#entries(set);
    const before = this.#among(among, (part, rest) => {
      if (column === 0) return this.#actedBefore(group, part, behind, rest);
      const still = behind.get(this.#other(group, part));
      return still === undefined ? NONE : this.#beforeBy(group, column - 1, still, rest);
    });
    diagrams.cache.put(operation, set, among, before);
    return before;
  }

  /** What may come behind a part that acts, where `behind` is what has to come behind the parts that it gets. */
  #actedBefore(group: Group, part: number, behind: ReadonlyMap<number, number>, rest: number): number {
    let before = NONE;
    for (const own of group.own.get(part) ?? []) {
      const acted = behind.get(own);
      if (acted !== undefined) before = this.#diagrams.union(before, this.#restBefore(group, acted, rest));
    }
    return before;
  }

  /** The set whose values are those of `among`, each with what `down` makes of what is behind it there. */
  #among(among: number, down: (part: number, rest: number) => number): number {
    const diagrams = this.#diagrams;
    const entries: number[] = [];
    for (let at = among; at !== NONE; at = diagrams.right(at)) {
      const kept = down(diagrams.value(at), diagrams.down(at));
      if (kept !== NONE) entries.push(diagrams.value(at), kept);
    }
    let list = NONE;
    for (let kept = entries.pop(); kept !== undefined; kept = entries.pop())
      list = diagrams.node(entries.pop() as number, kept, list);
    return list;
  }

  #restBefore(group: Group, set: number, among: number): number {
    const diagrams = this.#diagrams;
    if (group.still) return diagrams.common(set, among);
    if (set === NONE || among === NONE) return NONE;
    if (set === END) return END;
    const found = diagrams.cache.find(group.restBefore, set, among);
    if (found >= 0) return found;
    const behind = this.#entries(set);
    const before = this.#among(among, (part, rest) => {
      const still = behind.get(this.#other(group, part));
      return still === undefined ? NONE : this.#restBefore(group, still, rest);
    });
    diagrams.cache.put(group.restBefore, set, among, before);
    return before;
  }

  #entries(set: number): ReadonlyMap<number, number> {
    const entries = new Map<number, number>();
    for (let at = set; at !== NONE; at = this.#diagrams.right(at))
      entries.set(this.#diagrams.value(at), this.#diagrams.down(at));
    return entries;
  }
}
