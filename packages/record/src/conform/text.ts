import { InputError } from "@cmodx/core";
import type { Log, LogLine } from "./log.js";

/*
 * The text of `trace` in tracefs, with probes as `cmodx conform --how` sets them up, and excerpts of it whose sections begin with `@@`.
 */

/** What a probe at the entry of a function of the kernel says. */
const FUNCTIONS: { readonly [name: string]: "write" | "sync" | "round" | "event" | "call" } = {
  __text_poke: "write",
  do_sync_core: "sync",
  on_each_cpu_cond_mask: "round",
  perf_event_text_poke: "event",
  static_key_enable_cpuslocked: "call",
  static_key_disable_cpuslocked: "call",
};

const LINE = /^\s*(.{1,40}?)-(\d+)\s+\[(\d+)\]\s+(?:\S+\s+)?(\d+)\.(\d{6}): (.*)$/;
const PROBE = /^(\w+): \((?:(\w+)\+0x[0-9a-f]+\/0x[0-9a-f]+|\S+ <- (\w+))\)(.*)$/;
const LOST = /^CPU:(\d+) \[LOST (?:(\d+) )?EVENTS\]/;
const COMPACT = /^(\d+) (\d+)\.(\d{6}) (addr=.*)$/;

/** The fields of a probe: numbers by name. */
const fieldsOf = (text: string): ReadonlyMap<string, bigint> => {
  const found = new Map<string, bigint>();
  for (const [, name = "", value = ""] of text.matchAll(/(\w+)=(0x[0-9a-f]{1,16}|\d{1,20})(?=\s|$)/g))
    found.set(name, BigInt(value));
  return found;
};

/** The most bytes that one write of code has. */
export const MOST_WRITTEN = 4096;

type Fail = (expected: string) => InputError;

/** What a write says by its fields `addr`, `len` and `b0` to `b4`. */
export const writeOf = (fields: ReadonlyMap<string, bigint>, fail: Fail) => {
  const address = fields.get("addr");
  const length = Number(fields.get("len") ?? 0n);
  if (address === undefined || length < 1 || length > MOST_WRITTEN)
    throw fail(`a write has addr= and len= of 1 to ${MOST_WRITTEN}`);
  const bytes: number[] = [];
  for (
    let byte = fields.get("b0");
    byte !== undefined && bytes.length < length;
    byte = fields.get(`b${bytes.length}`)
  ) {
    if (byte > 255n) throw fail("a byte is 0 to 255");
    bytes.push(Number(byte));
  }
  return { kind: "write", address, length, bytes } as const;
};

/** What a text-poke event says by its fields `addr` and `new_len`. */
export const eventOf = (fields: ReadonlyMap<string, bigint>, fail: Fail) => {
  const address = fields.get("addr");
  const length = Number(fields.get("new_len") ?? 0n);
  if (address === undefined || length < 1 || length > MOST_WRITTEN)
    throw fail(`an event has addr= and new_len= of 1 to ${MOST_WRITTEN}`);
  return { kind: "event", address, length, begins: false } as const;
};

/**
 * Reads a log of text: what tracefs has in `trace`.
 *
 * `file`: its name, for messages. Throws {@link InputError} with the line where it is of another form, or times run backwards.
 */
export const readLogText = (text: string, file: string): Log => {
  const lines: LogLine[] = [];
  let cpus = 0;
  let section: string | undefined;
  let syncsEnd: bigint | undefined;
  let last = 0n;
  let seen = false;
  for (const [index, line] of text.split("\n").entries()) {
    const number = index + 1;
    const fail: Fail = (expected) =>
      new InputError(`${file}: line ${number}: ${expected}; found ${JSON.stringify(line.slice(0, 100))}.`, {
        file,
        place: `line ${number}`,
        code: "unreadable",
      });
    const [, online] = /#P:(\d+)/.exec(line) ?? [];
    if (online !== undefined) cpus = Number(online);
    const [, named] = /^.{0,2}@@(\w+)/.exec(line) ?? [];
    if (named !== undefined) {
      section = named;
      continue;
    }
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, of, seconds = "", micros = "", rest = ""] = section === "TPALL" ? (COMPACT.exec(line) ?? []) : [];
    if (of !== undefined) {
      const time = BigInt(seconds) * 1_000_000_000n + BigInt(micros) * 1000n;
      lines.push({ number, time, cpu: Number(of), ...writeOf(fieldsOf(rest), fail) });
      seen = true;
      continue;
    }
    // Of an excerpt the two sections that have every line of theirs.
    if (section !== undefined && section !== "SYNC") continue;
    const [, lostOf] = LOST.exec(line) ?? [];
    if (lostOf !== undefined) {
      lines.push({ number, time: last, cpu: Number(lostOf), kind: "lost" });
      continue;
    }
    const [, , , cpu = "", whole = "", part = "", what = ""] =
      LINE.exec(section === "SYNC" ? line.replace(/^\d+:/, "") : line) ?? [];
    if (what === "") throw fail("a line of a trace was expected, TASK-PID [CPU] FLAGS TIME: PROBE");
    const time = BigInt(whole) * 1_000_000_000n + BigInt(part) * 1000n;
    if (time < last)
      throw fail(`its time is before that of the line before; the log has to be in the order of its times`);
    last = time;
    seen = true;
    if (section === "SYNC") syncsEnd = time;
    const [, , entered, left, fields = ""] = PROBE.exec(what) ?? [];
    const at = { number, time, cpu: Number(cpu) };
    if (left !== undefined) {
      if (FUNCTIONS[left] === "call") lines.push({ ...at, kind: "return" });
      continue;
    }
    const kind = entered === undefined || !Object.hasOwn(FUNCTIONS, entered) ? undefined : FUNCTIONS[entered];
    if (kind === "write") lines.push({ ...at, ...writeOf(fieldsOf(fields), fail) });
    else if (kind === "event") lines.push({ ...at, ...eventOf(fieldsOf(fields), fail) });
    else if (kind !== undefined) lines.push({ ...at, kind });
  }
  if (!seen)
    throw new InputError(
      `${file} is no log: no line of a trace, no trace.dat and no perf.data; cmodx conform --how says how one is made.`,
      {
        file,
        code: "unreadable",
      },
    );
  const sorted = section === undefined ? lines : lines.sort((a, b) => Number(a.time - b.time));
  const end = syncsEnd;
  const online = Math.max(cpus, ...[...new Set(lines.map(({ cpu }) => cpu + 1))]);
  if (online > 4096)
    throw new InputError(`${file} names CPU ${online - 1}; 4096 are the most.`, { file, code: "out-of-range" });
  return {
    counts: "line",
    cpus: online,
    lines: sorted,
    ...(end === undefined ? {} : { syncsUntil: sorted.filter(({ time }) => time <= end).length }),
  };
};
