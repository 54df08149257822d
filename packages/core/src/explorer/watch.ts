import type { Bounds } from "../contract/verdict.js";

/** Why a run ended before its answer: a bound was reached, or its signal was aborted. */
export type Limit = keyof Bounds | "interrupted";

/** A limit was reached where no search was under way: what was looked for is not known. */
export class LimitReached extends Error {
  readonly limit: Limit;

  constructor(limit: Limit) {
    super(`The limit of ${limit} was reached.`);
    this.limit = limit;
  }
}

/** To measure memory takes a millisecond on a busy machine; it is done once in so many. */
const MEASURE_MS = 20;

/** Looks at the limits of time and memory, and at the signal that ends a run. */
export class Watch {
  readonly #until: number;
  readonly #bytes: number;
  readonly #memory: () => number;
  readonly #signal: AbortSignal | undefined;
  #measured = Number.NEGATIVE_INFINITY;

  /** The time begins to run. `memory`: how many bytes are in use. */
  constructor(
    { milliseconds = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY }: Bounds,
    memory: () => number,
    signal?: AbortSignal,
  ) {
    this.#until = performance.now() + milliseconds;
    this.#bytes = bytes;
    this.#memory = memory;
    this.#signal = signal;
  }

  /** The limit that is reached, if one is. */
  reached(): Exclude<Limit, "states"> | undefined {
    const now = performance.now();
    if (now > this.#until) return "milliseconds";
    if (this.#signal?.aborted === true) return "interrupted";
    if (now - this.#measured < MEASURE_MS) return undefined;
    this.#measured = now;
    return this.hasRoom(0) ? undefined : "bytes";
  }

  /** Whether so many bytes more are within the limit. */
  hasRoom(more: number): boolean {
    return this.#bytes === Number.POSITIVE_INFINITY || this.#memory() + more <= this.#bytes;
  }

  /** Throws {@link LimitReached} where one is. */
  assert(): void {
    const limit = this.reached();
    if (limit !== undefined) throw new LimitReached(limit);
  }
}
