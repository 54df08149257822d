import type { Effect } from "../contract/effect.js";
import type { Property } from "../contract/property.js";
import type { CpuState, Parts, Posted } from "../contract/state.js";
import { assertAdvanced } from "../machine/advanced.js";
import type { Machine } from "../machine/machine.js";
import { applyChecked } from "./apply-rule.js";
import { CandidateTable, READS } from "./candidate-table.js";
import { EffectTable } from "./effect-table.js";
import { InternedParts } from "./interned-parts.js";
import { looks, touchedAmong } from "./looks-at.js";
import { IN_PENDING } from "./may-touch.js";
import { OutcomeTable } from "./outcome-table.js";
import { CPU0, MEMORY, PARKED, SERVICES, sortCpus } from "./row.js";
import type { StateStore } from "./state-store.js";

/** Urgent steps taken in a row at the most. */
const MOST_URGENT = 64;

/** Which rows stand for others. */
export type Settling = {
  /** Urgent steps belong to the step before. */
  readonly urgent: boolean;
  /** CPUs are not told apart by their places. */
  readonly symmetry: boolean;
};

const BOTH: Settling = { urgent: true, symmetry: true };

/** No handler and no work has this name. */
const PROBES: readonly Posted[] = [
  { kind: "ipi", handler: "?" },
  { kind: "stopper", work: "?" },
];

/** Receives the transitions of a state: the effect, the column of the CPU that acts, and the successor's row. */
export interface Visitor {
  transition(state: number, effect: number, column: number, next: Int32Array): void;
}

/**
 * The steps of a machine over interned parts: model code runs once for each distinct tuple of what it reads, and is numbers from
 * then on. Everything that the inner loop of a search looks at lies in typed arrays. It has no decorators: compilers turn the private
 * fields of decorated classes into look-ups in weak maps, ten times slower.
 */
export class Steps {
  readonly machine: Machine;
  readonly parts = new InternedParts();
  readonly candidates: CandidateTable;
  readonly effects: EffectTable;
  readonly #development: boolean;

  #machineCodeWrites = false;
  #gaveUp = false;
  #counting: string | undefined;
  #acted = 0;
  readonly #blocked = new Set<number>();
  readonly #outcomes = new OutcomeTable();

  /** `development` freezes every part, checks footprints, and runs each rule twice to see that it is deterministic. */
  constructor(machine: Machine, properties: readonly Property[], development: boolean) {
    this.machine = machine;
    this.candidates = new CandidateTable(machine, this.parts);
    this.effects = new EffectTable(machine, this.parts, properties, development);
    this.#development = development;
  }

  /** How often model code ran. */
  get calls(): number {
    return this.#outcomes.size;
  }

  /** Columns of a row. */
  get width(): number {
    return CPU0 + this.machine.cpus;
  }

  /** The row of the state before any step. */
  initialRow(): Int32Array {
    const initial = this.machine.initial();
    return Int32Array.from([
      this.parts.memory.id(initial.memory),
      this.parts.services.id(initial.services),
      this.parts.parked.id(initial.parked),
      ...initial.cpus.map((cpu) => this.parts.cpu.id(cpu)),
    ]);
  }

  /** Whether a CPU part handles a trap or an interrupt. */
  isHandling(cpu: number): boolean {
    return this.parts.cpu.value(cpu).stack.length > 1;
  }

  /** Whether a candidate was seen to be blocked by another part, or waits for something of every CPU. */
  mayBlock(candidate: number): boolean {
    return this.candidates.isGuarded(candidate) || this.#blocked.has(candidate);
  }

  /** Whether no program that a CPU runs can take its next step in the state whose row starts at `base`. */
  programsBlocked(rows: Int32Array, base: number, width: number): boolean {
    for (let column = CPU0; column < width; column++) {
      const own = this.candidates.next(rows[base + column] as number);
      if (own < 0) continue;
      if (this.candidates.enabled(own, rows, base, width) && this.effectCount(this.outcome(own, rows, base)) > 0)
        return false;
    }
    return true;
  }

  /** The place of the outcome of a candidate in the state whose row starts at `base`. */
  outcome(candidate: number, rows: Int32Array, base: number): number {
    const reads = this.candidates.readsOf(candidate);
    const memory = (reads & READS.memory) === 0 ? -1 : (rows[base + MEMORY] as number);
    const services = (reads & READS.services) === 0 ? -1 : (rows[base + SERVICES] as number);
    const parked = (reads & READS.parked) === 0 ? -1 : (rows[base + PARKED] as number);
    const found = this.#outcomes.find(candidate, memory, services, parked);
    return found >= 0 ? found : this.#compute(candidate, memory, services, parked);
  }

  /** First effect of an outcome. */
  firstEffect(outcome: number): number {
    return this.#outcomes.first(outcome);
  }

  /** Number of effects of an outcome. */
  effectCount(outcome: number): number {
    return this.#outcomes.count(outcome);
  }

  #compute(candidate: number, memory: number, services: number, parked: number): number {
    const parts = this.parts.of(this.candidates.cpuOf(candidate), memory, services, parked);
    const effects = this.#apply(candidate, parts);
    if (this.machine.countsCpus) this.#counting ??= this.candidates.candidate(candidate).rule.id;
    assertAdvanced(this.candidates.candidate(candidate), parts.cpu as CpuState, effects, this.machine);
    const first = this.effects.size;
    if (effects.length === 0) this.#blocked.add(candidate);
    effects.forEach((effect, choice) => {
      this.#addEffect(candidate, effect, choice);
    });
    return this.#outcomes.put(candidate, memory, services, parked, first, effects.length);
  }

  #apply(candidate: number, parts: Partial<Parts>): readonly Effect[] {
    const { rule, args } = this.candidates.candidate(candidate);
    if (this.#development) return applyChecked(rule, parts, args, this.machine);
    return rule.apply(parts as Parts, args, this.machine);
  }

  #addEffect(number: number, effect: Effect, choice: number): void {
    const candidate = this.candidates.candidate(number);
    const { rule } = candidate;
    this.effects.add(number, candidate, { candidate: this.candidates.placeOf(number), choice }, effect);
    if (rule === this.machine.order.execute || rule.runsMachineCode === true)
      this.#machineCodeWrites ||= this.effects.writesShared(this.effects.size - 1);
  }

  /** The first rule that was running when the machine was asked how many CPUs it has; undefined where none was. */
  get counting(): string | undefined {
    return this.#counting;
  }

  /** Machine code was seen to write something that others see. */
  get machineCodeWrites(): boolean {
    return this.#machineCodeWrites;
  }

  /** A row of urgent steps was given up. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  /**
   * Whether a candidate looks at or changes anything among `bits` (of `may-touch.ts`, but the contexts) in the state whose row starts at
   * `base`.
   */
  looksAt(candidate: number, bits: number, rows: Int32Array, base: number): boolean {
    const outcome = this.outcome(candidate, rows, base);
    const note = this.#outcomes.note(outcome);
    if (note >> 1 === bits) return (note & 1) !== 0;
    const { rule, args } = this.candidates.candidate(candidate);
    const given = this.parts.of(this.candidates.cpuOf(candidate), ...this.#outcomes.parts(outcome));
    const { parts, fields } = touchedAmong(bits);
    const veiled = parts.filter((part) => given[part] !== undefined);
    const found = looks(given, veiled, fields, (all) => rule.apply(all, args, this.machine).map(({ set }) => set.cpu));
    this.#outcomes.setNote(outcome, 2 * bits + Number(found));
    return found;
  }

  /** Whether the list of the steps of a CPU part depends on anything among `bits`. */
  listLooksAt(cpu: number, bits: number): boolean {
    const part = this.parts.cpu.value(cpu);
    if ((bits & IN_PENDING) !== 0) {
      const probed = { ...part, pending: [...part.pending, ...PROBES] };
      if (this.machine.candidates(probed).length !== this.machine.candidates(part).length) return true;
    }
    const { fields } = touchedAmong(bits & ~IN_PENDING);
    return looks({ cpu: part }, [], fields, ({ cpu: seen }) => {
      this.machine.candidates(seen);
      return [seen];
    });
  }

  /** The part of the CPU that acts, before an effect. */
  actingPart(effect: number): CpuState {
    return this.parts.cpu.value(this.candidates.cpuOf(this.effects.candidateOf(effect)));
  }

  /**
   * Hands every transition of a stored state to `visitor`, its successor in `next`. With reductions the successor is the row that
   * stands for it ({@link Steps.settle}): the states between two urgent steps are never stored.
   */
  visit(store: StateStore, state: number, next: Int32Array, visitor: Visitor, how: Settling | false): void {
    for (let column = CPU0; column < store.width; column++) this.visitCpu(store, state, column, next, visitor, how);
  }

  /** The part that the CPU has after the transition that a visitor with reductions is told about, wherever it stands in the row. */
  get acted(): number {
    return this.#acted;
  }

  /** {@link Steps.visit} for the steps of one CPU. */
  visitCpu(
    store: StateStore,
    state: number,
    column: number,
    next: Int32Array,
    visitor: Visitor,
    how: Settling | false,
  ): void {
    const width = store.width;
    const base = state * width;
    const first = this.candidates.first(store.rows[base + column] as number);
    const end = first + this.candidates.count(store.rows[base + column] as number);
    for (let candidate = first; candidate < end; candidate++) {
      if (!this.candidates.enabled(candidate, store.rows, base, width)) continue;
      const outcome = this.outcome(candidate, store.rows, base);
      const last = this.firstEffect(outcome) + this.effectCount(outcome);
      for (let effect = this.firstEffect(outcome); effect < last; effect++) {
        this.effects.successor(effect, store.rows, base, width, column, next);
        if (how !== false) {
          if (how.urgent) this.hasten(next);
          this.#acted = next[column] as number;
          if (how.symmetry) sortCpus(next);
        }
        visitor.transition(state, effect, column, next);
      }
    }
  }

  /** Makes of a row the one that stands for it with both reductions. */
  reduce(row: Int32Array): void {
    this.settle(row, BOTH);
  }

  /**
   * Makes of a row the one that stands for it: urgent steps are taken, and the CPUs are sorted by their parts. Nothing names a CPU
   * but its own part, so CPUs are interchangeable.
   */
  settle(row: Int32Array, { urgent, symmetry }: Settling): void {
    if (urgent) this.hasten(row);
    if (symmetry) sortCpus(row);
  }

  /** Takes urgent steps until there is none; endless ones are given up after a while, which only costs states. Tells `taken`, if given. */
  hasten(row: Int32Array, taken?: (effect: number, column: number) => void): void {
    let left = MOST_URGENT;
    for (let column = CPU0; column < row.length && left > 0; ) {
      const effect = this.#urgentEffect(row, 0, column);
      if (effect < 0) {
        column++;
        continue;
      }
      this.effects.successor(effect, row, 0, row.length, column, row);
      taken?.(effect, column);
      left--;
      column = CPU0;
    }
    if (left === 0) this.#gaveUp = true;
  }

  /** The one effect of a CPU's urgent step, or -1 where it has none that is free of other outcomes and of violations. */
  #urgentEffect(rows: Int32Array, base: number, column: number): number {
    const cpu = rows[base + column] as number;
    const candidate = this.candidates.urgent(cpu);
    if (candidate < 0 || !this.candidates.enabled(candidate, rows, base, rows.length)) return -1;
    const outcome = this.outcome(candidate, rows, base);
    const effect = this.firstEffect(outcome);
    return this.effectCount(outcome) === 1 && this.effects.brokenBy(effect) === 0 ? effect : -1;
  }
}
