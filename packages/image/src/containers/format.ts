import type { FileView } from "../file-view.js";
import { hex } from "../file-view.js";

/** The most bytes that a compressed file may inflate to: no kernel without debug information comes near. */
export const MOST_INFLATED = 2 ** 28;

/** What a compressed stream holds, and where in the file the stream ends. */
export type Inflated = { readonly content: Uint8Array; readonly end: number };

/** A compression that kernels and modules are shipped in. */
export interface Format {
  /** As the tool that undoes it is called. */
  readonly name: string;
  /** What a stream starts with. */
  readonly magic: readonly number[];
  /** Whether what stands behind a magic is the start of a stream, and not a decompressor's constant. Throws nothing. */
  begins(file: FileView, at: number): boolean;
  /**
   * Inflates the stream at `at`; what is broken, cut off, does not agree with its own checks or inflates to more than `most`
   * bytes is an InputError.
   */
  inflate(file: FileView, at: number, most: number): Promise<Inflated>;
}

/** Whether a magic stands at an offset. */
export function startsWith(bytes: Uint8Array, at: number, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[at + i] === byte);
}

/** Refuses what would inflate to more than `most` bytes. */
export function limitInflated(file: FileView, at: number, size: number, most: number): void {
  if (size <= most) return;
  throw file.fault(`offset ${hex(at)}`, `it inflates to ${size} bytes; expected at most ${most}: unpack it first`);
}

/** The error for a stream that its library refuses. */
export function brokenStream(file: FileView, at: number, format: string, why: string): Error {
  return file.fault(`offset ${hex(at)}`, `the ${format} stream is broken (${why}); expected a whole one`);
}

/** Whether something can be read. */
export function reads(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
