import { crc32 } from "node:zlib";
import library from "xz-decompress";
import type { FileView } from "../file-view.js";
import { filters } from "./bcj.js";
import { brokenStream, type Format, type Inflated, limitInflated } from "./format.js";
import { hasHeader, magic, plainStream, walkStream, type XzBlock } from "./xz-stream.js";

const CRC32 = 1;

/** The largest dictionary that the library sets aside, in bytes. */
const LARGEST = 2 ** 26;

/**
 * One stream. The library knows LZMA2 alone, no large dictionaries, and takes what it can get: so the stream is walked first, and a
 * block that it does not know is given to it as a stream of its own, without the filter and the check, which are then undone and made
 * here.
 */
export const xz: Format = {
  name: "xz",
  magic,
  begins: hasHeader,
  async inflate(file, at, most): Promise<Inflated> {
    const stream = walkStream(file, at);
    const size = stream.blocks.reduce((sum, block) => sum + block.size, 0);
    limitInflated(file, at, size, most);
    const content = new Uint8Array(size);
    const known = stream.blocks.every((block) => block.filters.length === 1 && dictionaryOf(block) <= LARGEST);
    // Beside a CRC32, which Node computes many times faster, each block is inflated alone.
    if (known && stream.check !== CRC32) {
      await decode(file, at, file.bytes.subarray(at, stream.end), content);
      return { content, end: stream.end };
    }
    let produced = 0;
    for (const block of stream.blocks) {
      const into = content.subarray(produced, produced + block.size);
      await decode(file, at, plainStream(block, smallestDictionary(file, at, block)), into);
      undo(file, at, block, into, stream.check);
      produced += block.size;
    }
    return { content, end: stream.end };
  },
};

/** Bytes of a dictionary by LZMA2's property (5.3.1). */
const dictionarySize = (bits: number): number => (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);

function dictionaryOf({ filters }: XzBlock): number {
  return dictionarySize(filters[filters.length - 1]?.properties[0] as number);
}

/** Of a dictionary no more than the content itself is of use. */
function smallestDictionary(file: FileView, at: number, block: XzBlock): number {
  const needed = Math.min(dictionaryOf(block), block.size);
  if (needed > LARGEST)
    throw brokenStream(file, at, "xz", `its dictionary has ${needed} bytes, more than ${LARGEST}: unpack it first`);
  let bits = 0;
  while (dictionarySize(bits) < needed) bits++;
  return bits;
}

function undo(file: FileView, at: number, block: XzBlock, content: Uint8Array, check: number): void {
  for (const { id, properties } of block.filters.slice(0, -1).reverse()) {
    const filter = filters.get(id);
    if (!filter || properties.length > 0)
      throw brokenStream(file, at, "xz", `filter ${id} is not one of ${[...filters.values()].map(({ name }) => name)}`);
    filter.undo(content);
  }
  if (check !== CRC32)
    throw brokenStream(
      file,
      at,
      "xz",
      `beside a filter or a large dictionary its check is of kind ${check}, not CRC32`,
    );
  const held = new DataView(block.check.buffer, block.check.byteOffset).getUint32(0, true);
  if (crc32(content) !== held) throw brokenStream(file, at, "xz", "its content does not agree with its CRC32");
}

/** Has the library inflate a stream into exactly `content`. */
async function decode(file: FileView, at: number, stream: Uint8Array, content: Uint8Array): Promise<void> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(stream);
      controller.close();
    },
  });
  const reader = new library.XzReadableStream(source).getReader();
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (size + value.length <= content.length) content.set(value, size);
      size += value.length;
    }
  } catch (error) {
    throw brokenStream(file, at, "xz", (error as Error).message);
  }
  if (size !== content.length)
    throw brokenStream(file, at, "xz", `it inflates to ${size} bytes, but its index says ${content.length}`);
}
