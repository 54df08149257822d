/** A strict order over at most 31 events that grows: its transitive closure is kept. */
export class Order {
  /** By event, the set of those behind it. */
  readonly #after: Int32Array;

  constructor(of: number | Order) {
    this.#after = typeof of === "number" ? new Int32Array(of) : of.#after.slice();
  }

  has(a: number, b: number): boolean {
    return ((this.#after[a] as number) & (1 << b)) !== 0;
  }

  /** Puts `a` before `b`; false where that makes a cycle, after which the order is of no more use. */
  add(a: number, b: number): boolean {
    if (a === b || this.has(b, a)) return false;
    if (this.has(a, b)) return true;
    const more = (this.#after[b] as number) | (1 << b);
    for (let i = 0; i < this.#after.length; i++) if (i === a || this.has(i, a)) (this.#after[i] as number) |= more;
    return true;
  }

  addAll(pairs: Iterable<readonly [number, number]>): boolean {
    for (const [a, b] of pairs) if (!this.add(a, b)) return false;
    return true;
  }
}
