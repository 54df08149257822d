import { running } from "../contract/state.js";
import type { Candidate } from "../machine/candidates.js";
import type { Machine } from "../machine/machine.js";
import { CpuMemo } from "./cpu-memo.js";
import { GrowingInt32 } from "./growing.js";
import type { InternedParts } from "./interned-parts.js";
import { CPU0 } from "./row.js";

/** Bits of the shared parts that a candidate reads. */
export const READS = { memory: 1, services: 2, parked: 4 } as const;

/** The steps that the CPU parts of a search could take, numbered one after the other: those of a part are a range. */
export class CandidateTable {
  readonly #parts: InternedParts;
  readonly #machine: Machine;
  readonly #all: Candidate[] = [];

  // By the number of a CPU part.
  readonly #first = new GrowingInt32();
  readonly #count = new GrowingInt32();
  readonly #urgent = new GrowingInt32();
  readonly #next = new GrowingInt32();

  // By the number of a candidate.
  readonly #reads = new GrowingInt32();
  readonly #guard = new GrowingInt32();
  readonly #cpu = new GrowingInt32();
  readonly #guards: CpuMemo;

  constructor(machine: Machine, parts: InternedParts) {
    this.#machine = machine;
    this.#parts = parts;
    this.#guards = new CpuMemo(({ id, args }, cpu) =>
      machine.predicate(id).holds(parts.cpu.value(cpu), args, machine) ? 1 : 0,
    );
  }

  /** The first candidate of a CPU part. */
  first(cpu: number): number {
    while (this.#first.length <= cpu) this.#list(this.#first.length);
    return this.#first.get(cpu);
  }

  /** How many candidates a CPU part has; ask for the first one before. */
  count(cpu: number): number {
    return this.#count.get(cpu);
  }

  /** The urgent candidate of a CPU part, or -1. */
  urgent(cpu: number): number {
    this.first(cpu);
    return this.#urgent.get(cpu);
  }

  /** The candidate of a CPU part that is the next step of the program it runs, or -1. */
  next(cpu: number): number {
    this.first(cpu);
    return this.#next.get(cpu);
  }

  /** The candidate of a number. */
  candidate(number: number): Candidate {
    return this.#all[number] as Candidate;
  }

  /** The CPU part that a candidate is a step of. */
  cpuOf(candidate: number): number {
    return this.#cpu.get(candidate);
  }

  /** The place of a candidate among those of its CPU part. */
  placeOf(candidate: number): number {
    return candidate - this.#first.get(this.cpuOf(candidate));
  }

  /** What a candidate reads: bits of {@link READS}. */
  readsOf(candidate: number): number {
    return this.#reads.get(candidate);
  }

  /** Whether a candidate waits for something of every CPU. */
  isGuarded(candidate: number): boolean {
    return this.#guard.get(candidate) >= 0;
  }

  /** The number of the guard of a candidate, or -1. */
  guardOf(candidate: number): number {
    return this.#guard.get(candidate);
  }

  /** Whether the guard of a number holds for one CPU part. */
  guardHolds(guard: number, cpu: number): boolean {
    return this.#guards.value(guard, cpu) !== 0;
  }

  /** Whether the guard of a candidate that has one holds for one CPU part. */
  holdsFor(candidate: number, cpu: number): boolean {
    return this.#guards.value(this.#guard.get(candidate), cpu) !== 0;
  }

  /** Whether the guard of a candidate holds in the state whose row starts at `base`. */
  enabled(candidate: number, rows: Int32Array, base: number, width: number): boolean {
    const guard = this.#guard.get(candidate);
    if (guard < 0) return true;
    for (let column = CPU0; column < width; column++) {
      if (this.#guards.value(guard, rows[base + column] as number) === 0) return false;
    }
    return true;
  }

  #list(cpu: number): void {
    const part = this.#parts.cpu.value(cpu);
    const found = this.#machine.candidates(part);
    const first = this.#all.length;
    this.#first.push(first);
    this.#count.push(found.length);
    // The step of the running context is the first that a CPU could take.
    this.#next.push(running(part)?.code.run === "program" && found.length > 0 ? first : -1);
    const urgent = found.findIndex((candidate) => candidate.urgent);
    this.#urgent.push(urgent < 0 ? -1 : first + urgent);
    for (const candidate of found) {
      this.#all.push(candidate);
      let reads = 0;
      for (const part of candidate.rule.reads) if (part !== "cpu") reads |= READS[part];
      this.#reads.push(reads);
      this.#guard.push(candidate.guard === null ? -1 : this.#guards.number(candidate.guard));
      this.#cpu.push(cpu);
    }
  }
}
