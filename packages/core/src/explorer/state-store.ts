import { GrowingInt32 } from "./growing.js";

/**
 * The set of states seen: rows of a fixed number of 32-bit integers, numbered from 0 in order of arrival. Storage is exact: rows
 * are compared as a whole, hashes only find them.
 */
export class StateStore {
  readonly #rows: GrowingInt32;
  /** For each slot the state's number and 1, or 0, and its hash, by which most other rows are told apart without looking at them. */
  #table = new Int32Array(2 << 12);
  #mask = (1 << 12) - 1;
  #count = 0;
  readonly width: number;

  constructor(width: number) {
    this.width = width;
    this.#rows = new GrowingInt32(width << 10);
  }

  /** How many states there are. */
  get size(): number {
    return this.#count;
  }

  /** Bytes that are allocated. */
  get bytes(): number {
    return this.#rows.bytes + this.#table.byteLength;
  }

  /** The rows one after the other; the array is replaced when states are added. */
  get rows(): Int32Array {
    return this.#rows.array;
  }

  /** The number of a state, or -1 when it is not in the set. */
  find(row: Int32Array): number {
    return (this.#table[this.#placeOf(row, hashOf(row, 0, this.width))] as number) - 1;
  }

  /** The number of a state; when it is new it is added, and the answer is `~number`. */
  add(row: Int32Array): number {
    const hash = hashOf(row, 0, this.width);
    const place = this.#placeOf(row, hash);
    const entry = this.#table[place] as number;
    if (entry !== 0) return entry - 1;
    const number = this.#count++;
    this.#table[place] = number + 1;
    this.#table[place + 1] = hash;
    this.#rows.reserve(this.width).set(row, number * this.width);
    this.#rows.added(this.width);
    if (this.#count * 3 > this.#mask * 2) this.#grow();
    return ~number;
  }

  /** The place in the table that holds this row, or the free one where it belongs. */
  #placeOf(row: Int32Array, hash: number): number {
    const width = this.width;
    const rows = this.#rows.array;
    const mask = this.#mask;
    const table = this.#table;
    let slot = hash & mask;
    for (let entry = table[2 * slot] as number; entry !== 0; entry = table[2 * slot] as number) {
      if (table[2 * slot + 1] === hash) {
        const base = (entry - 1) * width;
        let i = 0;
        while (i < width && rows[base + i] === row[i]) i++;
        if (i === width) break;
      }
      slot = (slot + 1) & mask;
    }
    return 2 * slot;
  }

  #grow(): void {
    const old = this.#table;
    const mask = 2 * this.#mask + 1;
    const table = new Int32Array(2 * (mask + 1));
    for (let place = 0; place < old.length; place += 2) {
      if (old[place] === 0) continue;
      let slot = (old[place + 1] as number) & mask;
      while (table[2 * slot] !== 0) slot = (slot + 1) & mask;
      table[2 * slot] = old[place] as number;
      table[2 * slot + 1] = old[place + 1] as number;
    }
    this.#table = table;
    this.#mask = mask;
  }
}

/** The hash of the row of `width` numbers that starts at `base`. */
export const hashOf = (rows: Int32Array, base: number, width: number): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < width; i++) {
    hash = Math.imul(hash ^ (rows[base + i] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
};
