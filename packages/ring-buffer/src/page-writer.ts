import { InputError } from "@cmodx/core";
import { DELTA_BITS, dataOffset, type Entry, encodePage, type Lost, PAGE, type PageFormat, sizeOf } from "./page.js";

/** Bytes between two possible starts of an entry. */
const ALIGNMENT = 4;
/** The length of a time extend. */
const EXTEND = 8;

/**
 * The bytes that a reservation takes on a page. One that would leave room for a time extend alone is made longer, so that discarding
 * never has to split it (rb_calculate_event_length, 6.1).
 *
 * `length`: bytes of the payload.
 */
export const reservedFor = (length: number): number => {
  const payload = Math.max(length, 1);
  const size = ALIGNMENT + (payload > 112 ? ALIGNMENT : 0) + payload;
  const aligned = Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  return aligned === EXTEND + ALIGNMENT ? aligned + ALIGNMENT : aligned;
};

/** Writes events of one CPU, in the order of their times, onto a page as the kernel does. */
export class PageWriter {
  readonly #format: PageFormat;
  readonly #entries: Entry[] = [];
  #first: bigint | undefined;
  #last = 0n;
  #used = 0;

  constructor(format: PageFormat = PAGE) {
    this.#format = format;
  }

  /** The longest payload that an empty page takes. */
  get most(): number {
    return this.#format.size - dataOffset(this.#format) - 2 * ALIGNMENT;
  }

  /** Whether nothing was written yet. */
  get empty(): boolean {
    return this.#first === undefined;
  }

  /**
   * Writes an event; false where it does not fit any more: it belongs on the next page.
   *
   * Throws {@link InputError} when it would fit on no page, or its time is before the last event's.
   */
  append(time: bigint, payload: Uint8Array): boolean {
    if (payload.length > this.most)
      throw new InputError(`An event has ${payload.length} bytes, more than the ${this.most} of a page.`, {
        place: "payload",
        code: "out-of-range",
      });
    if (this.#first !== undefined && time < this.#last)
      throw new InputError(`An event at ${time} comes after one at ${this.#last}; times never run backwards.`, {
        place: "time",
        code: "out-of-range",
      });
    const delta = this.#first === undefined ? 0n : time - this.#last;
    const extended = delta >> DELTA_BITS !== 0n;
    const reserved = reservedFor(payload.length);
    const size = reserved + (extended ? EXTEND : 0);
    if (dataOffset(this.#format) + this.#used + size > this.#format.size) return false;
    if (extended) this.#entries.push({ kind: "time-extend", delta });
    // The length of a long event takes a word of what is reserved.
    const padded = new Uint8Array(reserved - ALIGNMENT - (reserved - ALIGNMENT > 112 ? ALIGNMENT : 0));
    padded.set(payload);
    this.#entries.push({ kind: "event", delta: extended ? 0 : Number(delta), payload: padded });
    this.#used += size;
    this.#first ??= time;
    this.#last = time;
    return true;
  }

  /**
   * The page as a reader that takes it whole finds it: committed up to its last event. `lost`: events before its first were lost; their
   * number is left out where it does not fit.
   */
  page(lost?: Lost): Uint8Array {
    const room =
      this.#format.size - dataOffset(this.#format) - this.#entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    const { count: _, ...unsaid } = lost ?? { signExtended: false };
    const said = lost === undefined ? undefined : room < this.#format.long ? unsaid : lost;
    const page = { time: this.#first ?? 0n, entries: this.#entries };
    return encodePage(said === undefined ? page : { ...page, lost: said }, this.#format);
  }
}

/**
 * The pages of one CPU's events, in the order of their times.
 *
 * Throws as {@link PageWriter.append} does.
 */
export const pagesOf = (
  events: Iterable<{ readonly time: bigint; readonly payload: Uint8Array }>,
  format: PageFormat = PAGE,
): readonly Uint8Array[] => {
  const pages: Uint8Array[] = [];
  let writer = new PageWriter(format);
  for (const { time, payload } of events) {
    if (writer.append(time, payload)) continue;
    pages.push(writer.page());
    writer = new PageWriter(format);
    writer.append(time, payload);
  }
  if (!writer.empty) pages.push(writer.page());
  return pages;
};
