import { InputError } from "@cmodx/core";

/**
 * The bytes of a file, read little-endian without copying.
 *
 * Number readers do not check their offset: `range` is called once for a structure, then its fields are read.
 */
export class FileView {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, name: string) {
    this.name = name;
    // A plain view of the same memory, so that subarrays of a Node Buffer are no Buffers.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Length of the file in bytes. */
  get size(): number {
    return this.bytes.length;
  }

  /** The error for wrong content at `place`; the caller throws it. */
  fault(place: string, sentence: string): InputError {
    return new InputError(`${this.name}: ${place}: ${sentence}`, { file: this.name, place, code: "unreadable" });
  }

  /** The bytes from `offset` on; `what` names them when the file ends before they do. */
  range(offset: number, size: number, what: string): Uint8Array {
    if (offset + size > this.size) {
      throw this.fault(
        what,
        `it should lie at offset ${hex(offset)} with ${size} bytes, but the file has only ${this.size} bytes`,
      );
    }
    return this.bytes.subarray(offset, offset + size);
  }

  u8(offset: number): number {
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  i32(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  /** An unsigned 64-bit size or file offset; above 2^53 it is rounded, and so still larger than any file. */
  u64(offset: number): number {
    return this.#view.getUint32(offset + 4, true) * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  /** An unsigned size or file offset of 4 or 8 bytes. */
  word(offset: number, size: 4 | 8): number {
    return size === 4 ? this.u32(offset) : this.u64(offset);
  }

  /** An address of 4 bytes, unsigned, or of 8, signed. */
  address(offset: number, size: 4 | 8, what: string): number {
    return size === 4 ? this.u32(offset) : this.i64(offset, what);
  }

  /** A signed difference of 4 or 8 bytes. */
  difference(offset: number, size: 4 | 8, what: string): number {
    return size === 4 ? this.i32(offset) : this.i64(offset, what);
  }

  /**
   * A 64-bit address or difference as a signed number. Canonical addresses of every supported 64-bit machine lie within
   * 2^53 of zero when they are read as signed (ffffffff81000000 is -7f000000), so that a number holds them exactly.
   */
  i64(offset: number, what: string): number {
    const high = this.#view.getInt32(offset + 4, true);
    if (high < -(2 ** 20) || high >= 2 ** 20) {
      const value = this.#view.getBigUint64(offset, true).toString(16);
      throw this.fault(what, `the value 0x${value} at offset ${hex(offset)} is no canonical address`);
    }
    return high * 2 ** 32 + this.#view.getUint32(offset, true);
  }
}

/** `0x2a`; a negative number as `-0x2a`. */
export function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
