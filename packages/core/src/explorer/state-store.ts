import { GrowingInt32 } from "./growing.js";

/** Bits of a hash that choose a segment: the uppermost. */
const SEGMENT_BITS = 6;
const SEGMENTS = 1 << SEGMENT_BITS;
/** Slots of a segment at first. */
const SLOTS = 64;
/** A segment is doubled when it is this full; each at another time, so that the table grows evenly, as what it holds does. */
const [LEAST_FULL, MOST_FULL] = [0.4, 0.8];

/** A part of the table: for each slot a state's number and 1, or 0, and its hash. */
class Segment {
  slots = new Int32Array(2 * SLOTS);
  mask = SLOTS - 1;
  count = 0;
  readonly #full: number;

  constructor(index: number) {
    this.#full = LEAST_FULL * (MOST_FULL / LEAST_FULL) ** (index / SEGMENTS);
  }

  added(): void {
    if (++this.count > this.#full * (this.mask + 1)) this.#grow();
  }

  #grow(): void {
    const old = this.slots;
    const mask = 2 * this.mask + 1;
    const slots = new Int32Array(2 * (mask + 1));
    for (let place = 0; place < old.length; place += 2) {
      if (old[place] === 0) continue;
      let slot = (old[place + 1] as number) & mask;
      while (slots[2 * slot] !== 0) slot = (slot + 1) & mask;
      slots[2 * slot] = old[place] as number;
      slots[2 * slot + 1] = old[place + 1] as number;
    }
    this.slots = slots;
    this.mask = mask;
  }
}

/**
 * The set of states seen: rows of a fixed number of 32-bit integers, numbered from 0 in order of arrival. Storage is exact: rows
 * are compared as a whole, hashes only find them, and tell most other rows apart without looking at them.
 */
export class StateStore {
  readonly #rows: GrowingInt32;
  readonly #segments: readonly Segment[] = Array.from({ length: SEGMENTS }, (_, i) => new Segment(i));
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

  /** Bytes that are used. */
  get bytes(): number {
    return this.#rows.bytes + this.#segments.reduce((sum, { slots }) => sum + slots.byteLength, 0);
  }

  /** The rows one after the other; the array is replaced when states are added, and the one before is not to be used any more. */
  get rows(): Int32Array {
    return this.#rows.array;
  }

  /** The number of a state, or -1 when it is not in the set. */
  find(row: Int32Array): number {
    const hash = hashOf(row, 0, this.width);
    const segment = this.#segmentOf(hash);
    return (segment.slots[this.#placeOf(segment, row, hash)] as number) - 1;
  }

  /** The number of a state; when it is new it is added, and the answer is `~number`. */
  add(row: Int32Array): number {
    const hash = hashOf(row, 0, this.width);
    const segment = this.#segmentOf(hash);
    const place = this.#placeOf(segment, row, hash);
    const entry = segment.slots[place] as number;
    if (entry !== 0) return entry - 1;
    const number = this.#count++;
    segment.slots[place] = number + 1;
    segment.slots[place + 1] = hash;
    this.#rows.reserve(this.width).set(row, number * this.width);
    this.#rows.added(this.width);
    segment.added();
    return ~number;
  }

  #segmentOf(hash: number): Segment {
    return this.#segments[hash >>> (32 - SEGMENT_BITS)] as Segment;
  }

  /** The place in a segment that holds this row, or the free one where it belongs. */
  #placeOf({ slots, mask }: Segment, row: Int32Array, hash: number): number {
    const width = this.width;
    const rows = this.#rows.array;
    let slot = hash & mask;
    for (let entry = slots[2 * slot] as number; entry !== 0; entry = slots[2 * slot] as number) {
      if (slots[2 * slot + 1] === hash) {
        const base = (entry - 1) * width;
        let i = 0;
        while (i < width && rows[base + i] === row[i]) i++;
        if (i === width) break;
      }
      slot = (slot + 1) & mask;
    }
    return 2 * slot;
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
