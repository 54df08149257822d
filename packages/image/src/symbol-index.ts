import type { Elf } from "./elf.js";
import { hex } from "./file-view.js";

/** A symbol that holds a place, and how far inside it the place lies in bytes. */
export type Found = { readonly symbol: number; readonly offset: number };

/** The defined symbols of some types, sorted by place; made once, then searched by halving. */
export class SymbolIndex {
  readonly #elf: Elf;
  readonly #places: Float64Array;
  readonly #symbols: Uint32Array;

  constructor(elf: Elf, types: readonly number[]) {
    this.#elf = elf;
    const table = elf.symbols;
    const places: number[] = [];
    const symbols: number[] = [];
    let sorted = true;
    for (let symbol = 1; table && symbol < table.count; symbol++) {
      if (!types.includes(table.type(symbol)) || !table.placed(symbol)) continue;
      const place = elf.symbolPlace(table, symbol);
      if (place < (places[places.length - 1] ?? place)) sorted = false;
      places.push(place);
      symbols.push(symbol);
    }
    // Stable: of several symbols at one place the first in the table comes first.
    const order = sorted ? undefined : symbols.map((_, i) => i);
    order?.sort((a, b) => (places[a] as number) - (places[b] as number));
    this.#places = Float64Array.from(order ? order.map((i) => places[i] as number) : places);
    this.#symbols = Uint32Array.from(order ? order.map((i) => symbols[i] as number) : symbols);
  }

  /** The nearest symbol at or before `place` that reaches over it, if it does. */
  covering(place: number): Found | undefined {
    const last = this.#after(place) - 1;
    const start = this.#places[last];
    if (start === undefined) return undefined;
    const symbol = this.#symbols[this.#after(start, -1)] ?? 0;
    const offset = place - start;
    const size = this.#elf.symbols?.size(symbol) ?? 0;
    const inside = offset === 0 || (size === 0 ? this.#elf.sameSection(start, place) : offset < size);
    return inside ? { symbol, offset } : undefined;
  }

  /** The first symbol that starts after `place`; `offset` is negative. */
  next(place: number): Found | undefined {
    const index = this.#after(place);
    const start = this.#places[index];
    return start === undefined ? undefined : { symbol: this.#symbols[index] ?? 0, offset: place - start };
  }

  /** `name+0x10`, `name-0x10`; `name` alone at its start unless `always`. */
  format({ symbol, offset }: Found, always = false): string {
    const name = this.#elf.symbols?.name(symbol) ?? "";
    if (offset === 0 && !always) return name;
    return offset < 0 ? `${name}${hex(offset)}` : `${name}+${hex(offset)}`;
  }

  /** Index of the first start above `place`, or (`side` -1) at or above it. */
  #after(place: number, side: 1 | -1 = 1): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = this.#places[middle] as number;
      if (start < place || (side === 1 && start === place)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
