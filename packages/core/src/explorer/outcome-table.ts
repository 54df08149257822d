const FIELDS = 7;
const hashOf = (a: number, b: number, c: number, d: number): number => {
  let hash = Math.imul(a ^ 0x811c9dc5, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ b, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ c, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ d, 0x27d4eb2f);
  return hash ^ (hash >>> 15);
};

/**
 * The remembered outcomes of steps: from a candidate and the numbers of the shared parts that it reads (-1 for one that it does not)
 * to a range of effects. Keys are compared as a whole.
 */
export class OutcomeTable {
  #table = new Int32Array(FIELDS << 12);
  #mask = (1 << 12) - 1;
  #size = 0;

  /** How many outcomes are remembered. */
  get size(): number {
    return this.#size;
  }

  /** The place of an outcome, or -1. A place holds until the next {@link put}. */
  find(candidate: number, memory: number, services: number, parked: number): number {
    const table = this.#table;
    let slot = hashOf(candidate, memory, services, parked) & this.#mask;
    for (;;) {
      const at = FIELDS * slot;
      const entry = table[at] as number;
      if (entry === 0) return -1;
      if (
        entry === candidate + 1 &&
        table[at + 1] === memory &&
        table[at + 2] === services &&
        table[at + 3] === parked
      ) {
        return at;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Remembers an outcome that is not there yet, and tells its place. */
  put(candidate: number, memory: number, services: number, parked: number, first: number, count: number): number {
    if (++this.#size * 2 > this.#mask) this.#grow();
    const at = this.#free(candidate, memory, services, parked);
    this.#table.set([candidate + 1, memory, services, parked, first, count, 0], at);
    return at;
  }

  /** The first effect of the outcome at a place. */
  first(at: number): number {
    return this.#table[at + 4] as number;
  }

  /** The number of effects of the outcome at a place. */
  count(at: number): number {
    return this.#table[at + 5] as number;
  }

  /** The numbers of the shared parts of the outcome at a place. */
  parts(at: number): readonly [memory: number, services: number, parked: number] {
    return [this.#table[at + 1] as number, this.#table[at + 2] as number, this.#table[at + 3] as number];
  }

  /** What was noted about the outcome at a place; 0 when nothing was. */
  note(at: number): number {
    return this.#table[at + 6] as number;
  }

  /** Notes a number other than 0 about the outcome at a place. */
  setNote(at: number, note: number): void {
    this.#table[at + 6] = note;
  }

  #free(candidate: number, memory: number, services: number, parked: number): number {
    let slot = hashOf(candidate, memory, services, parked) & this.#mask;
    while (this.#table[FIELDS * slot] !== 0) slot = (slot + 1) & this.#mask;
    return FIELDS * slot;
  }

  #grow(): void {
    const old = this.#table;
    this.#mask = (this.#mask + 1) * 2 - 1;
    this.#table = new Int32Array(FIELDS * (this.#mask + 1));
    for (let at = 0; at < old.length; at += FIELDS) {
      if (old[at] === 0) continue;
      const [entry, memory, services, parked] = old.subarray(at, at + 4) as unknown as [number, number, number, number];
      this.#table.set(old.subarray(at, at + FIELDS), this.#free(entry - 1, memory, services, parked));
    }
  }
}
