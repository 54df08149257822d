/** A WebAssembly memory, as far as it is used: it grows where it lies. */
type InPlace = { readonly buffer: ArrayBuffer; grow(pages: number): number };

const { WebAssembly } = globalThis as {
  readonly WebAssembly?: {
    readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => InPlace;
  };
};

const PAGE = 2 ** 16;
const MOST_PAGES = 2 ** 16;

/** From so many bytes on a list grows in place: while it is copied it needs its memory twice. */
const IN_PLACE = 2 ** 23;
/** By which part of itself it then grows. */
const PART = 1 / 16;

/** A list of 32-bit numbers that grows; kept in one typed array so that a million of them cost four megabytes. */
export class GrowingInt32 {
  #array: Int32Array;
  #length = 0;
  #memory: InPlace | undefined;

  constructor(capacity = 1024) {
    this.#array = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes that are used; what is only reserved needs no memory yet. */
  get bytes(): number {
    return 4 * this.#length;
  }

  /** The array behind the list; it is replaced when the list grows, and the one before is not to be used any more. */
  get array(): Int32Array {
    return this.#array;
  }

  /** Makes room for `more` further numbers and returns the array behind the list. */
  reserve(more: number): Int32Array {
    const needed = this.#length + more;
    if (needed > this.#array.length && !this.#growInPlace(needed)) {
      const grown = new Int32Array(Math.max(needed, this.#array.length * 2));
      grown.set(this.#array);
      this.#array = grown;
      this.#memory = undefined;
    }
    return this.#array;
  }

  /** Whether the list is so long that it grows where it lies, and could. */
  #growInPlace(needed: number): boolean {
    const now = this.#array.byteLength;
    if (WebAssembly === undefined || now < IN_PLACE) return false;
    const pages = Math.ceil(Math.max(4 * needed, now * (1 + PART)) / PAGE);
    try {
      if (this.#memory === undefined) {
        this.#memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES });
        new Int32Array(this.#memory.buffer).set(this.#array);
      } else this.#memory.grow(pages - this.#memory.buffer.byteLength / PAGE);
    } catch (error) {
      // There is no address space for it, or it would be longer than such a memory can be.
      if (error instanceof RangeError) return false;
      throw error;
    }
    this.#array = new Int32Array(this.#memory.buffer);
    return true;
  }

  push(value: number): void {
    this.reserve(1)[this.#length++] = value;
  }

  get(index: number): number {
    return this.#array[index] as number;
  }

  set(index: number, value: number): void {
    this.#array[index] = value;
  }

  /** Counts `more` numbers as added that were written into the reserved array. */
  added(more: number): void {
    this.#length += more;
  }
}
