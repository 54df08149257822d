import { keyOf } from "../base/key.js";
import type { EveryCpu } from "../contract/effect.js";

/** A function of one CPU's part and its arguments, both numbered, that is computed once for each pair. */
export class CpuMemo {
  readonly #compute: (key: EveryCpu, cpu: number) => number;
  readonly #numbers = new Map<string, number>();
  readonly #keys: EveryCpu[] = [];
  /** By key, then by part: the value and 1, or 0 where it is not known. */
  readonly #known: Int32Array[] = [];

  constructor(compute: (key: EveryCpu, cpu: number) => number) {
    this.#compute = compute;
  }

  /** The number of a key. */
  number(key: EveryCpu): number {
    const text = `${key.id} ${keyOf(key.args)}`;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#keys.push(key) - 1;
      this.#known.push(new Int32Array(64));
      this.#numbers.set(text, number);
    }
    return number;
  }

  /** The value for the key of a number and the CPU part of another. */
  value(key: number, cpu: number): number {
    let known = this.#known[key] as Int32Array;
    if (cpu >= known.length) {
      const grown = new Int32Array(Math.max(cpu + 1, known.length * 2));
      grown.set(known);
      this.#known[key] = grown;
      known = grown;
    }
    const found = known[cpu] as number;
    if (found !== 0) return found - 1;
    const value = this.#compute(this.#keys[key] as EveryCpu, cpu);
    known[cpu] = value + 1;
    return value;
  }
}
