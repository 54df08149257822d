import { fromHex } from "@cmodx/core";
import { ByteWriter } from "../bytes.js";

/*
 * The records of perf.data (perf.data-file-format.txt; include/uapi/linux/perf_event.h).
 */

/** Types of records. */
export const RECORD = {
  mmap: 1,
  comm: 3,
  sample: 9,
  aux: 11,
  itraceStart: 12,
  ksymbol: 17,
  textPoke: 20,
  finishedRound: 68,
  auxtraceInfo: 70,
  auxtrace: 71,
} as const;

/** `misc` of what happened in the kernel. */
const KERNEL = 1;

/** Which event, task, time and CPU a record is about. */
export type Stamp = { readonly pid: number; readonly time: bigint; readonly cpu: number; readonly id: number };

/** A record: its head, then what `body` writes, up to a multiple of 8 bytes. */
export const record = (type: number, misc: number, body: (out: ByteWriter) => void): Uint8Array => {
  const inner = new ByteWriter();
  body(inner);
  inner.pad(8);
  return new ByteWriter()
    .u32(type)
    .u16(misc)
    .u16(8 + inner.length)
    .bytes(inner.done())
    .done();
};

/** The end of every record of the kernel where `sample_id_all` is set. */
const trailer = (out: ByteWriter, { pid, time, cpu, id }: Stamp): void => {
  out.pad(8).u32(pid).u32(pid).u64(time).u32(cpu).u32(0).u64(id);
};

/** A change of code: `old` and `next` as hex. */
export type TextPoke = { readonly address: bigint; readonly old: string; readonly next: string };

/** PERF_RECORD_TEXT_POKE. */
export const textPoke = ({ address, old, next }: TextPoke, stamp: Stamp): Uint8Array =>
  record(RECORD.textPoke, KERNEL, (out) => {
    out
      .u64(address)
      .u16(old.length / 2)
      .u16(next.length / 2);
    out.bytes(fromHex(old)).bytes(fromHex(next));
    trailer(out, stamp);
  });

/** PERF_RECORD_KSYMBOL: code outside the kernel's image was mapped, or is `gone`. */
export const ksymbol = (
  {
    address,
    size,
    name,
    gone,
  }: { readonly address: bigint; readonly size: number; readonly name: string; readonly gone: boolean },
  stamp: Stamp,
): Uint8Array =>
  record(RECORD.ksymbol, 0, (out) => {
    out
      .u64(address)
      .u32(size)
      .u16(OUT_OF_LINE)
      .u16(gone ? 1 : 0)
      .text(name, true);
    trailer(out, stamp);
  });

const OUT_OF_LINE = 2;

/** PERF_RECORD_MMAP of the kernel's text; `name` says which symbol it begins with. */
export const mmap = (address: bigint, size: bigint, name: string, stamp: Stamp): Uint8Array =>
  record(RECORD.mmap, KERNEL, (out) => {
    out.u32(0xffff_ffff).u32(0).u64(address, size, address).text(name, true);
    trailer(out, stamp);
  });

/** PERF_RECORD_COMM: the name of a task. */
export const comm = (pid: number, name: string, stamp: Stamp): Uint8Array =>
  record(RECORD.comm, 0, (out) => {
    out.u32(pid).u32(pid).text(name, true);
    trailer(out, stamp);
  });

/** A branch that was taken. */
export type Branch = { readonly from: bigint; readonly to: bigint };

/** PERF_RECORD_SAMPLE of an event with IP, TID, TIME, ADDR, CPU, PERIOD, BRANCH_STACK and IDENTIFIER; `branches`: the newest first. */
export const sample = (ip: bigint, branches: readonly Branch[], { pid, time, cpu, id }: Stamp): Uint8Array =>
  record(RECORD.sample, KERNEL, (out) => {
    out.u64(id, ip).u32(pid).u32(pid).u64(time, ip).u32(cpu).u32(0).u64(1, branches.length);
    for (const { from, to } of branches) out.u64(from, to, 0);
  });

/** PERF_RECORD_ITRACE_START. */
export const itraceStart = (stamp: Stamp): Uint8Array =>
  record(RECORD.itraceStart, 0, (out) => {
    out.u32(stamp.pid).u32(stamp.pid);
    trailer(out, stamp);
  });

/** PERF_RECORD_AUX: so many bytes of a trace were written. */
export const aux = (size: number, stamp: Stamp): Uint8Array =>
  record(RECORD.aux, 0, (out) => {
    out.u64(0, size, 0);
    trailer(out, stamp);
  });

/** What perf has to know of the Intel PT that was traced: no time conversion, and which bits of `config` mean what. */
export const auxtraceInfo = (): Uint8Array =>
  record(RECORD.auxtraceInfo, 0, (out) => {
    out.u32(INTEL_PT).u32(0);
    out.u64(PT_PMU, 0, 1, 0, 1, PT.tsc, PT.noReturnCompression, 0, 0, 1, 1 << 9, 0, 0, 0, 1 << 1, 0, 0);
  });

/** The type of an auxiliary trace, and of the PMU that writes it. */
const INTEL_PT = 1;
/** The type of the event `intel_pt//`. */
export const PT_PMU = 8;
/** Bits of the event's `config`. */
export const PT = { tsc: 1 << 10, noReturnCompression: 1 << 11, branches: 1 << 13 } as const;

/**
 * PERF_RECORD_AUXTRACE: the trace of one CPU follows the record, whose size does not count it. perf takes the upper bits of the trace's
 * times from `time`.
 */
export const auxtrace = (trace: Uint8Array, cpu: number, time: bigint): Uint8Array => {
  const length = Math.ceil(trace.length / 8) * 8;
  const head = record(RECORD.auxtrace, 0, (out) => {
    out.u64(length, 0, time).u32(cpu).u32(0xffff_ffff).u32(cpu).u32(0);
  });
  return new ByteWriter().bytes(head).bytes(trace).pad(8).done();
};
