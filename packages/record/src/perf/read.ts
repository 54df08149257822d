import { toHex } from "@cmodx/core";
import { ByteReader } from "../bytes.js";
import { RECORD, type Stamp, type TextPoke } from "./records.js";

/** A record of a perf.data. */
export type PerfRecord = {
  readonly type: number;
  readonly misc: number;
  readonly offset: number;
  readonly body: Uint8Array;
};

/** A change of code that a perf.data tells. */
export type PerfTextPoke = TextPoke & {
  readonly time: bigint;
  readonly cpu: number;
  readonly pid: number;
  /** Of the event that it belongs to. */
  readonly id: number;
  readonly offset: number;
};

/** What stands in a perf.data. */
export type PerfContent = {
  readonly records: readonly PerfRecord[];
  readonly textPokes: readonly PerfTextPoke[];
  /** Records that say that events were lost: how many. */
  readonly lost: bigint;
};

const MAGIC = "PERFILE2";
const LOST = 2;
const [SAMPLE_ID_ALL, USE_CLOCKID] = [1n << 18n, 1n << 25n];
/** Where an attr has its clock: CLOCK_REALTIME, _MONOTONIC, _MONOTONIC_RAW, _BOOTTIME or _TAI. */
const CLOCKID_AT = 92;
const CLOCKS: ReadonlySet<number> = new Set([0, 1, 4, 7, 11]);

/** Bytes of a `sample_id` with TID, TIME, ID, CPU, as far as its attr has them, in the kernel's order. */
const [TID, TIME, ID, STREAM, CPU, IDENTIFIER] = [1n << 1n, 1n << 2n, 1n << 6n, 1n << 9n, 1n << 7n, 1n << 16n] as const;

/** The end of a record of the kernel, of an event with this `sample_type`. */
export const readStamp = (record: PerfRecord, sampleType: bigint, file: string): Stamp => {
  const fields = [TID, TIME, ID, STREAM, CPU, IDENTIFIER].filter((field) => (sampleType & field) !== 0n);
  const from = record.body.length - 8 * fields.length;
  const input = new ByteReader(record.body, file, Math.max(from, 0));
  let [pid, time, cpu, id] = [0, 0n, 0, 0];
  for (const field of fields) {
    const value = input.u64();
    if (field === TID) pid = Number(value & 0xffff_ffffn);
    else if (field === TIME) time = value;
    else if (field === CPU) cpu = Number(value & 0xffff_ffffn);
    else if (field === ID || field === IDENTIFIER) id = Number(value);
  }
  return { pid, time, cpu, id };
};

/** The records that lie one behind the other; throws {@link InputError} where one does not fit. */
export const readRecords = (bytes: Uint8Array, file: string, from = 0, to = bytes.length): readonly PerfRecord[] => {
  const input = new ByteReader(bytes.subarray(0, to), file, from);
  const records: PerfRecord[] = [];
  while (!input.ended) {
    const offset = input.at;
    const [type, misc, size] = [input.u32(), input.u16(), input.u16()];
    if (size < 8 || size % 8 !== 0) throw input.fault(`a record of ${size} bytes was found`, offset);
    const body = input.slice(size - 8);
    records.push({ type, misc, offset, body });
    if (type === RECORD.auxtrace) {
      // The trace itself lies behind its record.
      input.slice(Number(new ByteReader(body, file).u64()));
    }
  }
  return records;
};

/** Reads a PERF_RECORD_TEXT_POKE. */
export const readTextPoke = (record: PerfRecord, file: string): TextPoke => {
  const input = new ByteReader(record.body, file);
  const address = input.u64();
  const [old, next] = [input.u16(), input.u16()];
  return { address, old: toHex(input.slice(old)), next: toHex(input.slice(next)) };
};

/** Where a header has a bit for each of its features, in four words; a directory of these lies behind the records. */
const FEATURES_AT = 72;

/** Throws {@link InputError} where a feature of a perf.data is cut off. */
const assertFeatures = (bytes: Uint8Array, file: string, directory: number): void => {
  const header = new ByteReader(bytes, file, FEATURES_AT);
  let bits = [header.u64(), header.u64(), header.u64(), header.u64()].reduce(
    (sum, word, i) => sum | (word << BigInt(64 * i)),
    0n,
  );
  const entries = new ByteReader(bytes, file, directory);
  for (; bits !== 0n; bits &= bits - 1n) {
    const { at } = entries;
    const [from, size] = [entries.size(), entries.size()];
    if (from + size > bytes.length)
      throw entries.fault(`a feature ends at ${from + size}, past the file's ${bytes.length} bytes`, at);
  }
};

/**
 * Reads a perf.data: its records, and the changes of code among them in the order of their times.
 *
 * `file`: its name, for messages. Throws {@link InputError} with the offset where it is of another form or cut off.
 */
export const readPerfData = (bytes: Uint8Array, file: string): PerfContent => {
  const input = new ByteReader(bytes, file);
  const magic = input.text(8);
  if (magic === [...MAGIC].reverse().join(""))
    throw input.fault("it is of a big-endian machine; little-endian is read", 0);
  if (magic !== MAGIC) throw input.fault("it is no perf.data", 0);
  input.u64();
  const attrSize = input.size();
  const [attrs, attrsSize, from, size] = [input.size(), input.size(), input.size(), input.size()];
  if (size === 0) throw input.fault("it holds no records; was perf ended before it was done?", 48);
  if (attrSize < 64 || attrsSize < attrSize) throw input.fault("it describes no event", 16);
  const attr = new ByteReader(bytes, file, attrs);
  attr.u32();
  attr.u32();
  attr.u64();
  attr.u64();
  const sampleType = attr.u64();
  attr.u64();
  const flags = attr.u64();
  if ((flags & SAMPLE_ID_ALL) === 0n) throw input.fault("its records have no times: sample_id_all is not set", attrs);
  if ((flags & USE_CLOCKID) !== 0n) {
    const clock = new ByteReader(bytes, file, attrs + CLOCKID_AT).i32();
    if (!CLOCKS.has(clock))
      throw input.fault(
        `its clock is ${clock}, expected ${[...CLOCKS].join(", ")}, as clock_gettime has them`,
        attrs + CLOCKID_AT,
      );
  }
  if (from + size > bytes.length)
    throw input.fault(`its records end at ${from + size}, past the file's ${bytes.length} bytes`, 40);
  assertFeatures(bytes, file, from + size);
  const records = readRecords(bytes, file, from, from + size);
  const textPokes = records
    .filter(({ type }) => type === RECORD.textPoke)
    .map((record): PerfTextPoke => {
      const fault = (error: unknown) =>
        new ByteReader(bytes, file).fault((error as Error).message.replace(/\.$/, ""), record.offset);
      try {
        return { ...readTextPoke(record, file), ...readStamp(record, sampleType, file), offset: record.offset };
      } catch (error) {
        throw fault(error);
      }
    });
  const latest = new Map<number, bigint>();
  for (const { cpu, time, offset } of textPokes) {
    if (time < (latest.get(cpu) ?? 0n))
      throw input.fault(`a change on CPU ${cpu} is earlier than the one before it`, offset);
    latest.set(cpu, time);
  }
  const lost = records
    .filter(({ type }) => type === LOST)
    .reduce((sum, { body }) => sum + (body.length >= 16 ? new ByteReader(body, file, 8).u64() : 0n), 0n);
  return { records, textPokes: [...textPokes].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)), lost };
};
