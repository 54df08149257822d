import { PAGE, pagesOf } from "@cmodx/ring-buffer";
import { ByteWriter } from "../bytes.js";
import { type EventType, eventTypes, type FieldKind, type RunEvent, runEvents } from "../events.js";
import type { Recording } from "../recording.js";

/*
 * trace.dat, version 6, as trace-cmd writes it (trace-cmd.dat.v6.5): the texts of the ring buffer's and of the events' formats, the
 * names of tasks, then for each CPU pages of the kernel's ring buffer.
 */

/** The first bytes of a trace.dat. */
export const MAGIC: readonly number[] = [0x17, 0x08, 0x44];

/** The system that our events are of. */
const SYSTEM = "cmodx";

/** The id of our first type of events. */
const FIRST_ID = 1000;

/** Bytes that every event has first: its type's id, flags, the preempt count, the pid. */
const COMMON = 8;

const sizes: { readonly [kind in FieldKind]: number } = { u32: 4, address: 8, text: 4 };

/** The fields of a type with their places in an event. */
const laidOut = (type: EventType) => {
  let at = COMMON;
  const fields = type.fields.map((field) => {
    const size = sizes[field.kind];
    const offset = Math.ceil(at / size) * size;
    at = offset + size;
    return { ...field, offset, size };
  });
  return { fields, size: at };
};

const declarations: { readonly [kind in FieldKind]: (name: string) => string } = {
  u32: (name) => `unsigned int ${name}`,
  address: (name) => `unsigned long ${name}`,
  text: (name) => `__data_loc char[] ${name}`,
};

const prints: { readonly [kind in FieldKind]: readonly [format: string, value: (name: string) => string] } = {
  u32: ["%u", (name) => `REC->${name}`],
  address: ["0x%lx", (name) => `REC->${name}`],
  text: ["%s", (name) => `__get_str(${name})`],
};

const line = (declaration: string, offset: number, size: number, signed = 0): string =>
  `\tfield:${declaration};\toffset:${offset};\tsize:${size};\tsigned:${signed};\n`;

/** The text that describes a type of events, as `events/SYSTEM/NAME/format` has it. */
const formatOf = (type: EventType, id: number): string => {
  const common = [
    line("unsigned short common_type", 0, 2),
    line("unsigned char common_flags", 2, 1),
    line("unsigned char common_preempt_count", 3, 1),
    line("int common_pid", 4, 4, 1),
  ].join("");
  const { fields } = laidOut(type);
  const own = fields.map(({ name, kind, offset, size }) => line(declarations[kind](name), offset, size)).join("");
  const format = fields.map(({ name, kind }) => `${name}=${prints[kind][0]}`).join(" ");
  const values = fields.map(({ name, kind }) => prints[kind][1](name)).join(", ");
  return `name: ${type.name}\nID: ${id}\nformat:\n${common}\n${own}\nprint fmt: "${format}", ${values}\n`;
};

/** The bytes of an event: what all have, its fields, then its texts. */
const payloadOf = ({ type, task, values }: RunEvent): Uint8Array => {
  const { fields, size } = laidOut(type);
  const texts = new ByteWriter();
  const event = new ByteWriter()
    .u16(FIRST_ID + eventTypes.indexOf(type))
    .u8(0, 0)
    .u32(task.pid);
  for (const { name, kind, offset } of fields) {
    event.bytes(new Uint8Array(offset - event.length));
    const value = values[name] as number | bigint | string;
    if (kind === "u32") event.u32(value as number);
    else if (kind === "address") event.u64(value as bigint);
    else {
      const from = size + texts.length;
      texts.text(value as string, true);
      event.u32(((size + texts.length - from) << 16) | from);
    }
  }
  return event.bytes(texts.done()).done();
};

const HEADER_PAGE = [
  line("u64 timestamp", 0, 8),
  line("local_t commit", 8, 8, 1),
  line("int overwrite", 8, 1, 1),
  line("char data", 16, PAGE.size - 16),
].join("");

const HEADER_EVENT = `# compressed entry header
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits

\tpadding     : type == 29
\ttime_extend : type == 30
\ttime_stamp : type == 31
\tdata max type_len  == 28
`;

/** Options of a trace.dat: the clock, and how many CPUs were traced. */
const [CLOCK, CPUS] = [4, 8];

/** The bytes of a trace.dat of a recording. */
export const traceDat = (recording: Recording): Uint8Array => {
  const out = new ByteWriter();
  const sized = (text: string): void => {
    out.u64(new TextEncoder().encode(text).length).text(text);
  };
  out
    .u8(...MAGIC)
    .text("tracing")
    .text("6", true)
    .u8(0, 8)
    .u32(PAGE.size);
  out.text("header_page", true);
  sized(HEADER_PAGE);
  out.text("header_event", true);
  sized(HEADER_EVENT);
  out.u32(0);
  out.u32(1).text(SYSTEM, true).u32(eventTypes.length);
  for (const [index, type] of eventTypes.entries()) sized(formatOf(type, FIRST_ID + index));
  // No symbols of the kernel, no formats of trace_printk.
  out.u32(0).u32(0);
  sized(recording.tasks.map(({ pid, name }) => `${pid} ${name}\n`).join(""));
  out.u32(recording.cpus);
  out.text("options  ", true);
  const clock = "local [global]\0";
  out.u16(CLOCK).u32(clock.length).text(clock);
  out.u16(CPUS).u32(4).u32(recording.cpus);
  out.u16(0);
  out.text("flyrecord", true);
  const directory = out.length;
  for (let cpu = 0; cpu < recording.cpus; cpu++) out.u64(0, 0);
  const events = runEvents(recording).map((event) => ({
    cpu: event.cpu,
    time: event.time,
    payload: payloadOf(event),
  }));
  out.pad(PAGE.size);
  for (let cpu = 0; cpu < recording.cpus; cpu++) {
    const from = out.length;
    for (const page of pagesOf(events.filter((event) => event.cpu === cpu))) out.bytes(page);
    out.put64(directory + 16 * cpu, from);
    out.put64(directory + 16 * cpu + 8, out.length - from);
  }
  return out.done();
};
