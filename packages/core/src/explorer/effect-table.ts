import type { Effect } from "../contract/effect.js";
import type { Observation } from "../contract/events.js";
import type { Property } from "../contract/property.js";
import type { Candidate } from "../machine/candidates.js";
import type { Machine } from "../machine/machine.js";
import { countedOf, type Judged, judge } from "../properties/judge.js";
import { irqRule, nmiRule } from "../services/interrupts.js";
import { CpuMemo } from "./cpu-memo.js";
import { GrowingInt32 } from "./growing.js";
import type { InternedParts } from "./interned-parts.js";
import { checkTouches } from "./looks-at.js";
import { CPU0, MEMORY, PARKED, SERVICES } from "./row.js";

/** What one effect is, for people: the rule, the step of the program, what was observed, which properties it breaks and why. */
export type EffectInfo = {
  readonly rule: string;
  readonly step: string | null;
  readonly observed: readonly Observation[];
  readonly broken: readonly Judged[];
  /** {@link Choice.candidate} */
  readonly candidate: number;
  /** {@link Choice.choice} */
  readonly choice: number;
};

/** The effects of the steps of a search, numbered one after the other: what they set, and what they break. */
export class EffectTable {
  readonly #parts: InternedParts;
  readonly #properties: readonly Property[];
  readonly #maps: CpuMemo;

  // New part numbers, or -1 where the effect leaves the part as it is; then maps over the CPUs, or -1; then bits of what it breaks.
  readonly #cpu = new GrowingInt32();
  readonly #memory = new GrowingInt32();
  readonly #services = new GrowingInt32();
  readonly #parked = new GrowingInt32();
  readonly #every = new GrowingInt32();
  readonly #others = new GrowingInt32();
  readonly #broken = new GrowingInt32();
  readonly #outside = new GrowingInt32();
  readonly #candidate = new GrowingInt32();
  readonly #infos: EffectInfo[] = [];

  /** `development` checks what maps touch. */
  constructor(machine: Machine, parts: InternedParts, properties: readonly Property[], development: boolean) {
    this.#parts = parts;
    this.#properties = properties;
    this.#maps = new CpuMemo(({ id, args }, cpu) => {
      const map = machine.map(id);
      if (development) checkTouches(map, parts.cpu.value(cpu), args, machine);
      return parts.cpu.id(map.apply(parts.cpu.value(cpu), args, machine));
    });
  }

  /** How many effects there are. */
  get size(): number {
    return this.#infos.length;
  }

  /** Adds an effect of the candidate of a number; `place` says which of its CPU's steps and of its own outcomes it is. */
  add(
    number: number,
    { rule, step }: Candidate,
    place: Pick<EffectInfo, "candidate" | "choice">,
    effect: Effect,
  ): void {
    const { cpu, memory, services, parked } = effect.set;
    this.#cpu.push(cpu === undefined ? -1 : this.#parts.cpu.id(cpu));
    this.#memory.push(memory === undefined ? -1 : this.#parts.memory.id(memory));
    this.#services.push(services === undefined ? -1 : this.#parts.services.id(services));
    this.#parked.push(parked === undefined ? -1 : this.#parts.parked.id(parked));
    this.#every.push(effect.everyCpu === undefined ? -1 : this.#maps.number(effect.everyCpu));
    this.#others.push(effect.otherCpus === undefined ? -1 : this.#maps.number(effect.otherCpus));
    this.#candidate.push(number);
    this.#outside.push(rule === irqRule || rule === nmiRule ? 1 : 0);
    const observed = effect.observed ?? [];
    const broken = judge(observed, this.#properties);
    this.#broken.push(this.#bitsOf(broken));
    this.#infos.push({ rule: rule.id, step, observed, broken, ...place });
  }

  #bitsOf(judged: readonly Judged[]): number {
    return this.#properties.reduce(
      (bits, { id }, i) => (judged.some(({ property }) => property === id) ? bits | (1 << i) : bits),
      0,
    );
  }

  /** Bits of the properties among `active` that an effect breaks, without those that are only a consequence of others among these. */
  countedBits(effect: number, active: number): number {
    if ((this.brokenBy(effect) & active) === 0) return 0;
    const counts = new Set(this.#properties.flatMap(({ id }, i) => ((active & (1 << i)) === 0 ? [] : [id])));
    return this.#bitsOf(countedOf(this.info(effect).broken, (id) => counts.has(id)).broken);
  }

  /** What an effect is, for people. */
  info(effect: number): EffectInfo {
    return this.#infos[effect] as EffectInfo;
  }

  /** All effects that were taken. */
  get infos(): readonly EffectInfo[] {
    return this.#infos;
  }

  /** The candidate that an effect is an outcome of. */
  candidateOf(effect: number): number {
    return this.#candidate.get(effect);
  }

  /** Whether an effect is the arrival of an interrupt from outside. */
  isFromOutside(effect: number): boolean {
    return this.#outside.get(effect) !== 0;
  }

  /** Bits of the properties that an effect breaks. */
  brokenBy(effect: number): number {
    return this.#broken.get(effect);
  }

  /** The part that an effect gives the CPU that acts, or -1 where it leaves that as it is. */
  cpuAfter(effect: number): number {
    return this.#cpu.get(effect);
  }

  /** The memory part that an effect sets, or -1. */
  memoryAfter(effect: number): number {
    return this.#memory.get(effect);
  }

  /** The services part that an effect sets, or -1. */
  servicesAfter(effect: number): number {
    return this.#services.get(effect);
  }

  /** The parked part that an effect sets, or -1. */
  parkedAfter(effect: number): number {
    return this.#parked.get(effect);
  }

  /** The number of the map that an effect applies to every CPU's part once the acting one is set, or -1. */
  everyMap(effect: number): number {
    return this.#every.get(effect);
  }

  /** The number of the map that an effect applies to the parts of the other CPUs, behind the one for all, or -1. */
  othersMap(effect: number): number {
    return this.#others.get(effect);
  }

  /** What the map of a number makes of a CPU part; -1 leaves it as it is. */
  mapped(map: number, cpu: number): number {
    return map < 0 ? cpu : this.#maps.value(map, cpu);
  }

  /** Whether an effect changes the parts of other CPUs. */
  mapsCpus(effect: number): boolean {
    return this.#every.get(effect) >= 0 || this.#others.get(effect) >= 0;
  }

  /** Whether an effect changes more than the part of the CPU that acts. */
  writesShared(effect: number): boolean {
    return (
      this.#memory.get(effect) >= 0 ||
      this.#services.get(effect) >= 0 ||
      this.#parked.get(effect) >= 0 ||
      this.mapsCpus(effect)
    );
  }

  /** Writes the successor by an effect of the CPU in `column` into `into`. */
  successor(effect: number, rows: Int32Array, base: number, width: number, column: number, into: Int32Array): void {
    for (let i = 0; i < width; i++) into[i] = rows[base + i] as number;
    const cpu = this.#cpu.get(effect);
    if (cpu >= 0) into[column] = cpu;
    const memory = this.#memory.get(effect);
    if (memory >= 0) into[MEMORY] = memory;
    const services = this.#services.get(effect);
    if (services >= 0) into[SERVICES] = services;
    const parked = this.#parked.get(effect);
    if (parked >= 0) into[PARKED] = parked;
    const every = this.#every.get(effect);
    if (every >= 0) for (let i = CPU0; i < width; i++) into[i] = this.#maps.value(every, into[i] as number);
    const others = this.#others.get(effect);
    if (others >= 0)
      for (let i = CPU0; i < width; i++) if (i !== column) into[i] = this.#maps.value(others, into[i] as number);
  }
}
