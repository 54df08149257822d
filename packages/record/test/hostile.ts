import { InputError } from "@cmodx/core";
import { int3 } from "@cmodx/x86";
import { conform, perfRecording, readLog, traceDat } from "../src/index.js";
import { context, made, textOf } from "./conform-log.js";
import { bytesOf, run } from "./run.js";

/*
 * Logs that are damaged. Whatever they hold, they are read and judged, or refused in one sentence that names the file.
 */

const recording = run({ seed: 1, cpus: 2, flips: 1 });

/** One log of each kind. */
export const logs: { readonly [kind: string]: Uint8Array } = {
  text: new TextEncoder().encode(textOf(made.slice(0, 30))),
  "trace.dat": traceDat(recording),
  "perf.data": bytesOf(
    perfRecording(recording).files.find(({ path }) => path === "data") as Parameters<typeof bytesOf>[0],
  ),
};

/** Reads a log and, where it `judges`, holds it against int3; the sentence by which it was refused, or null. Throws where it fails otherwise. */
export const refusalOf = (bytes: Uint8Array, judges = true): string | null => {
  try {
    const log = readLog(bytes, "the-log");
    if (judges) conform(log, int3({ events: true }), context);
    return null;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!/^[^\n]*the-log[^\n]*\.$/.test(error.message)) throw new Error(`No sentence about the file: ${error.message}`);
    return error.message;
  }
};

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export const random = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A log with some of its bytes changed, or a stretch of it left out, doubled or cut off. */
export const damaged = (bytes: Uint8Array, next: () => number): Uint8Array => {
  const below = (n: number): number => Math.floor(next() * n);
  const kind = below(8);
  const at = below(bytes.length);
  const size = 1 + below(40);
  if (kind === 0) return bytes.slice(0, at);
  if (kind === 1) return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + size)]);
  if (kind === 2) return Uint8Array.from([...bytes.subarray(0, at + size), ...bytes.subarray(at)]);
  const copy = bytes.slice();
  // Most of what decides lies in front.
  const front = kind < 6 ? Math.min(bytes.length, 600) : bytes.length;
  for (let i = 0; i <= below(4); i++)
    copy[below(front)] = kind % 2 === 0 ? below(256) : ([0, 255, 127, 128][below(4)] as number);
  return copy;
};
