import type { Bounds } from "../contract/verdict.js";

/** A limit was reached where no search was under way: what was looked for is not known. */
export class LimitReached extends Error {
  readonly limit: keyof Bounds | "interrupted";

  constructor(limit: keyof Bounds | "interrupted") {
    super(`The limit of ${limit} was reached.`);
    this.limit = limit;
  }
}

/** Looks at the limits of time and memory. */
export class Watch {
  readonly #until: number;
  readonly #bytes: number;
  readonly #memory: () => number;

  /** The time begins to run. `memory`: how many bytes are in use. */
  constructor(
    { milliseconds = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY }: Bounds,
    memory: () => number,
  ) {
    this.#until = performance.now() + milliseconds;
    this.#bytes = bytes;
    this.#memory = memory;
  }

  /** The limit that is reached, if one is; `more`: bytes that are about to be used. */
  reached(more = 0): "milliseconds" | "bytes" | undefined {
    if (performance.now() > this.#until) return "milliseconds";
    return this.#memory() + more > this.#bytes ? "bytes" : undefined;
  }

  /** Throws {@link LimitReached} where one is. */
  assert(more = 0): void {
    const limit = this.reached(more);
    if (limit !== undefined) throw new LimitReached(limit);
  }
}
