import type { PatchStrategy, PlanContext } from "@cmodx/core";
import type { LogLine } from "./log.js";
import { type StoreStep, type VisibleProgram, visibleProgram } from "./program.js";

/*
 * Which site a write belongs to, and what its change makes of it. A log names no sites: the site is the one whose program, as the strategy
 * plans it, tells most of the writes that follow.
 */

/** A write of a log. */
export type LoggedWrite = Extract<LogLine, { readonly kind: "write" }>;

/** The change of a site: the program of the strategy for what the log says it became. */
export type Change = {
  readonly address: bigint;
  readonly length: number;
  readonly program: VisibleProgram;
  /** Its new bytes; any at places that are unknown. */
  readonly next: readonly number[];
  /** Places in the site whose new bytes the log does not tell. */
  readonly unknown: ReadonlySet<number>;
};

/** The longest site, in bytes. */
export const LONGEST = 16n;
/** The most writes of one change of a site. */
const WRITES = 8;

/** Whether a write is what a step of a program stores. */
export const isStored = (
  write: LoggedWrite,
  step: StoreStep,
  { address, next, unknown }: Pick<Change, "address" | "next" | "unknown">,
): boolean =>
  write.address === step.address &&
  write.length === step.bytes.length &&
  write.bytes.every((byte, i) => {
    const place = Number(write.address - address) + i;
    return byte === step.bytes[i] || (unknown.has(place) && step.bytes[i] === next[place]);
  });

const storesOf = ({ steps }: VisibleProgram): number => steps.filter(({ kind }) => kind === "write").length;

/** How many of the writes the stores of a program are, from the first on. */
const told = (writes: readonly LoggedWrite[], change: Change): number => {
  const stores = change.program.steps.filter((step) => step.kind === "write");
  let n = 0;
  while (
    n < writes.length &&
    n < stores.length &&
    isStored(writes[n] as LoggedWrite, stores[n] as (typeof stores)[number], change)
  )
    n++;
  return n;
};

/** Finds the sites of a log for a strategy. */
export class Sites {
  readonly #strategy: PatchStrategy;
  readonly #context: PlanContext;
  /** By address, how long the site there is, where an event tells. */
  readonly #lengths: ReadonlyMap<bigint, number>;
  /** What code holds, by address, as far as the log tells. */
  readonly #memory = new Map<bigint, number>();
  #publishes = false;
  readonly #fillers = new Map<number, readonly number[]>();

  constructor(strategy: PatchStrategy, context: PlanContext, lines: readonly LogLine[]) {
    this.#strategy = strategy;
    this.#context = context;
    this.#lengths = new Map(
      lines.flatMap((line) => (line.kind === "event" ? [[line.address, line.length] as const] : [])),
    );
  }

  /** Whether the strategy publishes events, as far as it was asked yet. */
  get publishes(): boolean {
    return this.#publishes;
  }

  /** Notes what a write made of code. */
  note({ address, bytes }: LoggedWrite): void {
    for (const [i, byte] of bytes.entries()) this.#memory.set(address + BigInt(i), byte);
  }

  /**
   * The change that begins with the first of these writes, which are those of its call from there on in their order; undefined where none
   * of the strategy's does.
   */
  changeAt(writes: readonly LoggedWrite[]): Change | undefined {
    const [first] = writes as [LoggedWrite];
    const near = writes.filter(({ address }) => address >= first.address && address < first.address + LONGEST);
    const known = this.#lengths.get(first.address);
    const lengths =
      known === undefined
        ? [...new Set(near.map(({ address, length }) => Number(address - first.address) + length))].filter(
            (n) => n <= LONGEST,
          )
        : [known];
    let best: { readonly change: Change; readonly score: number } | undefined;
    for (const length of lengths.sort((a, b) => a - b)) {
      const end = first.address + BigInt(length);
      const within = near.filter((write) => write.address < end).slice(0, WRITES);
      const usual = this.#usual(first.address, length);
      for (const change of this.#changes(first.address, length, within)) {
        const n = told(within, change);
        const stores = storesOf(change.program);
        // What a change leaves in between, such as a breakpoint, is not what it is to become.
        const short = stores < (usual ?? 0);
        const score =
          n === 0 ? 0 : (n === stores && !short ? 1000 : 0) + 10 * n - (short ? 8 : change.unknown.size > 0 ? 5 : 0);
        if (score > (best?.score ?? 0)) best = { change, score };
      }
    }
    return best?.change;
  }

  /** How many stores the program of a change to other code of this length has; undefined where there is no such code. */
  #usual(address: bigint, length: number): number | undefined {
    const filler = this.#filler(length);
    if (filler === undefined) return undefined;
    const program = visibleProgram(this.#strategy, { address, old: filler, next: filler }, this.#context);
    return program === undefined ? undefined : storesOf(program);
  }

  /** What a site could become: what the writes leave, each number of them; or what is not known. */
  *#changes(address: bigint, length: number, writes: readonly LoggedWrite[]): Generator<Change> {
    const olds = new Map<bigint, number>();
    for (const { address: at, old = [] } of writes)
      for (const [i, byte] of old.entries()) if (!olds.has(at + BigInt(i))) olds.set(at + BigInt(i), byte);
    const places = Array.from({ length }, (_, i) => address + BigInt(i));
    const filler = this.#filler(length);
    const before = places.map((at) => olds.get(at) ?? this.#memory.get(at));
    for (let count = writes.length; count > 0; count--) {
      const left = new Map<bigint, number>();
      for (const { address: at, bytes } of writes.slice(0, count))
        for (const [i, byte] of bytes.entries()) left.set(at + BigInt(i), byte);
      const next = places.map((at, i) => left.get(at) ?? before[i]);
      const unknown = new Set(next.flatMap((byte, i) => (byte === undefined ? [i] : [])));
      yield* this.#change(
        address,
        before,
        next.map((byte, i) => byte ?? (filler?.[i] as number) ?? 0),
        unknown,
      );
    }
    if (filler !== undefined) yield* this.#change(address, before, filler, new Set(places.keys()));
  }

  *#change(
    address: bigint,
    before: readonly (number | undefined)[],
    next: readonly number[],
    unknown: ReadonlySet<number>,
  ): Generator<Change> {
    const old = before.map((byte, i) => byte ?? (next[i] as number));
    const program = visibleProgram(this.#strategy, { address, old, next }, this.#context);
    if (program?.steps.some(({ kind }) => kind === "event")) this.#publishes = true;
    if (program !== undefined && program.steps.length > 0)
      yield { address, length: next.length, next, program, unknown };
  }

  /** Code of a length that could stand at a site whose own is not known. */
  #filler(length: number): readonly number[] | undefined {
    const { instructionSet, mode } = this.#context;
    if (!this.#fillers.has(length)) {
      try {
        const bytes = instructionSet.assemble(length === 1 ? "nop" : `nop${length}`, 0n, mode);
        if (bytes.length === length) this.#fillers.set(length, [...bytes]);
      } catch {
        // The architecture has no such code: what is not known stays so.
      }
    }
    return this.#fillers.get(length);
  }
}
