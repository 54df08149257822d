import type { Bytes } from "../base/data.js";
import { fromHex, hexAddress } from "../base/hex.js";
import type { InstructionSet } from "../contract/instruction-set.js";
import type { Layout, PlacedCode } from "../contract/layout.js";
import type { MemoryState } from "../contract/state.js";
import type { Borders, World } from "../contract/world.js";
import { contentAt, standsAt, storesAt } from "../fetch/text.js";

/*
 * R48: where instructions begin in code that is no site. Whoever executes at another address came there as nobody wrote it: in the middle
 * of an instruction, in data, in what fills the gap to the next cell. Where executors and handlers start and what the scenario names as an
 * exit is meant; what lies straight behind such a place is read on from there.
 */

/**
 * Offsets at which instructions begin in bytes that are read from the first one on. What does not decode begins where it lies, and has as many
 * bytes as it takes to tell.
 */
export const startsIn = (
  bytes: Bytes,
  mode: string,
  { decode, alignment, maxLength }: Pick<InstructionSet, "decode" | "alignment" | "maxLength">,
): readonly number[] => {
  const starts: number[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    starts.push(offset);
    const insn = decode(bytes.slice(offset, offset + maxLength), mode);
    let length = typeof insn === "string" ? alignment : insn.length;
    if (typeof insn === "string")
      while (length < maxLength && decode(bytes.slice(offset, offset + length), mode) === "short") length += alignment;
    offset += length;
  }
  return starts;
};

/** Addresses at which instructions begin, each with the modes in which it does. */
type Starts = ReadonlyMap<bigint, ReadonlySet<string>>;

/** Where instructions begin in the code of a layout. */
export class CodeBorders implements Borders {
  readonly #layout: Layout;
  readonly #instructionSet: InstructionSet;
  readonly #laid: Starts;
  readonly #mapped: readonly Starts[];
  readonly #stored = new Map<string, readonly number[]>();

  constructor(layout: Layout, instructionSet: InstructionSet) {
    this.#layout = layout;
    this.#instructionSet = instructionSet;
    const { mapped } = layout.lives;
    this.#mapped = mapped.map((piece) => this.#bordersOf([piece]));
    // Of what lies in each other, that counts which is there.
    const isThere = (address: bigint, byte: number): boolean => layout.text.get(address) === byte;
    const laid = this.#bordersOf(
      layout.code.filter((piece) => !mapped.includes(piece)),
      isThere,
    );
    this.#laid = this.#withMeant(laid);
  }

  /** Whether an instruction begins at an address where this is mapped: an index into what programs map, or what lies there at first. */
  has(address: bigint, mode: string, holds: number | undefined): boolean {
    const borders = holds === undefined ? this.#laid : this.#mapped[holds];
    return borders?.get(address)?.has(this.#named(mode)) === true;
  }

  /** Whether an instruction begins at an address in bytes (hex) that a step of a program stores from `from` on. */
  hasIn({ address: from, bytes }: { readonly address: bigint; readonly bytes: string }, address: bigint, mode: string) {
    const key = `${bytes} ${mode}`;
    let starts = this.#stored.get(key);
    if (starts === undefined) {
      starts = startsIn(fromHex(bytes), mode, this.#instructionSet);
      this.#stored.set(key, starts);
    }
    return starts.includes(Number(address - from));
  }

  /** Code that names no mode is in the first. */
  #named(mode: string): string {
    return mode || (this.#instructionSet.modes?.[0] ?? "");
  }

  #bordersOf(pieces: readonly PlacedCode[], isThere?: (address: bigint, byte: number) => boolean): Starts {
    const borders = new Map<bigint, Set<string>>();
    for (const { address, bytes, mode, starts } of pieces) {
      starts.forEach((start, i) => {
        const own = bytes.slice(start, starts[i + 1] ?? bytes.length);
        const at = address + BigInt(start);
        if (isThere !== undefined && !own.every((byte, k) => isThere(at + BigInt(k), byte))) return;
        const modes = borders.get(at) ?? new Set();
        borders.set(at, modes.add(this.#named(mode)));
      });
    }
    return borders;
  }

  /** With what is meant though it begins in the middle of something: it is read on from there up to where all else begins again. */
  #withMeant(laid: Starts): Starts {
    const borders = new Map(laid);
    const { text, meant, modes } = this.#layout;
    const { maxLength, modes: known = [""] } = this.#instructionSet;
    for (const from of meant) {
      const only = modes.get(from);
      for (const mode of only === undefined ? known : [this.#named(only)]) {
        for (let at = from; text.has(at) && !borders.has(at); ) {
          borders.set(at, new Set([mode]));
          const bytes: number[] = [];
          for (let byte = text.get(at); byte !== undefined && bytes.length < maxLength; )
            byte = text.get(at + BigInt(bytes.push(byte)));
          const insn = this.#instructionSet.decode(bytes, mode);
          if (typeof insn === "string") break;
          at += BigInt(insn.length);
        }
      }
    }
    return borders;
  }
}

/**
 * Why the bytes (hex) that a context executed at an address are no instruction of the code that lies there; undefined where they are one,
 * or belong to a site, which has rules of its own.
 */
export const straysAt = (
  at: bigint,
  bytes: string,
  mode: string,
  memory: MemoryState,
  machine: World,
): string | undefined => {
  if (machine.siteAt(at) !== undefined || bytes === "") return undefined;
  const isThere = (address: bigint): boolean =>
    contentAt(address, memory, machine) !== undefined || storesAt(address, "00", machine).length > 0;
  if (!isThere(at)) return "nothing is modelled there";
  const begins =
    machine.borders.has(at, mode, standsAt(at, memory, machine)?.holds) ||
    storesAt(at, bytes, machine).some((stored) => machine.borders.hasIn(stored, at, mode));
  if (!begins) return "no instruction of the code that lies there begins at that address";
  for (let offset = 1n; offset < BigInt(bytes.length / 2); offset++) {
    if (machine.siteAt(at + offset) !== undefined) return `it goes on into the site at ${hexAddress(at + offset)}`;
    if (!isThere(at + offset)) return `it goes on at ${hexAddress(at + offset)}, where nothing is modelled`;
  }
  return undefined;
};
