import type { Elf } from "./elf.js";
import { STT } from "./symbols.js";

/**
 * The decoder modes of a file's code, by the mapping symbols that say where each begins; where there is none before a place in
 * its section, by the function that it lies in.
 */
export class Modes {
  readonly #elf: Elf;
  readonly #starts: readonly { readonly place: number; readonly mode: string }[];

  constructor(elf: Elf) {
    this.#elf = elf;
    const starts: { place: number; mode: string }[] = [];
    const table = elf.symbols;
    for (let symbol = 1; table && symbol < table.count; symbol++) {
      if (table.type(symbol) !== STT.NOTYPE || !table.placed(symbol)) continue;
      // Data between code ($d) is left out: a site in it is code that was written as data.
      const mode = elf.machine.modes?.ofMappingSymbol(table.name(symbol));
      if (mode !== undefined) starts.push({ place: elf.symbolPlace(table, symbol), mode });
    }
    this.#starts = starts.sort((a, b) => a.place - b.place);
  }

  /** The mode of the code at a place; undefined on a machine that has one only. */
  at(place: number): string | undefined {
    const { machine, functions, symbols } = this.#elf;
    if (!machine.modes) return undefined;
    const start = this.#lastStart(place);
    if (start && this.#elf.sameSection(start.place, place)) return start.mode;
    const found = functions.covering(place);
    return machine.modes.ofFunction(found && symbols ? symbols.value(found.symbol) : 0);
  }

  #lastStart(place: number) {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle]?.place as number) <= place) low = middle + 1;
      else high = middle;
    }
    return this.#starts[low - 1];
  }
}
