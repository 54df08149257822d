import { ZSTDDecoder } from "zstddec";
import type { FileView } from "../file-view.js";
import { brokenStream, type Format, limitInflated, reads } from "./format.js";

/** RFC 8878, 3.1.1: frame headers, and blocks of at most this size. */
const BLOCK = 2 ** 17;
const magic = [0x28, 0xb5, 0x2f, 0xfd];

/**
 * One frame. The library trusts the sizes that it is given and tells errors by lengths, so that frame and blocks are walked first:
 * where the header does not say what the content's size is, the blocks say what it is at most.
 */
export const zstd: Format = {
  name: "zstd",
  magic,
  begins: (file, at) => reads(() => walkFrame(file, at)),
  async inflate(file, at, most) {
    const frame = walkFrame(file, at);
    limitInflated(file, at, frame.size ?? frame.most, most);
    const decoder = new ZSTDDecoder();
    await decoder.init();
    const content = decoder.decode(file.bytes.subarray(at, frame.end), Math.max(1, frame.size ?? frame.most));
    const wrong = frame.size === undefined ? content.length === 0 && frame.most > 0 : content.length !== frame.size;
    if (wrong) throw brokenStream(file, at, "zstd", "its content does not agree with its sizes or its checksum");
    return { content, end: frame.end };
  },
};

/** Where a frame ends, and its content's size: what the header says, if it does, and what the blocks can hold. */
function walkFrame(file: FileView, start: number): { end: number; size: number | undefined; most: number } {
  const need = (at: number, bytes: number): number => {
    if (at + bytes > file.size) throw brokenStream(file, start, "zstd", "it is cut off");
    return at;
  };
  const descriptor = file.u8(need(start + 4, 1));
  const single = (descriptor & 0x20) !== 0;
  if ((descriptor & 8) !== 0) throw brokenStream(file, start, "zstd", "a reserved bit is set");
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
  if (dictionary !== 0) throw brokenStream(file, start, "zstd", "it needs a dictionary");
  let at = start + 5 + (single ? 0 : 1);
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  need(at, sizeBytes);
  const size = [() => undefined, () => file.u8(at), () => file.u16(at) + 256, () => file.u32(at), () => file.u64(at)];
  const stated = (size[[0, 1, 2, 4, 8].indexOf(sizeBytes)] as () => number | undefined)();
  at += sizeBytes;
  let most = 0;
  for (let last = false; !last; ) {
    need(at, 3);
    const header = file.u16(at) | (file.u8(at + 2) << 16);
    const [type, length] = [(header >> 1) & 3, header >> 3];
    if (type === 3 || length > BLOCK)
      throw brokenStream(file, start, "zstd", "a block of a type or size that none has");
    most += type === 2 ? BLOCK : length;
    at = need(at + 3, type === 1 ? 1 : length) + (type === 1 ? 1 : length);
    last = (header & 1) !== 0;
  }
  return { end: need(at, (descriptor & 4) === 0 ? 0 : 4) + ((descriptor & 4) === 0 ? 0 : 4), size: stated, most };
}
