import { ByteWriter } from "./bytes.js";
import { eventTypes, type FieldKind, type RunEvent, runEvents } from "./events.js";
import type { Recording } from "./recording.js";

/*
 * The Common Trace Format, 1.8: a folder with `metadata`, a text that describes everything, and one stream for each CPU, here of one
 * packet. All numbers are little-endian and lie at whole bytes.
 */

/** The first bytes of every packet. */
const MAGIC = 0xc1fc1fc1;

/** Bytes of a packet before its first event: the magic number, the stream's id, then the packet's context. */
const HEADER = 4 + 4 + 4 * 8 + 4;

const declarations: { readonly [kind in FieldKind]: (name: string) => string } = {
  u32: (name) => `uint32_t _${name};`,
  address: (name) => `address_t _${name};`,
  text: (name) => `string _${name};`,
};

const integer = (name: string, size: number, more = ""): string =>
  `typealias integer { size = ${size}; align = 8; signed = false; byte_order = le;${more} } := ${name};\n`;

const metadata = (title: string): string => {
  const fields = "uint32_t _pid; string _comm;";
  const events = eventTypes.map(
    (type, id) =>
      `event {\n\tname = "${type.name}";\n\tid = ${id};\n\tstream_id = 0;\n\tfields := struct {\n${type.fields
        .map(({ name, kind }) => `\t\t${declarations[kind](name)}\n`)
        .join("")}\t};\n};\n`,
  );
  return `/* CTF 1.8 */
${integer("uint32_t", 32)}${integer("uint64_t", 64)}${integer("address_t", 64, " base = 16;")}
trace {
	major = 1;
	minor = 8;
	byte_order = le;
	packet.header := struct { uint32_t magic; uint32_t stream_id; };
};
env {
	domain = "kernel";
	tracer_name = "cmodx";
	title = ${JSON.stringify(title)};
};
clock {
	name = "monotonic";
	freq = 1000000000;
	offset = 0;
};
typealias integer { size = 64; align = 8; signed = false; byte_order = le; map = clock.monotonic.value; } := time_t;
stream {
	id = 0;
	packet.context := struct {
		time_t timestamp_begin;
		time_t timestamp_end;
		uint64_t content_size;
		uint64_t packet_size;
		uint32_t cpu_id;
	};
	event.header := struct { uint32_t id; time_t timestamp; };
	event.context := struct { ${fields} };
};
${events.join("")}`;
};

const put = (out: ByteWriter, { time, type, task, values }: RunEvent): void => {
  out.u32(eventTypes.indexOf(type)).u64(time).u32(task.pid).text(task.name, true);
  for (const { name, kind } of type.fields) {
    const value = values[name] as number | bigint | string;
    if (kind === "u32") out.u32(value as number);
    else if (kind === "address") out.u64(value as bigint);
    else out.text(value as string, true);
  }
};

/** A recording as a folder of CTF 1.8, which babeltrace2 and Trace Compass read: its files by their names. */
export const ctf = (recording: Recording): ReadonlyMap<string, Uint8Array> => {
  const files = new Map<string, Uint8Array>([["metadata", new TextEncoder().encode(metadata(recording.title))]]);
  const events = runEvents(recording);
  for (let cpu = 0; cpu < recording.cpus; cpu++) {
    const own = events.filter((event) => event.cpu === cpu);
    const content = new ByteWriter();
    for (const event of own) put(content, event);
    const bits = 8 * (HEADER + content.length);
    const out = new ByteWriter()
      .u32(MAGIC)
      .u32(0)
      .u64(own[0]?.time ?? 0n, own.at(-1)?.time ?? 0n, bits, bits)
      .u32(cpu);
    files.set(`cpu_${cpu}`, out.bytes(content.done()).done());
  }
  return files;
};
