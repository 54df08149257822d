import type { CpuState, MemoryState, ParkedState, Parts, ServicesState } from "../contract/state.js";
import { HashCons } from "./hash-cons.js";
import { Interner } from "./interner.js";

/** The parts of states by their numbers. */
export class InternedParts {
  readonly #cons = new HashCons();
  readonly cpu = new Interner<CpuState>(this.#cons);
  readonly memory = new Interner<MemoryState>(this.#cons);
  readonly services = new Interner<ServicesState>(this.#cons);
  readonly parked = new Interner<ParkedState>(this.#cons);

  /** The number of a part of a state's part: the same for two of the same structure. */
  structure(value: object): number {
    return this.#cons.number(value);
  }

  /** The parts of these numbers; -1 is one that is left out. */
  of(cpu: number, memory: number, services: number, parked: number): Partial<Parts> & { cpu: CpuState } {
    return {
      cpu: this.cpu.value(cpu),
      ...(memory < 0 ? {} : { memory: this.memory.value(memory) }),
      ...(services < 0 ? {} : { services: this.services.value(services) }),
      ...(parked < 0 ? {} : { parked: this.parked.value(parked) }),
    };
  }
}
