import type { Data } from "../data.js";
import { deepFreeze, footprint } from "../development.js";
import { keyOf } from "../key.js";
import type { Candidate } from "../machine/candidates.js";
import { irqRule, nmiRule } from "../machine/interrupts.js";
import type { Machine } from "../machine/machine.js";
import { stopperWork } from "../machine/reserved.js";
import type { Property } from "../properties/property.js";
import type { Effect, Observation, Rule } from "../rule.js";
import {
  type CpuState,
  type MemoryState,
  type ParkedState,
  type Parts,
  running,
  type ServicesState,
} from "../state.js";
import { CpuMemo } from "./cpu-memo.js";
import { GrowingInt32 } from "./growing.js";
import { HashCons } from "./hash-cons.js";
import { Interner } from "./interner.js";
import { checkTouches, looks, touchedAmong } from "./looks-at.js";
import { EMULATE, IN_PENDING } from "./may-touch.js";
import { OutcomeTable } from "./outcome-table.js";
import type { StateStore } from "./state-store.js";

/** Columns of a state's row: the shared parts, then one for each CPU. */
export const MEMORY = 0;
/** Column of the services. */
export const SERVICES = 1;
/** Column of the parked tasks. */
export const PARKED = 2;
/** Column of CPU 0. */
export const CPU0 = 3;

const READS = { memory: 1, services: 2, parked: 4 } as const;

/** What one effect is, for people: the rule, the step of the program, what was observed, which properties it breaks and why. */
export type EffectInfo = {
  readonly rule: string;
  readonly step: string | null;
  readonly observed: readonly Observation[];
  readonly broken: readonly { readonly property: Property["id"]; readonly why: string }[];
  /** {@link Choice.candidate} */
  readonly candidate: number;
  /** {@link Choice.choice} */
  readonly choice: number;
};

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

/** No handler has this name. */
const PROBE = "?";

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
  readonly #cons = new HashCons();
  readonly cpu = new Interner<CpuState>(this.#cons);
  readonly memory = new Interner<MemoryState>(this.#cons);
  readonly services = new Interner<ServicesState>(this.#cons);
  readonly parked = new Interner<ParkedState>(this.#cons);
  readonly #properties: readonly Property[];
  readonly #development: boolean;

  // Candidates of a CPU part: a range in the arrays below, by the part's number.
  readonly #candidateStart = new GrowingInt32();
  readonly #candidateCount = new GrowingInt32();
  /** The urgent candidate of a CPU part, or -1. */
  readonly #urgent = new GrowingInt32();
  /** The candidate of a CPU part that is the next step of the program it runs, or -1. */
  readonly #next = new GrowingInt32();
  readonly #candidates: Candidate[] = [];
  readonly #candidateReads = new GrowingInt32();
  readonly #candidateGuard = new GrowingInt32();
  readonly #candidateCpu = new GrowingInt32();

  #machineCodeWrites = false;
  #gaveUp = false;
  #acted = 0;
  readonly #blocked = new Set<number>();
  readonly #outcomes = new OutcomeTable();

  /** New part numbers of an effect, or -1 where it leaves the part as it is; then maps over the CPUs, or -1; then what it breaks. */
  readonly effectCpu = new GrowingInt32();
  readonly effectMemory = new GrowingInt32();
  readonly effectServices = new GrowingInt32();
  readonly effectParked = new GrowingInt32();
  readonly effectEvery = new GrowingInt32();
  readonly effectOthers = new GrowingInt32();
  readonly effectBroken = new GrowingInt32();
  readonly #outside = new GrowingInt32();
  readonly #effectCandidate = new GrowingInt32();
  readonly #infos: EffectInfo[] = [];

  readonly #maps: CpuMemo;
  readonly #guards: CpuMemo;

  readonly machine: Machine;

  /** `development` freezes every part, checks footprints, and runs each rule twice to see that it is deterministic. */
  constructor(machine: Machine, properties: readonly Property[], development: boolean) {
    this.machine = machine;
    this.#properties = properties;
    this.#development = development;
    this.#maps = new CpuMemo(({ id, args }, cpu) => {
      const map = machine.map(id);
      if (development) checkTouches(map, this.cpu.value(cpu), args, machine);
      return this.cpu.id(map.apply(this.cpu.value(cpu), args, machine));
    });
    this.#guards = new CpuMemo(({ id, args }, cpu) =>
      machine.predicate(id).holds(this.cpu.value(cpu), args, machine) ? 1 : 0,
    );
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
      this.memory.id(initial.memory),
      this.services.id(initial.services),
      this.parked.id(initial.parked),
      ...initial.cpus.map((cpu) => this.cpu.id(cpu)),
    ]);
  }

  /** The first candidate of a CPU part; candidates are numbered one after the other. */
  firstCandidate(cpu: number): number {
    while (this.#candidateStart.length <= cpu) this.#list(this.#candidateStart.length);
    return this.#candidateStart.get(cpu);
  }

  /** How many candidates a CPU part has; ask for the first one before. */
  candidateCount(cpu: number): number {
    return this.#candidateCount.get(cpu);
  }

  /** The candidate of a CPU part that is the next step of the program it runs, or -1. */
  nextOfProgram(cpu: number): number {
    this.firstCandidate(cpu);
    return this.#next.get(cpu);
  }

  /** Whether an effect is the arrival of an interrupt from outside. */
  isFromOutside(effect: number): boolean {
    return this.#outside.get(effect) !== 0;
  }

  /** Whether a CPU part handles a trap or an interrupt. */
  isHandling(cpu: number): boolean {
    return this.cpu.value(cpu).stack.length > 1;
  }

  /** Whether a candidate was seen to be blocked by another part, or waits for something of every CPU. */
  mayBlock(candidate: number): boolean {
    return this.isGuarded(candidate) || this.#blocked.has(candidate);
  }

  /** The number of a part of a state's part: the same for two of the same structure. */
  structure(value: object): number {
    return this.#cons.number(value);
  }

  /** The CPU part that a candidate is a step of. */
  cpuOf(candidate: number): number {
    return this.#candidateCpu.get(candidate);
  }

  /** Whether a candidate waits for something of every CPU. */
  isGuarded(candidate: number): boolean {
    return this.#candidateGuard.get(candidate) >= 0;
  }

  /** Whether the guard of a candidate that has one holds for one CPU part. */
  holdsFor(candidate: number, cpu: number): boolean {
    return this.#guards.value(this.#candidateGuard.get(candidate), cpu) !== 0;
  }

  /** The candidate of a number. */
  candidate(number: number): Candidate {
    return this.#candidates[number] as Candidate;
  }

  #list(cpu: number): void {
    const part = this.cpu.value(cpu);
    const found = this.machine.candidates(part);
    this.#candidateStart.push(this.#candidates.length);
    this.#candidateCount.push(found.length);
    // The step of the running context is the first that a CPU could take.
    this.#next.push(running(part)?.code.run === "program" && found.length > 0 ? this.#candidates.length : -1);
    const urgent = found.findIndex((candidate) => candidate.urgent);
    this.#urgent.push(urgent < 0 ? -1 : this.#candidates.length + urgent);
    for (const candidate of found) {
      this.#candidates.push(candidate);
      let reads = 0;
      for (const part of candidate.rule.reads) if (part !== "cpu") reads |= READS[part];
      this.#candidateReads.push(reads);
      this.#candidateGuard.push(candidate.guard === null ? -1 : this.#guards.number(candidate.guard));
      this.#candidateCpu.push(cpu);
    }
  }

  /** Whether the guard of a candidate holds in the state whose row starts at `base`. */
  enabled(candidate: number, rows: Int32Array, base: number, width: number): boolean {
    const guard = this.#candidateGuard.get(candidate);
    if (guard < 0) return true;
    for (let column = CPU0; column < width; column++) {
      if (this.#guards.value(guard, rows[base + column] as number) === 0) return false;
    }
    return true;
  }

  /** Whether no program that a CPU runs can take its next step in the state whose row starts at `base`. */
  programsBlocked(rows: Int32Array, base: number, width: number): boolean {
    for (let column = CPU0; column < width; column++) {
      const own = this.nextOfProgram(rows[base + column] as number);
      if (own < 0) continue;
      if (this.enabled(own, rows, base, width) && this.effectCount(this.outcome(own, rows, base)) > 0) return false;
    }
    return true;
  }

  /** The place of the outcome of a candidate in the state whose row starts at `base`. */
  outcome(candidate: number, rows: Int32Array, base: number): number {
    const reads = this.#candidateReads.get(candidate);
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
    const { rule, args } = this.candidate(candidate);
    const parts = this.#partsOf(candidate, memory, services, parked);
    const effects = this.#apply(rule, parts, args);
    const first = this.#infos.length;
    if (effects.length === 0) this.#blocked.add(candidate);
    effects.forEach((effect, choice) => {
      this.#addEffect(candidate, effect, choice);
    });
    return this.#outcomes.put(candidate, memory, services, parked, first, effects.length);
  }

  /** The parts that a candidate is computed from, by their numbers; -1 is one that it does not read. */
  #partsOf(candidate: number, memory: number, services: number, parked: number): Partial<Parts> & { cpu: CpuState } {
    return {
      cpu: this.cpu.value(this.#candidateCpu.get(candidate)),
      ...(memory < 0 ? {} : { memory: this.memory.value(memory) }),
      ...(services < 0 ? {} : { services: this.services.value(services) }),
      ...(parked < 0 ? {} : { parked: this.parked.value(parked) }),
    };
  }

  #apply(rule: Rule, parts: Partial<Parts>, args: Data): readonly Effect[] {
    if (!this.#development) return rule.apply(parts as Parts, args, this.machine);
    const seen = footprint(rule, parts);
    const effects = rule.apply(seen, args, this.machine);
    const again = rule.apply(seen, args, this.machine);
    if (keyOf(effects as unknown as Data) !== keyOf(again as unknown as Data))
      throw new Error(`The rule ${rule.id} is not deterministic.`);
    for (const effect of effects) {
      for (const part of Object.keys(effect.set) as (keyof Parts)[]) {
        if (!rule.writes.includes(part))
          throw new Error(`The rule ${rule.id} sets ${part}, which it does not declare.`);
      }
      if ((effect.everyCpu ?? effect.otherCpus) !== undefined && !rule.writes.includes("everyCpu")) {
        throw new Error(`The rule ${rule.id} maps every CPU, which it does not declare.`);
      }
      for (const map of [effect.everyCpu, effect.otherCpus])
        if (map !== undefined && rule.maps?.includes(map.id) === false)
          throw new Error(`The rule ${rule.id} uses the map ${map.id}, which it does not declare.`);
      deepFreeze(effect.set);
    }
    return effects;
  }

  #addEffect(candidate: number, effect: Effect, choice: number): void {
    const { cpu, memory, services, parked } = effect.set;
    this.effectCpu.push(cpu === undefined ? -1 : this.cpu.id(cpu));
    this.effectMemory.push(memory === undefined ? -1 : this.memory.id(memory));
    this.effectServices.push(services === undefined ? -1 : this.services.id(services));
    this.effectParked.push(parked === undefined ? -1 : this.parked.id(parked));
    this.effectEvery.push(effect.everyCpu === undefined ? -1 : this.#maps.number(effect.everyCpu));
    this.effectOthers.push(effect.otherCpus === undefined ? -1 : this.#maps.number(effect.otherCpus));
    const observed = effect.observed ?? [];
    const broken = this.#properties.flatMap((property, i) =>
      observed.flatMap((observation) => {
        const why = property.judge(observation);
        return why === undefined ? [] : [{ property: property.id, why, bit: 1 << i }];
      }),
    );
    this.effectBroken.push(broken.reduce((bits, { bit }) => bits | bit, 0));
    const { rule, step } = this.candidate(candidate);
    this.#effectCandidate.push(candidate);
    this.#outside.push(rule === irqRule || rule === nmiRule ? 1 : 0);
    if (rule === this.machine.order.execute || rule.id === EMULATE)
      this.#machineCodeWrites ||= this.writesShared(this.#infos.length);
    this.#infos.push({
      rule: rule.id,
      step,
      observed,
      broken: broken.map(({ property, why }) => ({ property, why })),
      candidate: candidate - this.firstCandidate(this.#candidateCpu.get(candidate)),
      choice,
    });
  }

  /** Whether an effect changes more than the part of the CPU that acts. */
  writesShared(effect: number): boolean {
    return (
      this.effectMemory.get(effect) >= 0 ||
      this.effectServices.get(effect) >= 0 ||
      this.effectParked.get(effect) >= 0 ||
      this.effectEvery.get(effect) >= 0 ||
      this.effectOthers.get(effect) >= 0
    );
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
    const { rule, args } = this.candidate(candidate);
    const given = this.#partsOf(candidate, ...this.#outcomes.parts(outcome));
    const { parts, fields } = touchedAmong(bits);
    const veiled = parts.filter((part) => given[part] !== undefined);
    const found = looks(given, veiled, fields, (all) => rule.apply(all, args, this.machine).map(({ set }) => set.cpu));
    this.#outcomes.setNote(outcome, 2 * bits + Number(found));
    return found;
  }

  /** Whether the list of the steps of a CPU part depends on anything among `bits`. */
  listLooksAt(cpu: number, bits: number): boolean {
    const part = this.cpu.value(cpu);
    if ((bits & IN_PENDING) !== 0) {
      const probed = { ...part, pending: [...part.pending, PROBE, stopperWork(PROBE)] };
      if (this.machine.candidates(probed).length !== this.machine.candidates(part).length) return true;
    }
    const { fields } = touchedAmong(bits & ~IN_PENDING);
    return looks({ cpu: part }, [], fields, ({ cpu: seen }) => {
      this.machine.candidates(seen);
      return [seen];
    });
  }

  /** What an effect is, for people. */
  info(effect: number): EffectInfo {
    return this.#infos[effect] as EffectInfo;
  }

  /** The candidate that an effect is an outcome of. */
  candidateOf(effect: number): number {
    return this.#effectCandidate.get(effect);
  }

  /** The part of the CPU that acts, before an effect. */
  actingPart(effect: number): CpuState {
    return this.cpu.value(this.cpuOf(this.candidateOf(effect)));
  }

  /** All effects that were taken. */
  get infos(): readonly EffectInfo[] {
    return this.#infos;
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
    const first = this.firstCandidate(store.rows[base + column] as number);
    const end = first + this.candidateCount(store.rows[base + column] as number);
    for (let candidate = first; candidate < end; candidate++) {
      if (!this.enabled(candidate, store.rows, base, width)) continue;
      const outcome = this.outcome(candidate, store.rows, base);
      const last = this.firstEffect(outcome) + this.effectCount(outcome);
      for (let effect = this.firstEffect(outcome); effect < last; effect++) {
        this.successor(effect, store.rows, base, width, column, next);
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
      this.successor(effect, row, 0, row.length, column, row);
      taken?.(effect, column);
      left--;
      column = CPU0;
    }
    if (left === 0) this.#gaveUp = true;
  }

  /** The one effect of a CPU's urgent step, or -1 where it has none that is free of other outcomes and of violations. */
  #urgentEffect(rows: Int32Array, base: number, column: number): number {
    const cpu = rows[base + column] as number;
    this.firstCandidate(cpu);
    const candidate = this.#urgent.get(cpu);
    if (candidate < 0 || !this.enabled(candidate, rows, base, rows.length)) return -1;
    const outcome = this.outcome(candidate, rows, base);
    const effect = this.firstEffect(outcome);
    return this.effectCount(outcome) === 1 && this.effectBroken.get(effect) === 0 ? effect : -1;
  }

  /** Writes the successor by an effect of the CPU in `column` into `into`. */
  successor(effect: number, rows: Int32Array, base: number, width: number, column: number, into: Int32Array): void {
    for (let i = 0; i < width; i++) into[i] = rows[base + i] as number;
    const cpu = this.effectCpu.get(effect);
    if (cpu >= 0) into[column] = cpu;
    const memory = this.effectMemory.get(effect);
    if (memory >= 0) into[MEMORY] = memory;
    const services = this.effectServices.get(effect);
    if (services >= 0) into[SERVICES] = services;
    const parked = this.effectParked.get(effect);
    if (parked >= 0) into[PARKED] = parked;
    const every = this.effectEvery.get(effect);
    if (every >= 0) for (let i = CPU0; i < width; i++) into[i] = this.#maps.value(every, into[i] as number);
    const others = this.effectOthers.get(effect);
    if (others >= 0)
      for (let i = CPU0; i < width; i++) if (i !== column) into[i] = this.#maps.value(others, into[i] as number);
  }
}

const sortCpus = (row: Int32Array): void => {
  for (let i = CPU0 + 1; i < row.length; i++) {
    const part = row[i] as number;
    let at = i;
    for (; at > CPU0 && (row[at - 1] as number) > part; at--) row[at] = row[at - 1] as number;
    row[at] = part;
  }
};
