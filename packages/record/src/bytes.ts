import { InputError } from "@cmodx/core";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Bytes that grow, little-endian. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** Makes room, and only then gives what may have moved. */
  #grow(by: number): number {
    const at = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(...values: readonly number[]): this {
    return this.bytes(values);
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(...values: readonly (bigint | number)[]): this {
    for (const value of values) {
      const at = this.#grow(8);
      this.#view.setBigUint64(at, BigInt(value), true);
    }
    return this;
  }

  bytes(values: ArrayLike<number>): this {
    const at = this.#grow(values.length);
    this.#bytes.set(values, at);
    return this;
  }

  /** A text, with a zero behind it where it `ends`. */
  text(value: string, ends = false): this {
    this.bytes(ENCODER.encode(value));
    return ends ? this.u8(0) : this;
  }

  /** Zeros up to a multiple of so many bytes. */
  pad(to: number): this {
    this.#grow((to - (this.#length % to)) % to);
    return this;
  }

  /** Writes a number of 64 bits over what stands at an offset. */
  put64(at: number, value: bigint | number): void {
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  /** All bytes, not copied. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads bytes one after the other, little-endian; throws {@link InputError} where they end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, file: string, at = 0) {
    this.bytes = bytes;
    this.file = file;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  /** Whether all was read. */
  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** An error at an offset, to be thrown. */
  fault(sentence: string, at = this.at): InputError {
    return new InputError(`${this.file}: at offset ${at}: ${sentence}.`, {
      file: this.file,
      place: `offset ${at}`,
      code: "unreadable",
    });
  }

  #take(size: number): number {
    const { at } = this;
    if (!(at + size <= this.bytes.length))
      throw this.fault(`the file ends, where ${size} more byte${size === 1 ? " was" : "s were"} expected`);
    this.at += size;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A size or an offset of 64 bits. */
  size(): number {
    const { at } = this;
    const value = this.u64();
    if (value > BigInt(this.bytes.length))
      throw this.fault(`${value} is more than the file's ${this.bytes.length} bytes`, at);
    return Number(value);
  }

  /** Some bytes, not copied. */
  slice(size: number): Uint8Array {
    const at = this.#take(size);
    return this.bytes.subarray(at, at + size);
  }

  /** A text of so many bytes. */
  text(size: number): string {
    return DECODER.decode(this.slice(size));
  }

  /** A text up to a zero. */
  string(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw this.fault("a text has no end");
    const text = DECODER.decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
}

/** A text that was padded with zeros. */
export const unpadded = (text: string): string => {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
};
