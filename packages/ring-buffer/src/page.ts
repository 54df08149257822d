import { InputError } from "@cmodx/core";

/*
 * The page of the kernel's trace ring buffer, little-endian: the time of its first event, `commit` (how many bytes are committed, and
 * whether events were lost before it), and the entries behind each other. kernel/trace/ring_buffer.c and
 * include/linux/ring_buffer.h, 6.1.
 */

/** What differs between kernels. */
export type PageFormat = {
  /** Bytes of a page, 64 to 1 MiB; 4096 unless a kernel was told otherwise. */
  readonly size: number;
  /** Bytes of the kernel's `long`: data begin behind the time and one `long`. */
  readonly long: 4 | 8;
};

/** The pages of a 64-bit kernel. */
export const PAGE: PageFormat = { size: 4096, long: 8 };

/** An entry of a page; times are in the clock of the buffer, nanoseconds for most. */
export type Entry =
  /** An event, `delta` after the entry before it on the page, 0 to 2^27 - 1. The length of its payload is a multiple of 4, 4 at least. */
  | {
      readonly kind: "event";
      readonly delta: number;
      readonly payload: Uint8Array;
      /** Its length stands in a word of its own though it would have fitted into the header. */
      readonly long?: true;
    }
  /** The next event comes later than 27 bits can say: 0 to 2^59 - 1. */
  | { readonly kind: "time-extend"; readonly delta: bigint }
  /** The lower 59 bits of the time at which the next event is. */
  | { readonly kind: "time-stamp"; readonly time: bigint }
  /** An event that was discarded, or filler at the end of a page: `size` bytes in all, 8 at least; `delta` is not 0. */
  | { readonly kind: "padding"; readonly delta: number; readonly size: number }
  /** Nothing more comes on this page; `size` bytes in all, 4 at least. */
  | { readonly kind: "end"; readonly size: number };

/** Events were lost between the page before and this one. */
export type Lost = {
  /** How many; absent where the page had no room left to say it, or nobody knows. */
  readonly count?: bigint;
  /** The upper half of a 64-bit `commit` is all ones, since the flag is added as a negative `int`. */
  readonly signExtended: boolean;
};

/** A page of the buffer as a reader finds it. */
export type Page = {
  /** The time of its first event. */
  readonly time: bigint;
  readonly entries: readonly Entry[];
  readonly lost?: Lost;
};

/** The bits of `type_len` that are no length. */
const TYPE = { long: 0, padding: 29, timeExtend: 30, timeStamp: 31 } as const;
const TYPE_BITS = 5n;
/** Bits of the delta in an event's header. */
export const DELTA_BITS = 27n;
const DELTA_MASK = (1 << Number(DELTA_BITS)) - 1;
/** Bits of a time stamp on a page; the upper ones are those of the page's time. */
const STAMP_BITS = 59n;
/** The longest payload whose length fits into the header. */
const MOST_SHORT = 112;
const HEADER = 4;
const COMMIT_MASK = 0xfffff;
/** Bits of the lower half of `commit`: events were lost; their number is stored behind the last entry. */
const [MISSED, STORED] = [0x8000_0000, 0x4000_0000];
const ONES = 0xffff_ffff;

/** Where the data of a page begin. */
export const dataOffset = ({ long }: PageFormat): number => 8 + long;

/** The bytes of an entry. */
export const sizeOf = (entry: Entry): number => {
  switch (entry.kind) {
    case "event":
      return HEADER + (isLong(entry) ? 4 : 0) + entry.payload.length;
    case "time-extend":
    case "time-stamp":
      return 8;
    default:
      return entry.size;
  }
};

const isLong = (event: Extract<Entry, { readonly kind: "event" }>): boolean =>
  event.long === true || event.payload.length > MOST_SHORT;

const assertFormat = ({ size, long }: PageFormat): void => {
  if (!Number.isInteger(size) || size < 64 || size > COMMIT_MASK + 1 || size % 8 !== 0)
    throw new InputError(`A page has 64 to ${COMMIT_MASK + 1} bytes, a multiple of 8, not ${size}.`, {
      place: "size",
      code: "out-of-range",
    });
  if (long !== 4 && long !== 8)
    throw new InputError(`A long has 4 or 8 bytes, not ${String(long)}.`, { place: "long", code: "out-of-range" });
};

/**
 * Reads a page. What lies behind the committed bytes is not looked at.
 *
 * Throws {@link InputError} with the offset in `place` when an entry does not fit where it stands.
 */
export const decodePage = (bytes: Uint8Array, format: PageFormat = PAGE): Page => {
  assertFormat(format);
  const fail = (at: number, what: string): InputError =>
    new InputError(`A page of the ring buffer: at offset ${at}: ${what}.`, {
      place: `offset ${at}`,
      code: "unreadable",
    });
  if (bytes.length !== format.size) throw fail(bytes.length, `it ends, but should have ${format.size} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number): number => view.getUint32(at, true);
  const begin = dataOffset(format);
  const commit = u32(8);
  const upper = format.long === 8 ? u32(12) : 0;
  if (upper !== 0 && !(upper === ONES && (commit & MISSED) !== 0))
    throw fail(8, "the commit field has bits that are none of its own; is it big-endian?");
  const end = begin + (commit & COMMIT_MASK);
  if ((commit & ~(COMMIT_MASK | MISSED | STORED)) !== 0) throw fail(8, "the commit field has unknown flags");
  if (end > format.size)
    throw fail(8, `${commit & COMMIT_MASK} bytes are committed, more than the ${format.size - begin} that fit`);

  const entries: Entry[] = [];
  for (let at = begin; at < end; ) {
    if (at + HEADER > end) throw fail(at, "the committed bytes end within an entry's header");
    const header = u32(at);
    const type = header & ((1 << Number(TYPE_BITS)) - 1);
    const delta = header >>> Number(TYPE_BITS);
    const ends = type === TYPE.padding && delta === 0;
    if (!ends && (type === TYPE.long || type >= TYPE.padding) && at + 2 * HEADER > end)
      throw fail(at, "the committed bytes end within an entry's header");
    const entry = ((): Entry => {
      if (ends) return { kind: "end", size: end - at };
      if (type === TYPE.padding) return { kind: "padding", delta, size: HEADER + u32(at + HEADER) };
      const wide = BigInt(delta) | (BigInt(type >= TYPE.timeExtend ? u32(at + HEADER) : 0) << DELTA_BITS);
      if (type === TYPE.timeExtend) return { kind: "time-extend", delta: wide };
      if (type === TYPE.timeStamp) return { kind: "time-stamp", time: wide };
      const length = type === TYPE.long ? u32(at + HEADER) - HEADER : HEADER * type;
      if (length < HEADER || length % HEADER !== 0) throw fail(at, `an event has ${length} bytes of payload`);
      const from = at + HEADER + (type === TYPE.long ? HEADER : 0);
      if (from + length > end) throw fail(at, `an event of ${length} bytes reaches past the committed bytes`);
      const payload = bytes.slice(from, from + length);
      return {
        kind: "event",
        delta,
        payload,
        ...(type === TYPE.long && length <= MOST_SHORT ? { long: true } : {}),
      };
    })();
    const size = sizeOf(entry);
    if (entry.kind === "padding" && (size < 2 * HEADER || size % HEADER !== 0))
      throw fail(at, `padding of ${size} bytes, expected a multiple of 4, 8 at least`);
    if (at + size > end) throw fail(at, `an entry of ${size} bytes reaches past the committed bytes`);
    entries.push(entry);
    at += size;
  }
  const time = view.getBigUint64(0, true);
  if ((commit & MISSED) === 0) {
    if ((commit & STORED) !== 0) throw fail(8, "a number of lost events is stored, but none were lost");
    return { time, entries };
  }
  const signExtended = upper === ONES;
  if ((commit & STORED) === 0) return { time, entries, lost: { signExtended } };
  if (end + format.long > format.size) throw fail(end, "the number of lost events does not fit");
  const count = format.long === 8 ? view.getBigUint64(end, true) : BigInt(u32(end));
  return { time, entries, lost: { count, signExtended } };
};

/**
 * The bytes of a page; what is not committed is 0.
 *
 * Throws {@link InputError} when the entries, or the number of lost events, do not fit, or a value is out of its range.
 */
export const encodePage = (page: Page, format: PageFormat = PAGE): Uint8Array => {
  assertFormat(format);
  const refuse = (what: string, place: string): InputError =>
    new InputError(`${what}.`, { place, code: "out-of-range" });
  const bytes = new Uint8Array(format.size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, page.time, true);
  let at = dataOffset(format);
  for (const [index, entry] of page.entries.entries()) {
    const place = `entries[${index}]`;
    const size = sizeOf(entry);
    if (at + size > format.size) throw refuse(`An entry of ${size} bytes does not fit on the page`, place);
    if (size % HEADER !== 0 || size < (entry.kind === "end" ? HEADER : 2 * HEADER))
      throw refuse(
        `An entry has ${size} bytes, expected a multiple of 4, ${entry.kind === "end" ? 4 : 8} at least`,
        place,
      );
    const head = (type: number, delta: number): void => {
      if (!Number.isInteger(delta) || delta < 0 || delta > DELTA_MASK)
        throw refuse(`A delta has ${DELTA_BITS} bits, ${delta} has more`, place);
      view.setUint32(at, ((delta << Number(TYPE_BITS)) | type) >>> 0, true);
    };
    const wide = (type: number, value: bigint): void => {
      if (value < 0n || value >= 1n << STAMP_BITS)
        throw refuse(`A time has ${STAMP_BITS} bits, ${value} has more`, place);
      head(type, Number(value & BigInt(DELTA_MASK)));
      view.setUint32(at + HEADER, Number(value >> DELTA_BITS), true);
    };
    switch (entry.kind) {
      case "event":
        head(isLong(entry) ? TYPE.long : entry.payload.length / HEADER, entry.delta);
        if (isLong(entry)) view.setUint32(at + HEADER, entry.payload.length + HEADER, true);
        bytes.set(entry.payload, at + size - entry.payload.length);
        break;
      case "time-extend":
        wide(TYPE.timeExtend, entry.delta);
        break;
      case "time-stamp":
        wide(TYPE.timeStamp, entry.time);
        break;
      case "padding":
        if (entry.delta === 0) throw refuse("Padding with a delta of 0 would end the page", place);
        head(TYPE.padding, entry.delta);
        view.setUint32(at + HEADER, entry.size - HEADER, true);
        break;
      case "end":
        head(TYPE.padding, 0);
        break;
    }
    at += size;
  }
  const { lost } = page;
  const counted = lost?.count !== undefined;
  if (counted) {
    if (at + format.long > format.size)
      throw refuse("The number of lost events does not fit on the page", "lost.count");
    if (lost.count < 0n || lost.count >= 1n << BigInt(8 * format.long))
      throw refuse(`The number of lost events is a long, ${lost.count} is none`, "lost.count");
    if (format.long === 8) view.setBigUint64(at, lost.count, true);
    else view.setUint32(at, Number(lost.count), true);
  }
  const flags = (lost === undefined ? 0 : MISSED) | (counted ? STORED : 0);
  view.setUint32(8, ((at - dataOffset(format)) | flags) >>> 0, true);
  if (format.long === 8 && lost?.signExtended === true) view.setUint32(12, ONES, true);
  return bytes;
};

/** An event with its time. */
export type TimedEvent = { readonly time: bigint; readonly payload: Uint8Array };

/**
 * The events of a page with their times. A discarded event's delta is no time, as the kernel's own reader has it; a stamp has the
 * upper bits of the page's time, or, where that would be before it, of the next round.
 */
export const eventsOf = ({ time, entries }: Page): readonly TimedEvent[] => {
  const events: TimedEvent[] = [];
  let now = time;
  for (const entry of entries) {
    if (entry.kind === "time-extend") now += entry.delta;
    else if (entry.kind === "time-stamp") {
      const stamp = (time & ~((1n << STAMP_BITS) - 1n)) | entry.time;
      now = stamp < time ? stamp + (1n << STAMP_BITS) : stamp;
    } else if (entry.kind === "event") {
      now += BigInt(entry.delta);
      events.push({ time: now, payload: entry.payload });
    }
  }
  return events;
};
