import { decodePage, eventsOf, type PageFormat } from "@cmodx/ring-buffer";
import { ByteReader, unpadded } from "../bytes.js";
import { MAGIC } from "./write.js";

/** An event of a trace.dat. */
export type TraceDatEvent = {
  readonly time: bigint;
  readonly cpu: number;
  readonly pid: number;
  /** The name of its task; `<...>` where the file has none. */
  readonly task: string;
  readonly system: string;
  readonly name: string;
  readonly values: { readonly [field: string]: bigint | string };
  /** Where its page lies in the file. */
  readonly offset: number;
};

/** Events that were lost before a page. */
export type LostEvents = { readonly cpu: number; readonly time: bigint; readonly count: bigint | null };

/** What stands in a trace.dat. */
export type TraceDatContent = {
  readonly cpus: number;
  /** What the clock is called, such as `mono`; undefined where the file does not say. */
  readonly clock: string | undefined;
  /** The names of all types of events that it describes, each `system:name`. */
  readonly types: readonly string[];
  /** In the order of their times; those of one time by CPU. */
  readonly events: readonly TraceDatEvent[];
  readonly lost: readonly LostEvents[];
};

type Field = {
  readonly name: string;
  readonly kind: "number" | "text" | "located";
  readonly offset: number;
  readonly size: number;
};
type Format = { readonly system: string; readonly name: string; readonly fields: readonly Field[] };

/** The most types, tasks or CPUs that a file may have. */
const MOST = 100_000;

const FIELD = /field:(.+?)\s*;\s*offset:(\d+);\s*size:(\d+);/;

const fieldOf = (line: string): Field | undefined => {
  const [, declaration = "", offset, size] = FIELD.exec(line) ?? [];
  const [, name] = /(\w+)(?:\[[^\]]*\])?$/.exec(declaration) ?? [];
  if (name === undefined) return undefined;
  const located = declaration.startsWith("__data_loc");
  const kind = located ? "located" : /\bchar\b.*\[/.test(declaration) ? "text" : "number";
  return { name, kind, offset: Number(offset), size: Number(size) };
};

const formatsOf = (system: string, text: string): readonly [id: number, format: Format] | undefined => {
  const [, name] = /^name: *(\S+)/m.exec(text) ?? [];
  const [, id] = /^ID: *(\d+)/m.exec(text) ?? [];
  if (name === undefined || id === undefined) return undefined;
  const fields = text.split("\n").flatMap((line) => fieldOf(line) ?? []);
  return [Number(id), { system, name, fields: fields.filter((field) => !field.name.startsWith("common_")) }];
};

const fieldValue = ({ kind, offset, size }: Field, payload: Uint8Array): bigint | string | undefined => {
  if (offset + size > payload.length) return undefined;
  const bytes = payload.subarray(offset, offset + size);
  if (kind === "text") return unpadded(new TextDecoder().decode(bytes));
  let value = 0n;
  for (const [i, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * i);
  if (kind === "number") return value;
  const [from, length] = [Number(value & 0xffffn), Number(value >> 16n)];
  if (from + length > payload.length) return undefined;
  return unpadded(new TextDecoder().decode(payload.subarray(from, from + length)));
};

/**
 * Reads a trace.dat, version 6, little-endian, as `trace-cmd record --file-version 6` and {@link traceDat} write it.
 *
 * `file`: its name, for messages. Throws {@link InputError} with the offset where it is of another form or cut off.
 */
export const readTraceDat = (bytes: Uint8Array, file: string): TraceDatContent => {
  const input = new ByteReader(bytes, file);
  const count = (what: string, number: number): number => {
    if (number > MOST) throw input.fault(`it has ${number} ${what}, more than ${MOST}`);
    return number;
  };
  const expect = (text: string): void => {
    const { at } = input;
    const found = input.string();
    if (found !== text) throw input.fault(`"${text}" was expected, not ${shown(found)}`, at);
  };
  const sized = (): string => input.text(input.size());
  for (const byte of MAGIC) if (input.u8() !== byte) throw input.fault("it is no trace.dat", 0);
  if (input.text(7) !== "tracing") throw input.fault("it is no trace.dat", 3);
  const version = input.string();
  if (version !== "6")
    throw input.fault(
      `version ${shown(version)} was found, 6 is read: trace-cmd record --file-version 6 writes it`,
      10,
    );
  if (input.u8() !== 0) throw input.fault("it is of a big-endian machine; little-endian is read");
  const long = input.u8();
  if (long === 4) throw input.fault("it is of a 32-bit machine; 64-bit is read");
  if (long !== 8) throw input.fault(`a long of ${long} bytes was found, 8 were expected`);
  const format: PageFormat = { size: input.u32(), long };
  if (format.size < 64 || format.size > 2 ** 20) throw input.fault(`a page of ${format.size} bytes was found`);
  expect("header_page");
  sized();
  expect("header_event");
  sized();
  const formats = new Map<number, Format>();
  const describe = (system: string, number: number): void => {
    for (let i = 0; i < number; i++) {
      const { at } = input;
      const described = formatsOf(system, sized());
      if (described === undefined) throw input.fault("the description of an event has no name or no ID", at);
      formats.set(...described);
    }
  };
  describe("ftrace", count("formats", input.u32()));
  for (let systems = count("systems", input.u32()); systems > 0; systems--)
    describe(input.string(), count("formats", input.u32()));
  input.slice(input.u32());
  input.slice(input.u32());
  const tasks = new Map<number, string>();
  for (const line of sized().split("\n")) {
    const [, pid, name] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    if (pid !== undefined) tasks.set(Number(pid), name as string);
  }
  const cpus = count("CPUs", input.u32());
  const section = input.text(10);
  let clock: string | undefined;
  if (section.startsWith("options")) {
    for (let id = input.u16(); id !== 0; id = input.u16()) {
      const data = unpadded(input.text(input.u32()));
      if (id === CLOCK) clock = /\[([^\]]*)\]/.exec(data)?.[1] ?? data;
      if (clock !== undefined && !CLOCKS.has(clock))
        throw input.fault(`its clock is ${shown(clock)}, expected one of ${[...CLOCKS].join(", ")}`);
    }
    const kind = input.text(10);
    if (!kind.startsWith("flyrecord")) throw input.fault(`"flyrecord" was expected, not ${shown(kind)}`);
  } else if (!section.startsWith("flyrecord")) throw input.fault(`"flyrecord" was expected, not ${shown(section)}`);

  const events: TraceDatEvent[] = [];
  const lost: LostEvents[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const [from, length] = [input.size(), input.size()];
    if (from + length > bytes.length)
      throw input.fault(`the pages of CPU ${cpu} end at ${from + length}, past the file's ${bytes.length} bytes`);
    let last = 0n;
    for (let at = from; at < from + length; at += format.size) {
      if (at + format.size > bytes.length) throw input.fault("the file ends within a page", at);
      const page = pageAt(bytes, at, format, file);
      if (page.lost !== undefined) lost.push({ cpu, time: page.time, count: page.lost.count ?? null });
      for (const { time, payload } of eventsOf(page)) {
        if (time < last) throw input.fault(`an event of CPU ${cpu} is earlier than the one before it`, at);
        last = time;
        if (payload.length < 8) throw input.fault(`an event of ${payload.length} bytes was found`, at);
        const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
        const pid = view.getInt32(4, true);
        const of = formats.get(view.getUint16(0, true));
        const task = tasks.get(pid) ?? (pid === 0 ? "<idle>" : "<...>");
        const { system = "?", name = `type ${view.getUint16(0, true)}`, fields = [] } = of ?? {};
        const values = Object.fromEntries(
          fields.flatMap((field) => {
            const value = fieldValue(field, payload);
            return value === undefined ? [] : [[field.name, value] as const];
          }),
        );
        events.push({ time, cpu, pid, task, system, name, values, offset: at });
      }
    }
  }
  const types = [...formats.values()].map(({ system, name }) => `${system}:${name}`);
  events.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return { cpus, clock, types, events, lost };
};

/** A text of a file as a message shows it: on one line. */
const shown = (text: string): string => JSON.stringify(unpadded(text).slice(0, 40));

const CLOCK = 4;

/** The clocks of a kernel's tracer (Documentation/trace/ftrace.rst, 6.12). */
const CLOCKS: ReadonlySet<string> = new Set([
  "local",
  "global",
  "counter",
  "uptime",
  "perf",
  "mono",
  "mono_raw",
  "boot",
  "tai",
  "x86-tsc",
]);

const pageAt = (bytes: Uint8Array, at: number, format: PageFormat, file: string): ReturnType<typeof decodePage> => {
  try {
    return decodePage(bytes.subarray(at, at + format.size), format);
  } catch (error) {
    throw new ByteReader(bytes, file).fault((error as Error).message.replace(/\.$/, ""), at);
  }
};
