import { READS } from "../candidate-table.js";
import { MEMORY, PARKED, SERVICES } from "../row.js";
import type { Steps } from "../steps.js";
import { Tuples } from "../tuples.js";

/** Urgent steps taken in a row at the most. */
const MOST_URGENT = 64;

/** No guard, no map. */
export const ABSENT = -1;

/** The shared parts of a state by their numbers. */
export type SharedParts = { readonly memory: number; readonly services: number; readonly parked: number };

/** A step: what it makes of the shared parts and of every column. */
export type SharedStep = {
  readonly to: number;
  /** What the CPU that acts has behind it. */
  readonly own: number;
  /** Maps over every CPU's part and over those of the others. */
  readonly every: number;
  readonly others: number;
  readonly effect: number;
};

/** Who is told of steps that break a property that counts, and of the shared parts there: these have no successor. */
export type Violated = (effect: number, shared: number) => void;

/**
 * The steps of single CPUs, while the shared parts stand: the only place of the symbolic engine that looks at the tables of steps. The
 * shared parts are numbered as a whole, and by what steps within a CPU look at, which are memory and services (their `setting`).
 * Effects of guarded steps are looked at only for states in which the guard holds, so that the table of effects has none but those
 * that were taken.
 */
export class ColumnSteps {
  readonly steps: Steps;
  /** Bits of the properties that count. */
  readonly active: number;
  /** Urgent steps belong to the step before. */
  readonly urgent: boolean;
  /** Bits of properties that broke and do not count. */
  brokenInactive = 0;
  readonly #violated: Violated;
  readonly #leftOut: (candidate: number) => boolean;
  readonly #shared = new Tuples();
  readonly #settings = new Tuples();
  readonly #parts: SharedParts[] = [];
  readonly #settingOf: number[] = [];
  /** By shared parts, a row of them for the tables of steps. */
  readonly #rows: Int32Array[] = [];
  /** By setting, some shared parts that have it. */
  readonly #example: number[] = [];
  /** By setting, then by part of a CPU: the settled part and 1, or 0 where it is not known. */
  readonly #settled: Int32Array[] = [];

  /** `leftOut`: steps that are never taken; by default none. */
  constructor(
    steps: Steps,
    active: number,
    urgent: boolean,
    violated: Violated,
    leftOut: (candidate: number) => boolean = () => false,
  ) {
    this.#leftOut = leftOut;
    this.steps = steps;
    this.active = active;
    this.urgent = urgent;
    this.#violated = violated;
  }

  /** How many different shared parts there are. */
  get size(): number {
    return this.#parts.length;
  }

  /** The number of shared parts. */
  number(memory: number, services: number, parked: number): number {
    const number = this.#shared.number([memory, services, parked], 0);
    if (number === this.#parts.length) {
      this.#parts.push({ memory, services, parked });
      const row = new Int32Array(3);
      row[MEMORY] = memory;
      row[SERVICES] = services;
      row[PARKED] = parked;
      this.#rows.push(row);
      const setting = this.#settings.number([memory, services], 0);
      this.#settingOf.push(setting);
      if (setting === this.#settled.length) {
        this.#settled.push(new Int32Array(64));
        this.#example.push(number);
      }
    }
    return number;
  }

  /** The shared parts of a number. */
  parts(shared: number): SharedParts {
    return this.#parts[shared] as SharedParts;
  }

  /** The setting of shared parts. */
  settingOf(shared: number): number {
    return this.#settingOf[shared] as number;
  }

  /** The part that stands for a CPU's part in a setting: that behind its urgent steps, where they are taken along. */
  settled(setting: number, cpu: number): number {
    if (!this.urgent) return cpu;
    let known = this.#settled[setting] as Int32Array;
    if (cpu >= known.length) {
      const grown = new Int32Array(Math.max(cpu + 1, 2 * known.length));
      grown.set(known);
      this.#settled[setting] = grown;
      known = grown;
    }
    const found = known[cpu] as number;
    if (found !== 0) return found - 1;
    const urgent = this.settling(setting, cpu);
    const settled = urgent.reduce((part, effect) => this.#own(effect, part), cpu);
    known[cpu] = settled + 1;
    return settled;
  }

  /** The urgent steps by which a part settles. */
  settling(setting: number, cpu: number): readonly number[] {
    const taken: number[] = [];
    if (!this.urgent) return taken;
    let at = cpu;
    while (taken.length < MOST_URGENT) {
      const effect = this.#urgentEffect(setting, at);
      if (effect < 0) break;
      taken.push(effect);
      at = this.#own(effect, at);
    }
    return taken;
  }

  /** The urgent step of a part where that changes that part and nothing else, has one outcome and breaks nothing; or -1. */
  #urgentEffect(setting: number, cpu: number): number {
    const { candidates, effects } = this.steps;
    const candidate = candidates.urgent(cpu);
    if (candidate < 0 || candidates.isGuarded(candidate) || this.#readsParked(candidate)) return -1;
    const shared = this.#example[setting] as number;
    const outcome = this.steps.outcome(candidate, this.#rows[shared] as Int32Array, 0);
    if (this.steps.effectCount(outcome) !== 1) return -1;
    const effect = this.steps.firstEffect(outcome);
    const free = effects.brokenBy(effect) === 0 && this.#isLocal(effect, shared);
    return free && this.#own(effect, cpu) !== cpu ? effect : -1;
  }

  /** The settled parts to which the steps of a CPU lead that depend on the setting and change nothing but its part. */
  localSuccessors(setting: number, cpu: number): readonly number[] {
    const found = new Set<number>();
    this.#eachLocal(setting, cpu, (_, to) => found.add(to));
    found.delete(cpu);
    return [...found];
  }

  /** The fewest steps of that kind that lead from one settled part of a CPU to another, and the part behind each. */
  localWay(setting: number, from: number, to: number): readonly { readonly effect: number; readonly to: number }[] {
    if (from === to) return [];
    const before = new Map<number, { readonly from: number; readonly effect: number }>();
    const found = [from];
    for (const part of found) {
      if (before.has(to)) break;
      this.#eachLocal(setting, part, (effect, next) => {
        if (next === from || before.has(next)) return;
        before.set(next, { from: part, effect });
        found.push(next);
      });
    }
    const way: { effect: number; to: number }[] = [];
    for (let at = to; at !== from; ) {
      const step = before.get(at);
      if (step === undefined) throw new Error("One part leads to the other.");
      way.unshift({ effect: step.effect, to: at });
      at = step.from;
    }
    return way;
  }

  #eachLocal(setting: number, cpu: number, tell: (effect: number, to: number) => void): void {
    const { candidates } = this.steps;
    const shared = this.#example[setting] as number;
    const first = candidates.first(cpu);
    const end = first + candidates.count(cpu);
    for (let candidate = first; candidate < end; candidate++) {
      if (candidates.isGuarded(candidate) || this.#readsParked(candidate)) continue;
      this.#each(candidate, shared, (effect) => {
        if (this.#isLocal(effect, shared)) tell(effect, this.settled(setting, this.#own(effect, cpu)));
      });
    }
  }

  /** The guards of the steps of a CPU part. */
  guardsOf(cpu: number): readonly number[] {
    const { candidates } = this.steps;
    return this.candidatesOf(cpu)
      .filter((candidate) => candidates.isGuarded(candidate))
      .map((candidate) => candidates.guardOf(candidate));
  }

  /** Whether a guard holds for a CPU part. */
  holds(guard: number, cpu: number): boolean {
    return this.steps.candidates.guardHolds(guard, cpu);
  }

  /**
   * Tells the steps of a CPU part that have this guard (or none: {@link ABSENT}); `local`: those too that are behind
   * {@link localSuccessors}.
   */
  each(shared: number, cpu: number, guard: number, local: boolean, tell: (step: SharedStep) => void): void {
    const { candidates, effects } = this.steps;
    const first = candidates.first(cpu);
    const end = first + candidates.count(cpu);
    for (let candidate = first; candidate < end; candidate++) {
      if (candidates.guardOf(candidate) !== guard) continue;
      const inner = !local && guard === ABSENT && !this.#readsParked(candidate);
      this.#each(candidate, shared, (effect) => {
        if (inner && this.#isLocal(effect, shared)) return;
        const { memory, services, parked } = this.parts(shared);
        const to = this.number(
          or(effects.memoryAfter(effect), memory),
          or(effects.servicesAfter(effect), services),
          or(effects.parkedAfter(effect), parked),
        );
        const own = this.settled(this.settingOf(to), effects.mapped(effects.everyMap(effect), this.#own(effect, cpu)));
        tell({ to, own, every: effects.everyMap(effect), others: effects.othersMap(effect), effect });
      });
    }
  }

  /** Whether the program that a CPU runs can take its next step, and that has this guard or {@link ABSENT}. */
  programMoves(shared: number, cpu: number, guard: number): boolean {
    const { candidates } = this.steps;
    const next = candidates.next(cpu);
    return next >= 0 && candidates.guardOf(next) === guard && this.canTake(shared, next);
  }

  /** Whether a step has an outcome while its guard holds. */
  canTake(shared: number, candidate: number): boolean {
    return this.steps.effectCount(this.steps.outcome(candidate, this.#rows[shared] as Int32Array, 0)) > 0;
  }

  /** The steps of a CPU part. */
  candidatesOf(cpu: number): readonly number[] {
    const first = this.steps.candidates.first(cpu);
    return Array.from({ length: this.steps.candidates.count(cpu) }, (_, i) => first + i);
  }

  /** What a shared step makes of the part of a CPU that does not act. */
  other(to: number, every: number, others: number, cpu: number): number {
    const { effects } = this.steps;
    return this.settled(this.settingOf(to), effects.mapped(others, effects.mapped(every, cpu)));
  }

  /** The effects of a step that have a successor. */
  #each(candidate: number, shared: number, tell: (effect: number) => void): void {
    if (this.#leftOut(candidate)) return;
    const { effects } = this.steps;
    const outcome = this.steps.outcome(candidate, this.#rows[shared] as Int32Array, 0);
    const first = this.steps.firstEffect(outcome);
    const end = first + this.steps.effectCount(outcome);
    for (let effect = first; effect < end; effect++) {
      const broken = effects.brokenBy(effect);
      this.brokenInactive |= broken & ~this.active;
      if ((broken & this.active) === 0) tell(effect);
      else this.#violated(effect, shared);
    }
  }

  #readsParked(candidate: number): boolean {
    return (this.steps.candidates.readsOf(candidate) & READS.parked) !== 0;
  }

  #own(effect: number, cpu: number): number {
    return or(this.steps.effects.cpuAfter(effect), cpu);
  }

  /** Whether an effect leaves the shared parts and the other CPUs as they are, whatever is parked. */
  #isLocal(effect: number, shared: number): boolean {
    const { effects } = this.steps;
    const { memory, services } = this.parts(shared);
    return (
      !effects.mapsCpus(effect) &&
      effects.parkedAfter(effect) < 0 &&
      or(effects.memoryAfter(effect), memory) === memory &&
      or(effects.servicesAfter(effect), services) === services
    );
  }
}

const or = (number: number, otherwise: number): number => (number < 0 ? otherwise : number);
