/** A list of 32-bit numbers that grows; kept in one typed array so that a million of them cost four megabytes. */
export class GrowingInt32 {
  #array: Int32Array;
  #length = 0;

  constructor(capacity = 1024) {
    this.#array = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes that are allocated. */
  get bytes(): number {
    return this.#array.byteLength;
  }

  /** The array behind the list; it is replaced when the list grows. */
  get array(): Int32Array {
    return this.#array;
  }

  /** Makes room for `more` further numbers and returns the array behind the list. */
  reserve(more: number): Int32Array {
    const needed = this.#length + more;
    if (needed > this.#array.length) {
      const grown = new Int32Array(Math.max(needed, this.#array.length * 2));
      grown.set(this.#array);
      this.#array = grown;
    }
    return this.#array;
  }

  push(value: number): void {
    this.reserve(1)[this.#length++] = value;
  }

  get(index: number): number {
    return this.#array[index] as number;
  }

  /** Counts `more` numbers as added that were written into the reserved array. */
  added(more: number): void {
    this.#length += more;
  }
}
