/** What is used of lz4js, which has no types of its own. */
declare module "lz4js" {
  /** Inflates the block of `length` bytes at `at`; checks nothing. Returns the index behind the last byte written. */
  export function decompressBlock(from: Uint8Array, into: Uint8Array, at: number, length: number, to: number): number;
}
