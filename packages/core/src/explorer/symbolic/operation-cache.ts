const FIELDS = 4;
const FIRST = 1 << 12;
/** It grows no further: 64 MB. */
const MOST = 1 << 22;

/** What operations on diagrams gave: each entry has one place, and the last that came there counts. */
export class OperationCache {
  #table = new Int32Array(FIELDS * FIRST);
  #mask = FIRST - 1;

  /** Bytes of the table. */
  get bytes(): number {
    return this.#table.byteLength;
  }

  /** The result for an operation and two numbers of 0 or more, or -1 where it is not known (any more). */
  find(operation: number, a: number, b: number): number {
    const table = this.#table;
    const at = FIELDS * this.#slot(operation, a, b);
    return table[at] === operation + 1 && table[at + 1] === a && table[at + 2] === b ? (table[at + 3] as number) : -1;
  }

  put(operation: number, a: number, b: number, result: number): void {
    const table = this.#table;
    const at = FIELDS * this.#slot(operation, a, b);
    table[at] = operation + 1;
    table[at + 1] = a;
    table[at + 2] = b;
    table[at + 3] = result;
  }

  /** Forgets everything. */
  clear(): void {
    this.#table.fill(0);
  }

  /** Makes room for about so many entries, a power of two; what was known stays so. */
  grow(entries: number): void {
    const size = Math.min(entries, MOST);
    if (size <= this.#mask + 1) return;
    const old = this.#table;
    this.#table = new Int32Array(FIELDS * size);
    this.#mask = size - 1;
    for (let at = 0; at < old.length; at += FIELDS)
      if (old[at] !== 0)
        this.put((old[at] as number) - 1, old[at + 1] as number, old[at + 2] as number, old[at + 3] as number);
  }

  #slot(operation: number, a: number, b: number): number {
    let hash = Math.imul(operation ^ 0x811c9dc5, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ a, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13) ^ b, 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & this.#mask;
  }
}
