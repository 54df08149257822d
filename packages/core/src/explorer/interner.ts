import type { Data } from "../base/data.js";
import { HashCons } from "./hash-cons.js";

/** Gives equal values the same small number, from 0 in order of arrival. */
export class Interner<T extends Data & object> {
  readonly #cons: HashCons;
  readonly #ids = new Map<number, number>();
  readonly #values: T[] = [];

  /** Interners of one search share what they know of the structure of values. */
  constructor(cons = new HashCons()) {
    this.#cons = cons;
  }

  /** The number of a value. */
  id(value: T): number {
    const key = this.#cons.number(value);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#values.length;
      this.#ids.set(key, id);
      this.#values.push(value);
    }
    return id;
  }

  /** The value of a number. */
  value(id: number): T {
    const value = this.#values[id];
    if (value === undefined) throw new Error(`No value has the number ${id}.`);
    return value;
  }

  /** How many different values there are. */
  get size(): number {
    return this.#values.length;
  }
}
