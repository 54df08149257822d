import type {
  Candidate,
  CpuState,
  Data,
  Effect,
  Machine,
  MemoryState,
  ParkedState,
  Property,
  ServicesState,
} from "@cmodx/core";
import { keyOf } from "@cmodx/core";

/*
 * Every state of a scenario by the definition of the machine: no reduction, no declared footprint, no table of the explorer. What a rule
 * answers is remembered for the whole state but the other CPUs, which it never sees.
 */

/** A whole state, its parts as numbers of a table. */
type Row = readonly number[];

/** One transition: who took which step, and where it leads. */
export type Edge = {
  readonly from: number;
  readonly to: number;
  readonly cpu: number;
  readonly candidate: Candidate;
  readonly effect: Effect;
};

/** The parts of a state. */
export type View = {
  readonly memory: MemoryState;
  readonly services: ServicesState;
  readonly parked: ParkedState;
  readonly cpus: readonly CpuState[];
};

/** A state has more states behind it than were asked for. */
export class TooManyStates extends Error {}

const MEMORY = 0;
const SERVICES = 1;
const PARKED = 2;
const CPU0 = 3;

/** The reachable states of a machine, up to the first violation on each way, and what breaks there. */
export class StateGraph {
  readonly machine: Machine;
  /** Ids of the properties that break somewhere. */
  readonly broken = new Set<string>();
  /** Steps to the nearest violation; 0 where there is none. */
  shortest = 0;
  readonly edges: (readonly Edge[])[] = [];
  readonly depths: number[] = [0];
  readonly #judges: readonly Property[];
  readonly #rows: Row[] = [];
  readonly #states = new Map<string, number>();
  readonly #parts: object[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #answers = new Map<string, readonly Effect[]>();
  readonly #candidates = new Map<number, readonly Candidate[]>();
  readonly #holds = new Map<string, boolean>();
  readonly #mapped = new Map<string, number>();

  /** Throws {@link TooManyStates} when there are more than `most`. */
  constructor(machine: Machine, judges: readonly Property[], most: number) {
    this.machine = machine;
    this.#judges = judges;
    const { memory, services, parked, cpus } = machine.initial();
    this.#number([memory, services, parked, ...cpus].map((part) => this.#part(part)));
    for (let state = 0; state < this.#rows.length; state++) {
      if (this.#rows.length > most) throw new TooManyStates();
      this.edges.push(this.#expand(state));
    }
  }

  /** How many states there are. */
  get size(): number {
    return this.#rows.length;
  }

  /** The parts of a state. */
  view(state: number): View {
    const [memory, services, parked, ...cpus] = (this.#rows[state] as Row).map((part) => this.#parts[part]);
    return { memory, services, parked, cpus } as View;
  }

  /** The steps that a CPU in this state could take, with the outcomes that each has now: none where it is blocked. */
  steps(state: number, cpu: number): readonly (readonly [Candidate, readonly Effect[]])[] {
    const row = this.#rows[state] as Row;
    const part = row[CPU0 + cpu] as number;
    return this.#candidatesOf(part).map((candidate, i) => {
      const { guard } = candidate;
      const open = guard === null || row.slice(CPU0).every((other) => this.#satisfies(guard, other));
      return [candidate, open ? this.#outcomes(row, part, candidate, i) : []] as const;
    });
  }

  #expand(state: number): readonly Edge[] {
    const found: Edge[] = [];
    const row = this.#rows[state] as Row;
    for (let cpu = 0; cpu < row.length - CPU0; cpu++) {
      for (const [candidate, effects] of this.steps(state, cpu)) {
        for (const effect of effects) {
          if (this.#breaks(effect, state)) continue;
          const to = this.#number(this.#after(row, cpu, effect));
          this.depths[to] ??= (this.depths[state] as number) + 1;
          found.push({ from: state, to, cpu, candidate, effect });
        }
      }
    }
    return found;
  }

  /** Whether an effect breaks something: nothing is looked at behind it. What is only a consequence of something else is not counted. */
  #breaks({ observed = [] }: Effect, state: number): boolean {
    const found = observed.flatMap((seen) =>
      this.#judges.flatMap((property) =>
        property.judge(seen) === undefined
          ? []
          : [{ property, at: "at" in seen.detail ? seen.detail.at : undefined, id: property.id }],
      ),
    );
    const broken = found.filter(
      ({ property, at }) =>
        !found.some((cause) => cause.at === at && property.consequenceOf?.includes(cause.id) === true),
    );
    for (const { id } of broken) this.broken.add(id);
    if (broken.length > 0 && this.shortest === 0) this.shortest = (this.depths[state] as number) + 1;
    return broken.length > 0;
  }

  #candidatesOf(part: number): readonly Candidate[] {
    let found = this.#candidates.get(part);
    if (found === undefined) {
      found = this.machine.candidates(this.#parts[part] as CpuState);
      this.#candidates.set(part, found);
    }
    return found;
  }

  #satisfies({ id, args }: NonNullable<Candidate["guard"]>, part: number): boolean {
    const key = `${id} ${keyOf(args)} ${part}`;
    let holds = this.#holds.get(key);
    if (holds === undefined) {
      holds = this.machine.predicate(id).holds(this.#parts[part] as CpuState, args, this.machine);
      this.#holds.set(key, holds);
    }
    return holds;
  }

  #outcomes(row: Row, part: number, { rule, args }: Candidate, place: number): readonly Effect[] {
    const key = `${part} ${place} ${row.slice(0, CPU0).join()}`;
    let effects = this.#answers.get(key);
    if (effects === undefined) {
      const [memory, services, parked] = row.slice(0, CPU0).map((each) => this.#parts[each]);
      const parts = { cpu: this.#parts[part], memory, services, parked } as Parameters<typeof rule.apply>[0];
      effects = rule.apply(parts, args, this.machine);
      this.#answers.set(key, effects);
    }
    return effects;
  }

  #after(row: Row, cpu: number, { set, everyCpu, otherCpus }: Effect): Row {
    const cpus = row.slice(CPU0).map((part, i) => {
      let after = i === cpu && set.cpu !== undefined ? this.#part(set.cpu) : part;
      if (everyCpu !== undefined) after = this.#map(everyCpu, after);
      if (otherCpus !== undefined && i !== cpu) after = this.#map(otherCpus, after);
      return after;
    });
    const shared = (part: object | undefined, at: number): number =>
      part === undefined ? (row[at] as number) : this.#part(part);
    return [shared(set.memory, MEMORY), shared(set.services, SERVICES), shared(set.parked, PARKED), ...cpus];
  }

  #map({ id, args }: NonNullable<Effect["everyCpu"]>, part: number): number {
    const key = `${id} ${keyOf(args)} ${part}`;
    let after = this.#mapped.get(key);
    if (after === undefined) {
      after = this.#part(this.machine.map(id).apply(this.#parts[part] as CpuState, args, this.machine));
      this.#mapped.set(key, after);
    }
    return after;
  }

  #part(value: object): number {
    const key = keyOf(value as Data);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#parts.length;
      this.#numbers.set(key, number);
      this.#parts.push(value);
    }
    return number;
  }

  #number(row: Row): number {
    const key = row.join();
    let number = this.#states.get(key);
    if (number === undefined) {
      number = this.#rows.length;
      this.#states.set(key, number);
      this.#rows.push(row);
    }
    return number;
  }
}
