import { FileView, hex } from "../file-view.js";
import { type Format, MOST_INFLATED, startsWith } from "./format.js";
import { gzip } from "./gzip.js";
import { bzImagePayload, describeOther, isZImage, type Payload, zbootPayload } from "./kernel-files.js";
import { lz4 } from "./lz4.js";
import { xz } from "./xz.js";
import { zstd } from "./zstd.js";

const formats: readonly Format[] = [xz, zstd, gzip, lz4];

/** Containers lie in one another at most so deep; an `Image.gz` of a kernel that unpacks itself has three. */
const DEEPEST = 8;

/** What was in a file, and what it was in. */
export type Unpacked = {
  readonly file: FileView;
  /** The containers from the outermost on, e.g. `bzImage`, `zstd`; empty for a file that is in none. */
  readonly containers: readonly string[];
};

/**
 * Takes a file out of all containers that it is in: compressions, and kernels that unpack themselves. What is in none is given back.
 *
 * @throws InputError when a container is broken, cut off, followed by something else or too large, or they do not come to an end.
 */
export async function unpack(outer: FileView): Promise<Unpacked> {
  let file = outer;
  const containers: string[] = [];
  for (;;) {
    const inner = await open(file);
    if (!inner) return { file, containers };
    containers.push(...inner.containers);
    if (containers.length > DEEPEST) throw file.fault("offset 0", `it is in more than ${DEEPEST} containers`);
    file = new FileView(inner.content, file.name);
  }
}

type Opened = { readonly content: Uint8Array; readonly containers: readonly string[] };

async function open(file: FileView): Promise<Opened | undefined> {
  const payload = bzImagePayload(file) ?? zbootPayload(file);
  if (payload) return openPayload(file, payload);
  if (isZImage(file)) return openZImage(file);
  const format = formats.find(({ magic }) => startsWith(file.bytes, 0, magic));
  if (!format) return undefined;
  const { content, end } = await format.inflate(file, 0, MOST_INFLATED);
  const rest = file.bytes.subarray(end);
  if (rest.some((byte) => byte !== 0))
    throw file.fault(`offset ${hex(end)}`, `${rest.length} bytes follow the ${format.name} stream; expected its end`);
  return { content, containers: [format.name] };
}

async function openPayload(file: FileView, payload: Payload): Promise<Opened> {
  const format = formats.find(({ magic }) => startsWith(file.bytes, payload.at, magic));
  if (!format) {
    const found = describeOther(file.bytes, payload.at) ?? "of no known compression";
    throw file.fault(`offset ${hex(payload.at)}`, `the payload of this ${payload.name} is ${found}`);
  }
  const inside = new FileView(file.bytes.subarray(0, payload.end), file.name);
  const { content, end } = await format.inflate(inside, payload.at, MOST_INFLATED);
  checkSize(file, format, content, end, payload.end);
  return { content, containers: [payload.name, format.name] };
}

/** Nothing in a zImage's header says where its payload is, and the decompressor holds the magic too. */
async function openZImage(file: FileView): Promise<Opened> {
  const found = formats
    .map((format) => ({ format, at: findStream(file, format) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)[0];
  if (!found) throw file.fault("offset 0x24", "this ARM zImage has no payload of a known compression");
  const { format, at } = found;
  const { content, end } = await format.inflate(file, at, MOST_INFLATED);
  checkSize(file, format, content, end, end + 4);
  return { content, containers: ["zImage", format.name] };
}

/** Where the first stream of a format begins; -1 when there is none. */
function findStream(file: FileView, { magic, begins }: Format): number {
  const first = magic[0] as number;
  let at = file.bytes.indexOf(first);
  while (at >= 0 && !(startsWith(file.bytes, at, magic) && begins(file, at))) at = file.bytes.indexOf(first, at + 1);
  return at;
}

/** The kernel's build puts the size of the content behind a payload; gzip has it at its own end. */
function checkSize(file: FileView, format: Format, content: Uint8Array, end: number, last: number): void {
  if (format === gzip) return;
  file.range(end, 4, "size of the payload");
  const size = file.u32(end);
  if (size === content.length && last === end + 4) return;
  throw file.fault(`offset ${hex(end)}`, `the payload inflates to ${content.length} bytes, but should to ${size}`);
}
