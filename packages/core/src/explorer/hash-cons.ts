import type { Data } from "../base/data.js";
import { Tuples } from "./tuples.js";

/** The names that an object holds, in the order in which it holds them. */
class Shape {
  readonly #names: readonly string[];
  readonly #numbers: Map<string, number>;
  readonly #longer = new Map<string, Shape>();
  /** The same for all orders of the same names. */
  readonly number: number;
  /** The places of the names in the order that stands for all; null where they are in it. */
  readonly order: readonly number[] | null;

  constructor(names: readonly string[], numbers: Map<string, number>) {
    this.#names = names;
    this.#numbers = numbers;
    const sorted = [...names].sort();
    const key = JSON.stringify(sorted);
    this.number = numbers.get(key) ?? numbers.size;
    numbers.set(key, this.number);
    this.order = sorted.every((name, i) => name === names[i]) ? null : sorted.map((name) => names.indexOf(name));
  }

  /** The shape with one more name behind the others. */
  with(name: string): Shape {
    let longer = this.#longer.get(name);
    if (longer === undefined) {
      longer = new Shape([...this.#names, name], this.#numbers);
      this.#longer.set(name, longer);
    }
    return longer;
  }
}

/** What stands in the tuple of an array where that of an object has the number of its shape. */
const ARRAY = -1;

/**
 * Numbers values by structure, from the leaves up: a value is the tuple of the numbers of what it holds, so it is short however deep
 * the value is. Numbers are of one instance; what it has seen goes with it.
 */
export class HashCons {
  readonly #tuples = new Tuples();
  readonly #leaves = new Map<Exclude<Data, object> | null, number>();
  readonly #empty = new Shape([], new Map());
  readonly #known = new WeakMap<object, number>();
  /** The tuples under way, that of a value behind that of its holder. */
  readonly #stack: number[] = [];

  /** The number of an object or array: the same for two if and only if they have the same structure. */
  number(value: object): number {
    const found = this.#known.get(value);
    if (found !== undefined) return found;
    const from = this.#stack.length;
    if (Array.isArray(value)) this.#pushArray(value);
    else this.#pushObject(value as { readonly [key: string]: Data });
    const number = this.#tuples.number(this.#stack, from);
    this.#stack.length = from;
    this.#known.set(value, number);
    return number;
  }

  /** Even for a value that holds no others, odd for one that does. */
  #of(value: Data): number {
    if (typeof value === "object" && value !== null) return 2 * this.number(value) + 1;
    let leaf = this.#leaves.get(value);
    if (leaf === undefined) {
      leaf = this.#leaves.size;
      this.#leaves.set(value, leaf);
    }
    return 2 * leaf;
  }

  #pushArray(array: readonly Data[]): void {
    this.#stack.push(ARRAY);
    for (const element of array) this.#stack.push(this.#of(element));
  }

  #pushObject(object: { readonly [key: string]: Data }): void {
    const stack = this.#stack;
    const from = stack.push(ARRAY);
    let shape = this.#empty;
    for (const name in object) {
      const value = object[name];
      if (value === undefined) continue;
      shape = shape.with(name);
      stack.push(this.#of(value));
    }
    stack[from - 1] = shape.number;
    const { order } = shape;
    if (order === null) return;
    const held = stack.slice(from);
    for (let i = 0; i < order.length; i++) stack[from + i] = held[order[i] as number] as number;
  }
}
