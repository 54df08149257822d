import { decompressBlock } from "lz4js";
import type { FileView } from "../file-view.js";
import { brokenStream, type Format, limitInflated, reads } from "./format.js";

/** What a block inflates to at most; every one but the last does to exactly this (lz4, doc/lz4_Frame_format.md, "Legacy frame"). */
const BLOCK = 2 ** 23;
const magic = [0x02, 0x21, 0x4c, 0x18];

/**
 * The legacy frame: blocks, each behind its length, to the end of the data. Linux puts the size of the whole behind the last block,
 * which is then no length of a block: what is left must be four bytes.
 *
 * The library checks nothing, so that every block is measured before it is inflated.
 */
export const lz4: Format = {
  name: "lz4",
  magic,
  begins: (file, at) => reads(() => measureBlock(file, at + 8, file.u32(at + 4))),
  async inflate(file, at, most) {
    const blocks: { readonly at: number; readonly length: number; readonly size: number }[] = [];
    let end = at + magic.length;
    let size = 0;
    while (file.size - end > 4) {
      const length = file.u32(end);
      if (length === 0 || length > file.size - end - 4)
        throw brokenStream(file, end, "lz4", `a block of ${length} bytes, of which ${file.size - end - 4} are there`);
      if (blocks.length > 0 && size % BLOCK !== 0) throw brokenStream(file, end, "lz4", "a block follows the last one");
      const block = { at: end + 4, length, size: measureBlock(file, end + 4, length) };
      blocks.push(block);
      size += block.size;
      end = block.at + length;
      limitInflated(file, at, size, most);
    }
    const content = new Uint8Array(size);
    let produced = 0;
    for (const block of blocks) {
      const into = content.subarray(produced, produced + block.size);
      decompressBlock(file.bytes, into, block.at, block.length, 0);
      produced += block.size;
    }
    return { content, end };
  },
};

/** How many bytes a block inflates to; its lengths and distances are checked (lz4, doc/lz4_Block_format.md). */
function measureBlock(file: FileView, start: number, length: number): number {
  const bytes = file.range(0, start + length, "lz4 block");
  const end = start + length;
  const broken = (why: string): Error => brokenStream(file, start, "lz4", why);
  let at = start;
  let size = 0;
  const extended = (nibble: number): number => {
    let sum = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; sum += byte) {
      if (at >= end) throw broken("a length is cut off");
      byte = bytes[at++] as number;
    }
    return sum;
  };
  for (;;) {
    if (at >= end) throw broken("its last sequence is cut off");
    const token = bytes[at++] as number;
    const literals = extended(token >> 4);
    at += literals;
    size += literals;
    if (at > end) throw broken("literals are cut off");
    if (size > BLOCK) throw broken(`a block inflates to more than ${BLOCK} bytes`);
    if (at === end) return size;
    if (at + 2 > end) throw broken("a distance is cut off");
    const distance = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    at += 2;
    if (distance === 0 || distance > size) throw broken(`a distance of ${distance} bytes after ${size}`);
    size += 4 + extended(token & 15);
    if (size > BLOCK) throw broken(`a block inflates to more than ${BLOCK} bytes`);
  }
}
