import { GrowingInt32 } from "./growing.js";

/** The hash of the tuple that `array` holds from `from` up to its end. */
export const hashOf = (array: readonly number[], from: number): number => {
  let hash = array.length - from;
  for (let i = from; i < array.length; i++) {
    hash = Math.imul(hash ^ (array[i] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
};

/** Numbers tuples of 32-bit numbers, from 0 in order of arrival. Tuples are compared as a whole. */
export class Tuples {
  /** All tuples, one behind the other. */
  readonly #numbers = new GrowingInt32();
  /** Where each tuple starts, and where the next one will. */
  readonly #starts = new GrowingInt32();
  /** The hash of each tuple. */
  readonly #hashes = new GrowingInt32();
  /** A tuple's number and 1, or 0 where the slot is free. */
  #slots = new Int32Array(1 << 12);

  constructor() {
    this.#starts.push(0);
  }

  /** How many different tuples there are. */
  get size(): number {
    return this.#starts.length - 1;
  }

  /** The number of the tuple that `array` holds from `from` up to its end. */
  number(array: readonly number[], from: number): number {
    const hash = hashOf(array, from);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = this.#slots[slot] as number;
      if (entry === 0) break;
      if (this.#hashes.get(entry - 1) === hash && this.#is(entry - 1, array, from)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(hash, slot, array, from);
  }

  #is(tuple: number, array: readonly number[], from: number): boolean {
    const start = this.#starts.get(tuple);
    const length = array.length - from;
    if (this.#starts.get(tuple + 1) - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.#numbers.get(start + i) !== array[from + i]) return false;
    return true;
  }

  #add(hash: number, slot: number, array: readonly number[], from: number): number {
    const tuple = this.size;
    for (let i = from; i < array.length; i++) this.#numbers.push(array[i] as number);
    this.#starts.push(this.#numbers.length);
    this.#hashes.push(hash);
    this.#slots[slot] = tuple + 1;
    if (this.size * 2 > this.#slots.length) this.#grow();
    return tuple;
  }

  #grow(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1);
    for (let tuple = 0; tuple < this.size; tuple++) {
      let slot = this.#hashes.get(tuple) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = tuple + 1;
    }
  }
}
