import { crc32 } from "node:zlib";
import type { FileView } from "../file-view.js";
import { brokenStream, reads } from "./format.js";

/** The .xz File Format 1.2, 2.1.1 and 5.3.1. */
export const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const LZMA2 = 0x21;

/** Bytes of a check by its number (2.1.1.2). */
const checkSizes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** A filter's number and its properties. */
type XzFilter = { readonly id: number; readonly properties: Uint8Array };

/** One block of a stream: its filters in the order in which they were applied, its compressed data and what that inflates to. */
export type XzBlock = {
  readonly filters: readonly XzFilter[];
  readonly data: Uint8Array;
  /** Bytes after inflating. */
  readonly size: number;
  /** What the check of its content should be. */
  readonly check: Uint8Array;
};

/** A stream as its headers tell it, before anything is inflated. */
export type XzStream = {
  readonly blocks: readonly XzBlock[];
  /** Number of the kind of check: 0 none, 1 CRC32, 4 CRC64, 10 SHA-256. */
  readonly check: number;
  /** Offset behind its footer. */
  readonly end: number;
};

/** Reads forward and refuses to leave the file. */
class Cursor {
  at: number;
  readonly #file: FileView;
  readonly #start: number;

  constructor(file: FileView, start: number) {
    this.at = start;
    this.#file = file;
    this.#start = start;
  }

  broken(why: string): Error {
    return brokenStream(this.#file, this.#start, "xz", why);
  }

  take(bytes: number): Uint8Array {
    if (this.at + bytes > this.#file.size) throw this.broken("it is cut off");
    this.at += bytes;
    return this.#file.bytes.subarray(this.at - bytes, this.at);
  }

  u8(): number {
    return this.take(1)[0] as number;
  }

  /** Two bytes, the high one first, as LZMA2 has them. */
  u16(): number {
    const high = this.u8();
    return high * 256 + this.u8();
  }

  /** A number of up to nine groups of seven bits (1.2). */
  number(): number {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw this.broken("a number has no end");
  }

  /** What was read from `from` on must be followed by its CRC32. */
  checked(from: number, what: string): void {
    const sum = crc32(this.#file.bytes.subarray(from, this.at));
    const held = this.take(4);
    if (new DataView(held.buffer, held.byteOffset).getUint32(0, true) !== sum)
      throw this.broken(`${what} does not agree with its CRC32`);
  }

  /** Zero bytes up to a multiple of four from `from` on. */
  pad(from: number): void {
    while ((this.at - from) % 4 !== 0) if (this.u8() !== 0) throw this.broken("padding is not zero");
  }
}

/** Reads the header of a stream up to its first block; gives the kind of its check. */
function readHeader(cursor: Cursor): number {
  const flags = cursor.at + magic.length;
  cursor.take(magic.length);
  const [zero, check] = cursor.take(2) as unknown as [number, number];
  cursor.checked(flags, "its header");
  if (zero !== 0 || check > 15) throw cursor.broken("its flags are of no known kind");
  return check;
}

/** Whether a whole header stands there, with its CRC32. */
export function hasHeader(file: FileView, start: number): boolean {
  return reads(() => readHeader(new Cursor(file, start)));
}

/** Walks a stream: headers, the chunks of LZMA2, which say how long they are and how much they hold, index and footer. */
export function walkStream(file: FileView, start: number): XzStream {
  const cursor = new Cursor(file, start);
  const check = readHeader(cursor);
  const blocks: XzBlock[] = [];
  const sizes: (readonly [unpadded: number, size: number])[] = [];
  for (;;) {
    const from = cursor.at;
    const size = cursor.u8();
    if (size === 0) {
      walkIndex(cursor, from, sizes);
      break;
    }
    const filters = readBlockHeader(cursor, from, (size + 1) * 4);
    const data = cursor.at;
    const inflated = walkChunks(cursor);
    const block = { filters, data: file.bytes.subarray(data, cursor.at), size: inflated };
    cursor.pad(from);
    const checkSize = checkSizes[check] as number;
    blocks.push({ ...block, check: cursor.take(checkSize) });
    sizes.push([data - from + block.data.length + checkSize, inflated]);
  }
  const footer = cursor.take(12);
  if (footer[9] !== check || footer[10] !== 0x59 || footer[11] !== 0x5a)
    throw cursor.broken("its footer is not that of its header");
  return { blocks, check, end: cursor.at };
}

function readBlockHeader(cursor: Cursor, from: number, size: number): readonly XzFilter[] {
  const flags = cursor.u8();
  if ((flags & 0x3c) !== 0) throw cursor.broken("a block has flags of no known kind");
  if ((flags & 0x40) !== 0) cursor.number();
  if ((flags & 0x80) !== 0) cursor.number();
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const id = cursor.number();
    return { id, properties: cursor.take(cursor.number()) };
  });
  const rest = from + size - 4 - cursor.at;
  if (rest < 0) throw cursor.broken("a block's header is longer than it says");
  cursor.take(rest);
  cursor.checked(from, "a block's header");
  const last = filters[filters.length - 1] as XzFilter;
  if (last.id !== LZMA2 || last.properties.length !== 1) throw cursor.broken("its last filter is not LZMA2");
  return filters;
}

/** Each chunk begins with what it is and its lengths; 0 ends them. */
function walkChunks(cursor: Cursor): number {
  let size = 0;
  for (;;) {
    const control = cursor.u8();
    if (control === 0) return size;
    if (control < 0x80) {
      if (control > 2) throw cursor.broken("an LZMA2 chunk is of no known kind");
      const bytes = cursor.u16() + 1;
      size += bytes;
      cursor.take(bytes);
    } else {
      size += ((control & 0x1f) << 16) + cursor.u16() + 1;
      const bytes = cursor.u16() + 1;
      cursor.take(bytes + (control >= 0xc0 ? 1 : 0));
    }
  }
}

/** The index repeats the sizes of all blocks (4). */
function walkIndex(cursor: Cursor, from: number, sizes: readonly (readonly [number, number])[]): void {
  if (cursor.number() !== sizes.length) throw cursor.broken("its index has another number of blocks");
  for (const [unpadded, size] of sizes) {
    if (cursor.number() !== unpadded || cursor.number() !== size) throw cursor.broken("its index has other sizes");
  }
  cursor.pad(from);
  cursor.checked(from, "its index");
}

/**
 * A stream of one block with LZMA2 alone and without a check, for decoders that know no other filter. `dictionary`: the property
 * that says how large it is.
 */
export function plainStream({ data, size }: XzBlock, dictionary: number): Uint8Array {
  const number = (value: number): number[] => {
    const groups: number[] = [];
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      groups.push((rest % 128) + (rest >= 128 ? 128 : 0));
      if (rest < 128) return groups;
    }
  };
  const padded = (bytes: readonly number[]): number[] => [...bytes, ...Array((4 - (bytes.length % 4)) % 4).fill(0)];
  const withSum = (bytes: readonly number[]): number[] => {
    const sum = crc32(Uint8Array.from(bytes));
    return [...bytes, sum & 255, (sum >>> 8) & 255, (sum >>> 16) & 255, sum >>> 24];
  };
  const header = [...magic, ...withSum([0, 0])];
  const block = withSum([2, 0, LZMA2, 1, dictionary, 0, 0, 0]);
  const index = withSum(padded([0, 1, ...number(block.length + data.length), ...number(size)]));
  const backward = index.length / 4 - 1;
  const footer = withSum([backward & 255, (backward >> 8) & 255, 0, 0, 0, 0]);
  const ending = [...footer.slice(6), ...footer.slice(0, 6), 0x59, 0x5a];
  const padding = Array((4 - (data.length % 4)) % 4).fill(0);
  return concat(header, block, data, padding, index, ending);
}

function concat(...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
