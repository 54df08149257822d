import { OperationCache } from "./operation-cache.js";

/** The diagram of no vector. */
export const NONE = 0;
/** The diagram of the one vector of length 0. */
export const END = 1;

const UNION = 0;
const MINUS = 1;
const COMMON = 2;
/** The first operation number that {@link Diagrams.operation} gives. */
const FIRST_OPERATION = 3;

/** So many nodes are there before any is given up. */
const FIRST_COLLECTION = 1 << 20;

/**
 * Sets of vectors of small numbers as shared decision diagrams, one level for each place of the vectors. A node is the entry of a list: a
 * value, the diagram of what may come behind it (`down`), and the entry with the next smaller value (`right`). Equal sets have equal
 * numbers. Lists are in descending order, so that values that were numbered last stand in front and the rest of a list is shared; they may be
 * tens of thousands long, so that nothing here recurs along them.
 */
export class Diagrams {
  #value = new Int32Array(1 << 12);
  #down = new Int32Array(1 << 12);
  #right = new Int32Array(1 << 12);
  /** Nodes by hash; 0: free. Power of two, at most half full. */
  #slots = new Int32Array(1 << 13);
  #used = 2;
  #live = 2;
  /** The first of the nodes that were given up, linked by `right`; 0: none. */
  #free = 0;
  readonly #least: number;
  #collectAt: number;
  #operations = FIRST_OPERATION;
  readonly cache = new OperationCache();
  /** Pairs of nodes under way along lists. */
  readonly #stack: number[] = [];
  #counts = new Map<number, bigint>();
  readonly #kept = new Set<readonly number[]>();

  /** `least`: so many nodes are there before {@link Diagrams.tidy} gives up any. */
  constructor(least = FIRST_COLLECTION) {
    this.#least = least;
    this.#collectAt = least;
  }

  /** Nodes in use. */
  get size(): number {
    return this.#live;
  }

  /** Bytes of all tables. */
  get bytes(): number {
    return 3 * this.#value.byteLength + this.#slots.byteLength + this.cache.bytes;
  }

  /** A number for an operation of one's own in the {@link Diagrams.cache}. */
  operation(): number {
    return this.#operations++;
  }

  value(node: number): number {
    return this.#value[node] as number;
  }

  down(node: number): number {
    return this.#down[node] as number;
  }

  right(node: number): number {
    return this.#right[node] as number;
  }

  /** The list of an entry before `right`, whose values are smaller. */
  node(value: number, down: number, right: number): number {
    if (down === NONE) return right;
    const mask = this.#slots.length - 1;
    let slot = hashOf(value, down, right) & mask;
    for (;;) {
      const found = this.#slots[slot] as number;
      if (found === 0) break;
      if (this.#value[found] === value && this.#down[found] === down && this.#right[found] === right) return found;
      slot = (slot + 1) & mask;
    }
    const made = this.#make();
    this.#value[made] = value;
    this.#down[made] = down;
    this.#right[made] = right;
    this.#slots[slot] = made;
    this.#live++;
    if (2 * this.#live > this.#slots.length) this.#rehash(2 * this.#slots.length);
    return made;
  }

  /** The set of one vector. */
  vector(values: ArrayLike<number>): number {
    let node = END;
    for (let i = values.length - 1; i >= 0; i--) node = this.node(values[i] as number, node, NONE);
    return node;
  }

  /** The list of entries in any order, in which values may come again; the two arrays are sorted on the way. */
  list(values: readonly number[], downs: readonly number[]): number {
    const order = Array.from(values, (_, i) => i);
    order.sort((a, b) => (values[a] as number) - (values[b] as number));
    let list = NONE;
    for (let i = 0; i < order.length; ) {
      const value = values[order[i] as number] as number;
      let down = NONE;
      for (; i < order.length && values[order[i] as number] === value; i++)
        down = this.union(down, downs[order[i] as number] as number);
      list = this.node(value, down, list);
    }
    return list;
  }

  /** The vectors of either set. */
  union(a: number, b: number): number {
    return this.#merge(UNION, a, b);
  }

  /** The vectors of `a` that are not of `b`. */
  minus(a: number, b: number): number {
    return this.#merge(MINUS, a, b);
  }

  /** The vectors of both sets. */
  common(a: number, b: number): number {
    return this.#merge(COMMON, a, b);
  }

  #merge(operation: number, a: number, b: number): number {
    const stack = this.#stack;
    const from = stack.length;
    let left = a;
    let other = b;
    let result: number;
    for (;;) {
      result = known(operation, left, other);
      if (result >= 0) break;
      if (operation !== MINUS && left > other) [left, other] = [other, left];
      result = this.cache.find(operation, left, other);
      if (result >= 0) break;
      stack.push(left, other);
      const difference = (this.#value[left] as number) - (this.#value[other] as number);
      if (difference >= 0) left = this.#right[left] as number;
      if (difference <= 0) other = this.#right[other] as number;
    }
    while (stack.length > from) {
      other = stack.pop() as number;
      left = stack.pop() as number;
      const difference = (this.#value[left] as number) - (this.#value[other] as number);
      if (difference === 0) {
        const down = this.#merge(operation, this.#down[left] as number, this.#down[other] as number);
        result = this.node(this.#value[left] as number, down, result);
      } else if (difference > 0) {
        if (operation !== COMMON) result = this.node(this.#value[left] as number, this.#down[left] as number, result);
      } else if (operation === UNION) {
        result = this.node(this.#value[other] as number, this.#down[other] as number, result);
      }
      this.cache.put(operation, left, other, result);
    }
    return result;
  }

  /** Whether a set has a vector. */
  has(node: number, values: ArrayLike<number>, from: number): boolean {
    let at = node;
    for (let i = from; i < values.length; i++) {
      const wanted = values[i] as number;
      while (at !== NONE && (this.#value[at] as number) > wanted) at = this.#right[at] as number;
      if (at === NONE || this.#value[at] !== wanted) return false;
      at = this.#down[at] as number;
    }
    return at === END;
  }

  /** The vectors all of whose values satisfy `holds`; `operation` stands for that condition. */
  filter(operation: number, node: number, holds: (value: number) => boolean): number {
    if (node <= END) return node;
    const found = this.cache.find(operation, node, 0);
    if (found >= 0) return found;
    const entries: number[] = [];
    for (let at = node; at !== NONE; at = this.#right[at] as number)
      if (holds(this.#value[at] as number)) entries.push(at);
    let list = NONE;
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop())
      list = this.node(this.#value[entry] as number, this.filter(operation, this.#down[entry] as number, holds), list);
    this.cache.put(operation, node, 0, list);
    return list;
  }

  /** The vectors in which some value satisfies `holds`. */
  withSome(node: number, holds: (value: number) => boolean): number {
    return this.minus(
      node,
      this.filter(this.operation(), node, (value) => !holds(value)),
    );
  }

  /** The vectors whose value in a place, counted from 0, satisfies `holds`; `operation` stands for the place and that condition. */
  withAt(operation: number, node: number, place: number, holds: (value: number) => boolean): number {
    if (node <= END) return NONE;
    const found = this.cache.find(operation, node, place);
    if (found >= 0) return found;
    const entries: number[] = [];
    for (let at = node; at !== NONE; at = this.#right[at] as number)
      if (place > 0 || holds(this.#value[at] as number)) entries.push(at);
    let list = NONE;
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      const down = this.#down[entry] as number;
      const kept = place === 0 ? down : this.withAt(operation, down, place - 1, holds);
      list = this.node(this.#value[entry] as number, kept, list);
    }
    this.cache.put(operation, node, place, list);
    return list;
  }

  /** Tells every node of a set once, the ends left out; `seen` are those that were told before and are not told again. */
  each(node: number, seen: Set<number>, tell: (value: number) => void): void {
    const open = [node];
    for (let list = open.pop(); list !== undefined; list = open.pop()) {
      for (let at = list; at > END && !seen.has(at); at = this.#right[at] as number) {
        seen.add(at);
        tell(this.#value[at] as number);
        open.push(this.#down[at] as number);
      }
    }
  }

  /** How many vectors a set has. */
  count(node: number): bigint {
    if (node <= END) return BigInt(node);
    const known = this.#counts.get(node);
    if (known !== undefined) return known;
    const entries: number[] = [];
    let count = 0n;
    for (let at = node; at !== NONE; at = this.#right[at] as number) {
      const rest = this.#counts.get(at);
      if (rest !== undefined) {
        count = rest;
        break;
      }
      entries.push(at);
    }
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      count += this.count(this.#down[entry] as number);
      this.#counts.set(entry, count);
    }
    return count;
  }

  /** The vectors of a set, in descending order; each is a new array. */
  *vectors(node: number): Generator<readonly number[]> {
    if (node === END) yield [];
    for (let at = node === END ? NONE : node; at !== NONE; at = this.#right[at] as number)
      for (const rest of this.vectors(this.#down[at] as number)) yield [this.#value[at] as number, ...rest];
  }

  /** Keeps the diagrams of these lists, whatever they hold by then, from {@link Diagrams.tidy}, until they are released. */
  keep(...all: readonly (readonly number[])[]): void {
    for (const sets of all) this.#kept.add(sets);
  }

  release(...all: readonly (readonly number[])[]): void {
    for (const sets of all) this.#kept.delete(sets);
  }

  /** Where so many nodes were made that it is time, gives up all but those that are kept: no other is to be used any more. */
  tidy(): void {
    if (this.#live > this.#collectAt) this.#collect();
  }

  /** Gives up all nodes but those of the diagrams that are kept. */
  #collect(): void {
    const marked = new Uint8Array(this.#used);
    const open = [...this.#kept].flatMap((sets) => sets.filter((set) => set !== undefined));
    for (let list = open.pop(); list !== undefined; list = open.pop()) {
      for (let at = list; at > END && marked[at] === 0; at = this.#right[at] as number) {
        marked[at] = 1;
        open.push(this.#down[at] as number);
      }
    }
    this.#free = 0;
    this.#live = 2;
    for (let node = this.#used - 1; node > END; node--) {
      if (marked[node] === 1) {
        this.#live++;
        continue;
      }
      this.#value[node] = GIVEN_UP;
      this.#right[node] = this.#free;
      this.#free = node;
    }
    this.#collectAt = Math.max(this.#least, 2 * this.#live);
    this.cache.clear();
    this.#counts = new Map();
    this.#rehash(this.#slots.length);
  }

  #make(): number {
    if (this.#free !== 0) {
      const node = this.#free;
      this.#free = this.#right[node] as number;
      return node;
    }
    if (this.#used === this.#value.length) {
      this.#value = longer(this.#value);
      this.#down = longer(this.#down);
      this.#right = longer(this.#right);
      this.cache.grow(this.#value.length);
    }
    return this.#used++;
  }

  #rehash(length: number): void {
    this.#slots = new Int32Array(length);
    const mask = length - 1;
    for (let node = 2; node < this.#used; node++) {
      const value = this.#value[node] as number;
      if (value === GIVEN_UP) continue;
      let slot = hashOf(value, this.#down[node] as number, this.#right[node] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = node;
    }
  }
}

const GIVEN_UP = -1;

const longer = (array: Int32Array): Int32Array<ArrayBuffer> => {
  const grown = new Int32Array(2 * array.length);
  grown.set(array);
  return grown;
};

const hashOf = (value: number, down: number, right: number): number => {
  let hash = Math.imul(value ^ 0x811c9dc5, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ down, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ right, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

/** What is known of an operation without a look at the lists; -1 where nothing is. Vectors are equally long, so END meets itself. */
const known = (operation: number, a: number, b: number): number => {
  if (operation === UNION) return a === b || b === NONE ? a : a === NONE ? b : -1;
  if (operation === MINUS) return a === b || a === NONE ? NONE : b === NONE ? a : -1;
  return a === b ? a : a === NONE || b === NONE ? NONE : -1;
};
