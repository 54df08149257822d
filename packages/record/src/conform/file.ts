import { fromHex, InputError } from "@cmodx/core";
import { readPerfData } from "../perf/read.js";
import { readTraceDat, type TraceDatEvent } from "../trace-dat/read.js";
import type { Log, LogLine } from "./log.js";
import { eventOf, MOST_WRITTEN, readLogText, writeOf } from "./text.js";

/** Probes of a trace.dat by their names: those of `cmodx conform --how`, and those that have the name of the function. */
const PROBES: { readonly [name: string]: "write" | "sync" | "round" | "event" | "call" | "return" } = {
  poke: "write",
  tp: "write",
  sync_core: "sync",
  do_sync_core: "sync",
  each_cpu: "round",
  on_each_cpu_cond_mask: "round",
  perf_event_text_poke: "event",
  key_enable: "call",
  key_disable: "call",
  key_enabled: "return",
  key_disabled: "return",
};

type Place = Pick<LogLine, "number" | "time" | "cpu">;

/** An event that cmodx recorded itself. */
const recorded = (at: Place, { name, values }: TraceDatEvent): LogLine | undefined => {
  const text = (field: string): readonly number[] => {
    const hex = String(values[field] ?? "");
    return /^([0-9a-f]{2})*$/.test(hex) ? fromHex(hex) : [];
  };
  const address = BigInt(values.address ?? 0n);
  if (name === "text_poke" || name === "text_poke_event") {
    const [bytes, old] = [text("new"), text("old")];
    if (bytes.length < 1 || bytes.length > MOST_WRITTEN) return undefined;
    return name === "text_poke"
      ? { ...at, kind: "write", address, length: bytes.length, bytes, old }
      : { ...at, kind: "event", address, length: bytes.length, begins: values.begins === 1n };
  }
  // Who sends an interrupt to synchronise all may synchronise itself in the same step.
  if (name === "sync_core" || (name === "ipi_send" && values.self === 1n)) return { ...at, kind: "sync" };
  if (name === "call" || name === "return") return { ...at, kind: name };
  return undefined;
};

/** The pieces of one store as one write: at the time of the last, since only then all is written. */
const joined = (lines: readonly LogLine[], steps: ReadonlyMap<number, string>): readonly LogLine[] => {
  const found: LogLine[] = [];
  for (const line of lines) {
    const i =
      line.kind === "write" ? found.findLastIndex((other) => other.kind === "write" && other.cpu === line.cpu) : -1;
    const before = found[i];
    if (
      line.kind === "write" &&
      before?.kind === "write" &&
      before.address + BigInt(before.length) === line.address &&
      steps.get(before.number) === steps.get(line.number) &&
      !found.slice(i).some(({ kind, cpu }) => cpu === line.cpu && kind !== "write")
    ) {
      found.splice(i, 1);
      const old = [...(before.old ?? []), ...(line.old ?? [])];
      const { address, length, bytes } = before;
      found.push({ ...line, address, length: length + line.length, bytes: [...bytes, ...line.bytes], old });
    } else found.push(line);
  }
  return found;
};

const readTraceDatLog = (bytes: Uint8Array, file: string): Log => {
  const content = readTraceDat(bytes, file);
  if (content.clock === "local" || content.clock === "uptime" || content.clock === "counter")
    throw new InputError(
      `${file}: its clock is ${content.clock}, which does not order what different CPUs did; record with mono or global.`,
      { file, place: "clock", code: "unreadable" },
    );
  const steps = new Map<number, string>();
  const lines: LogLine[] = [];
  for (const [i, event] of content.events.entries()) {
    const at = { number: i + 1, time: event.time, cpu: event.cpu };
    if (event.system === "cmodx") {
      const line = recorded(at, event);
      if (line !== undefined) lines.push(line);
      steps.set(at.number, String(event.values.step ?? ""));
      continue;
    }
    const name = event.name.replace(/^e_/, "");
    const kind = Object.hasOwn(PROBES, name) ? PROBES[name] : undefined;
    if (kind === undefined) continue;
    const fail = (expected: string): InputError =>
      new InputError(`${file}: event ${at.number}: ${expected}.`, {
        file,
        place: `event ${at.number}`,
        code: "unreadable",
      });
    const fields = new Map(
      Object.entries(event.values).flatMap(([field, value]) => (typeof value === "bigint" ? [[field, value]] : [])),
    );
    if (kind === "write") lines.push({ ...at, ...writeOf(fields, fail) });
    else if (kind === "event") lines.push({ ...at, ...eventOf(fields, fail) });
    else lines.push({ ...at, kind });
  }
  for (const { cpu, time } of content.lost) {
    const at = lines.findIndex((line) => line.time >= time && line.cpu === cpu);
    const place = at < 0 ? lines.length : at;
    lines.splice(place, 0, { number: lines[place]?.number ?? content.events.length, time, cpu, kind: "lost" });
  }
  return { counts: "event", cpus: content.cpus, lines: joined(lines, steps) };
};

const readPerfLog = (bytes: Uint8Array, file: string): Log => {
  const { textPokes, lost } = readPerfData(bytes, file);
  const lines = textPokes.map(
    ({ time, cpu, address, next }, i): LogLine => ({
      number: i + 1,
      time,
      cpu,
      kind: "event",
      address,
      length: next.length / 2,
      begins: false,
    }),
  );
  const first = lines[0];
  const marks: readonly LogLine[] = lost > 0n ? [{ number: 1, time: first?.time ?? 0n, cpu: 0, kind: "lost" }] : [];
  return { counts: "event", cpus: Math.max(1, ...lines.map(({ cpu }) => cpu + 1)), lines: [...marks, ...lines] };
};

/**
 * Reads a log, whatever it is: the text of a trace, a trace.dat, a perf.data.
 *
 * `file`: its name, for messages. Throws {@link InputError} with the place where it is of another form, cut off, or out of order.
 */
export const readLog = (bytes: Uint8Array, file: string): Log => {
  const starts = (...head: readonly number[]): boolean => head.every((byte, i) => bytes[i] === byte);
  if (starts(0x17, 0x08, 0x44)) return readTraceDatLog(bytes, file);
  const head = new TextDecoder().decode(bytes.subarray(0, 8));
  if (head === "PERFILE2" || head === "2ELIFREP") return readPerfLog(bytes, file);
  return readLogText(new TextDecoder().decode(bytes), file);
};
