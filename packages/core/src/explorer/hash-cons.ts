import type { Data } from "../data.js";
import { leafKey } from "../key.js";

/**
 * Numbers values by structure, from the leaves up: a value's key is made of the numbers of what it holds, so it is short however deep
 * the value is. Numbers are of one instance; what it has seen goes with it.
 */
export class HashCons {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<string, string>();
  readonly #known = new WeakMap<object, number>();

  /** The number of an object or array: the same for two if and only if they have the same structure. */
  number(value: object): number {
    const found = this.#known.get(value);
    if (found !== undefined) return found;
    const key = Array.isArray(value) ? this.#ofArray(value) : this.#ofObject(value as { readonly [key: string]: Data });
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(key, number);
    }
    this.#known.set(value, number);
    return number;
  }

  #key(value: Data): string {
    return typeof value === "object" && value !== null ? `@${this.number(value)}` : leafKey(value);
  }

  #ofArray(array: readonly Data[]): string {
    let key = "[";
    for (const element of array) key += `${this.#key(element)},`;
    return key;
  }

  #ofObject(object: { readonly [key: string]: Data }): string {
    let key = "{";
    for (const name of Object.keys(object).sort()) {
      const value = object[name];
      if (value !== undefined) key += `${this.#quoted(name)}:${this.#key(value)},`;
    }
    return key;
  }

  /** Quoted, since a name may hold what divides the parts of a key. */
  #quoted(name: string): string {
    let quoted = this.#names.get(name);
    if (quoted === undefined) {
      quoted = JSON.stringify(name);
      this.#names.set(name, quoted);
    }
    return quoted;
  }
}
