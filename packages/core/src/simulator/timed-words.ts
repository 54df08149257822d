import type { Data } from "../base/data.js";
import { same } from "../base/key.js";
import { own } from "../base/own.js";

/** A word of every CPU: what most of them hold, and those that hold something else. */
type Everywhere = { common: Data; readonly others: Map<number, Data> };

/** The shared words and the per-CPU words of patch programs. To set one on every CPU takes no time that grows with them. */
export class TimedWords {
  readonly #shared = new Map<string, Data>();
  readonly #each = new Map<string, Everywhere>();
  readonly #cpus: number;

  constructor(cpus: number) {
    this.#cpus = cpus;
  }

  /** Declares words that are not there yet. */
  declare(words: { readonly [name: string]: Data }, cpuWords: { readonly [name: string]: Data }): void {
    for (const [name, value] of Object.entries(words)) if (!this.#shared.has(name)) this.#shared.set(name, value);
    for (const [name, value] of Object.entries(cpuWords))
      if (!this.#each.has(name)) this.#each.set(name, { common: value, others: new Map() });
  }

  get(word: string): Data {
    return this.#shared.get(word) ?? null;
  }

  set(word: string, value: Data): void {
    this.#shared.set(word, value);
  }

  /** The word of one CPU. */
  of(cpu: number, word: string): Data {
    const each = this.#of(word);
    return each.others.get(cpu) ?? each.common;
  }

  setOf(cpu: number, word: string, value: Data): void {
    const { common, others } = this.#of(word);
    if (same(value, common)) others.delete(cpu);
    else others.set(cpu, value);
  }

  setEach(word: string, value: Data): void {
    this.#each.set(word, { common: value, others: new Map() });
  }

  addEach(word: string, by: number): void {
    const each = this.#of(word);
    each.common = Number(each.common) + by;
    for (const [cpu, value] of each.others) each.others.set(cpu, Number(value) + by);
  }

  /** Whether the word has a value on every CPU. */
  isEverywhere(word: string, value: Data): boolean {
    const { common, others } = this.#of(word);
    return (
      (others.size === this.#cpus || same(common, value)) && [...others.values()].every((each) => same(each, value))
    );
  }

  #of(word: string): Everywhere {
    let each = this.#each.get(word);
    if (each === undefined) {
      each = { common: 0, others: new Map() };
      this.#each.set(word, each);
    }
    return each;
  }
}

/** The bytes that a list of places and bytes has for an address, and how many places it has. */
export const entryOf = (list: Data, address: bigint): { readonly bytes: Data; readonly places: number } => {
  if (!Array.isArray(list)) return { bytes: null, places: 0 };
  const found = list.find((each) => own(each as { readonly [name: string]: Data }, "address") === address);
  return { bytes: found === undefined ? null : (own(found, "bytes") ?? null), places: list.length };
};
