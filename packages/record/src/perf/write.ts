import { InputError } from "@cmodx/core";
import { ByteWriter } from "../bytes.js";
import type { RecordedStep, Recording, Region } from "../recording.js";
import { type Flow, flowsOf } from "./flow.js";
import { kcore, type SparseFile } from "./kcore.js";
import { packetsOf } from "./pt.js";
import {
  aux,
  auxtrace,
  auxtraceInfo,
  type Branch,
  comm,
  itraceStart,
  ksymbol,
  mmap,
  PT,
  PT_PMU,
  RECORD,
  record,
  type Stamp,
  sample,
  textPoke,
} from "./records.js";
import { type Stub, stubsOf } from "./stubs.js";

/*
 * A directory as `perf record --kcore` makes it: `data` is perf.data, `kcore_dir` holds the kernel's code as it was first, its
 * symbols, and no modules.
 */

/** An event of perf: what is counted, and what each of its records holds. */
type PerfEvent = {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly config: number;
  readonly sampleType: number;
  readonly bits: bigint;
  readonly branches: number;
};

const SAMPLE = { ip: 1, tid: 2, time: 4, addr: 8, cpu: 0x80, period: 0x100, branches: 0x800, id: 0x10000 } as const;
const STAMPED = SAMPLE.ip | SAMPLE.tid | SAMPLE.time | SAMPLE.cpu | SAMPLE.period | SAMPLE.id;
const bits = (...numbers: readonly number[]): bigint => numbers.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
const [EXCLUDE_USER, MMAP, COMM, TASK, SAMPLE_ID_ALL, KSYMBOL, TEXT_POKE] = [4, 8, 9, 13, 18, 29, 33] as const;

const DUMMY: PerfEvent = {
  id: 1,
  name: "dummy:HG",
  type: 1,
  config: 9,
  sampleType: STAMPED,
  bits: bits(MMAP, COMM, TASK, SAMPLE_ID_ALL, KSYMBOL, TEXT_POKE),
  branches: 0,
};
const CYCLES: PerfEvent = {
  id: 2,
  name: "cycles",
  type: 0,
  config: 0,
  sampleType: STAMPED | SAMPLE.addr | SAMPLE.branches,
  bits: bits(EXCLUDE_USER, SAMPLE_ID_ALL),
  // Of the kernel, of any kind.
  branches: 10,
};
const INTEL_PT: PerfEvent = {
  id: 3,
  name: "intel_pt//",
  type: PT_PMU,
  config: PT.tsc | PT.noReturnCompression | PT.branches,
  sampleType: STAMPED | SAMPLE.addr,
  bits: bits(EXCLUDE_USER, SAMPLE_ID_ALL),
  branches: 0,
};
const EVENTS = [DUMMY, CYCLES, INTEL_PT] as const;

const ATTR = 128;

const attr = ({ type, config, sampleType, bits, branches }: PerfEvent): Uint8Array => {
  const readFormat = 4;
  const out = new ByteWriter().u32(type).u32(ATTR).u64(config, 1, sampleType, readFormat, bits).u32(0).u32(0);
  out.u64(0, 0, branches, 0).u32(0).u32(0).u64(0).u32(0).u16(0);
  return out.bytes(new Uint8Array(ATTR - out.length)).done();
};

/** The most branches of a stack, as many as recent CPUs keep. */
const STACK = 32;

const string = (out: ByteWriter, text: string): void => {
  const padded = new ByteWriter().text(text, true).pad(64).done();
  out.u32(padded.length).bytes(padded);
};

const nameOf =
  (value: string): ((out: ByteWriter) => void) =>
  (out) =>
    string(out, value);

/** Feature sections of the header, by their bit. */
const features = ({
  cpus,
  steps,
}: Recording): readonly (readonly [bit: number, write: (out: ByteWriter) => void])[] => [
  [3, nameOf("cmodx")],
  [4, nameOf("cmodx")],
  [5, nameOf("cmodx")],
  [6, nameOf("x86_64")],
  [7, (out) => out.u32(cpus).u32(cpus)],
  [8, nameOf("cmodx")],
  [
    11,
    (out) => {
      out.u32(2);
      string(out, "cmodx");
      string(out, "record");
    },
  ],
  [
    12,
    (out) => {
      out.u32(EVENTS.length).u32(ATTR);
      for (const event of EVENTS) {
        out.bytes(attr(event)).u32(1);
        string(out, event.name);
        out.u64(event.id);
      }
    },
  ],
  [21, (out) => out.u64(steps[0]?.time ?? 0n, steps.at(-1)?.time ?? 0n)],
];

/** The bytes of perf.data with these records. */
const perfData = (recording: Recording, data: Uint8Array): Uint8Array => {
  const HEADER = 104;
  const sections = features(recording);
  const out = new ByteWriter().text("PERFILE2").u64(HEADER, ATTR + 16);
  const ids = HEADER;
  const attrs = ids + 8 * EVENTS.length;
  const from = attrs + (ATTR + 16) * EVENTS.length;
  out.u64(attrs, (ATTR + 16) * EVENTS.length, from, data.length, 0, 0);
  out.u64(
    sections.reduce((mask, [bit]) => mask | (1n << BigInt(bit)), 0n),
    0,
    0,
    0,
  );
  for (const { id } of EVENTS) out.u64(id);
  for (const [i, event] of EVENTS.entries()) out.bytes(attr(event)).u64(ids + 8 * i, 8);
  out.bytes(data);
  const directory = out.length;
  for (const _ of sections) out.u64(0, 0);
  for (const [i, [, write]] of sections.entries()) {
    const start = out.length;
    write(out);
    out.put64(directory + 16 * i, start);
    out.put64(directory + 16 * i + 8, out.length - start);
  }
  return out.done();
};

/** A file of the directory. */
export type PerfFile = SparseFile & { readonly path: string };

/** What perf is given of a run. */
export type PerfRecording = {
  readonly files: readonly PerfFile[];
  /** The branches that each CPU took, in order, as `perf script --itrace=b` lists them. */
  readonly branches: readonly (readonly Branch[])[];
};

const refuse = (message: string): InputError => new InputError(message, { place: "--perf", code: "impossible" });

/** Throws {@link InputError} where perf cannot be told of a run. */
const assertTellable = ({ architecture, regions, steps }: Recording): void => {
  if (architecture !== "x86")
    throw refuse(`perf decodes branches of x86 alone, not of ${architecture}; use --trace-dat, --ctf or --chrome.`);
  const low = regions.find(({ address }) => address < 1n << 63n);
  if (low !== undefined)
    throw refuse(`perf is told of the kernel's text, and 0x${low.address.toString(16)} is no address of the kernel.`);
  if (steps.some(({ observed }) => observed.some(({ what, detail }) => what === "publish-event" && detail.begins)))
    throw refuse("A text-poke event of perf has no beginning, so a change that begins with an event cannot be told.");
};

/** The symbols of a run's code. */
const kallsyms = (regions: readonly Region[]): string => {
  const first = regions[0] as Region;
  const last = regions.at(-1) as Region;
  const symbols = [
    [first.address, "_text"],
    [first.address, "_stext"],
    ...regions.map(({ address, symbol }) => [address, symbol] as const),
    [last.address + BigInt(last.bytes.length), "_etext"],
  ] as const;
  return symbols.map(([address, symbol]) => `${address.toString(16).padStart(16, "0")} T ${symbol}\n`).join("");
};

const isTaken = (flow: Flow): flow is Flow & Branch =>
  "from" in flow && "to" in flow && (flow.kind !== "conditional" || flow.taken);

/** The records of one step for the kernel's text. */
const changesOf = ({ observed }: RecordedStep, stamp: Stamp): readonly Uint8Array[] =>
  observed.flatMap(({ what, detail }): readonly Uint8Array[] => {
    if (what === "publish-event") return [textPoke(detail, stamp)];
    if (what !== "map-code" && what !== "free-code") return [];
    const { address, size } = detail;
    return [ksymbol({ address, size, name: `cmodx_${address.toString(16)}`, gone: what === "free-code" }, stamp)];
  });

/**
 * A run as a directory that `perf script -i` reads: text-poke events, a stack of branches of each CPU before every change, and the
 * Intel PT stream of each CPU.
 *
 * Throws {@link InputError} for another architecture than x86, code at addresses that are not the kernel's, and changes that begin
 * with an event of their own, which perf has no record for.
 */
export const perfRecording = (recording: Recording): PerfRecording => {
  assertTellable(recording);
  const stubs = stubsOf(recording);
  const { flows, ends } = flowsOf(recording, stubs);
  const regions = [...stubs.all.map(regionOf), ...recording.regions].sort((a, b) => (a.address < b.address ? -1 : 1));
  const first = regions[0] as Region;
  const last = regions.at(-1) as Region;
  const begun = recording.steps[0]?.time ?? 0n;
  const out = new ByteWriter();
  const stamp = (pid: number, cpu: number, time = begun, id: number = DUMMY.id): Stamp => ({ pid, cpu, time, id });

  out.bytes(auxtraceInfo());
  const size = last.address + BigInt(last.bytes.length) - first.address;
  out.bytes(mmap(first.address, (size + 0xfffn) & ~0xfffn, "[kernel.kallsyms]_text", stamp(0, 0)));
  for (const { pid, name } of recording.tasks) out.bytes(comm(pid, name, stamp(pid, 0)));
  const streams = Array.from({ length: recording.cpus }, (_, cpu) => flows.filter((flow) => flow.cpu === cpu));
  for (const [cpu, stream] of streams.entries()) {
    const trace = packetsOf(stream, ends[cpu] as bigint);
    const pid = stream[0]?.pid ?? 0;
    out.bytes(itraceStart(stamp(pid, cpu, begun, INTEL_PT.id)));
    out.bytes(aux(Math.ceil(trace.length / 8) * 8, stamp(pid, cpu, begun, INTEL_PT.id)));
    out.bytes(auxtrace(trace, cpu, begun));
  }

  const recent = streams.map((): (Flow & Branch)[] => []);
  const sampleAll = (time: bigint): void => {
    for (const [cpu, branches] of recent.entries()) {
      const newest = branches.at(-1);
      if (newest === undefined) continue;
      out.bytes(sample(newest.to, branches.slice(-STACK).reverse(), stamp(newest.pid, cpu, time, CYCLES.id)));
      branches.length = 0;
    }
  };
  let next = 0;
  for (const step of recording.steps) {
    for (let flow = flows[next]; flow !== undefined && flow.time <= step.time; flow = flows[++next])
      if (isTaken(flow)) recent[flow.cpu]?.push(flow);
    const changes = changesOf(step, stamp(step.task.pid, step.cpu, step.time));
    if (changes.length > 0) sampleAll(step.time);
    for (const change of changes) out.bytes(change);
  }
  sampleAll(recording.steps.at(-1)?.time ?? begun);
  out.bytes(record(RECORD.finishedRound, 0, () => {}));

  const file = (path: string, bytes: Uint8Array): PerfFile => ({ path, size: bytes.length, parts: [{ at: 0, bytes }] });
  const text = (path: string, content: string): PerfFile => file(path, new TextEncoder().encode(content));
  return {
    files: [
      file("data", perfData(recording, out.done())),
      { path: "kcore_dir/kcore", ...kcore(regions) },
      text("kcore_dir/kallsyms", kallsyms(regions)),
      text("kcore_dir/modules", ""),
    ],
    branches: streams.map((stream) => stream.filter(isTaken).map(({ from, to }) => ({ from, to }))),
  };
};

const regionOf = ({ address, bytes, symbol }: Stub): Region => ({ address, symbol, bytes: Uint8Array.from(bytes) });
