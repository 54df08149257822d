import { GrowingInt32 } from "./growing.js";

/**
 * The set of states seen: rows of a fixed number of 32-bit integers, numbered from 0 in order of arrival. Storage is exact: rows
 * are compared as a whole, hashes only find them.
 */
export class StateStore {
  readonly #rows: GrowingInt32;
  #table = new Int32Array(1 << 12);
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
    return (this.#table[this.#slotOf(row)] as number) - 1;
  }

  /** The number of a state; when it is new it is added, and the answer is `~number`. */
  add(row: Int32Array): number {
    const slot = this.#slotOf(row);
    const entry = this.#table[slot] as number;
    if (entry !== 0) return entry - 1;
    const number = this.#count++;
    this.#table[slot] = number + 1;
    this.#rows.reserve(this.width).set(row, number * this.width);
    this.#rows.added(this.width);
    if (this.#count * 2 > this.#mask) this.#grow();
    return ~number;
  }

  /** The slot that holds this row, or the free one where it belongs. */
  #slotOf(row: Int32Array): number {
    const width = this.width;
    const rows = this.#rows.array;
    const mask = this.#mask;
    const table = this.#table;
    let slot = hashOf(row, 0, width) & mask;
    for (let entry = table[slot] as number; entry !== 0; entry = table[slot] as number) {
      const base = (entry - 1) * width;
      let i = 0;
      while (i < width && rows[base + i] === row[i]) i++;
      if (i === width) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const mask = size - 1;
    const table = new Int32Array(size);
    const rows = this.#rows.array;
    const width = this.width;
    for (let number = 0; number < this.#count; number++) {
      let slot = hashOf(rows, number * width, width) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = number + 1;
    }
    this.#table = table;
    this.#mask = mask;
  }
}

const hashOf = (rows: Int32Array, base: number, width: number): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < width; i++) {
    hash = Math.imul(hash ^ (rows[base + i] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
};
