import { describe, expect, it } from "vitest";
import { damaged, logs, random, refusalOf } from "./hostile.js";

const patched = (bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};
const log = (kind: string): Uint8Array => logs[kind] as Uint8Array;
/** Where a text begins in a file. */
const find = (bytes: Uint8Array, text: string): number => new TextDecoder("latin1").decode(bytes).indexOf(text);

describe("damaged logs are refused in one sentence that names the file", () => {
  it("a trace.dat and a perf.data that are cut off are refused", () => {
    for (const kind of ["trace.dat", "perf.data"]) {
      const whole = log(kind);
      expect(refusalOf(whole)).toBeNull();
      // hostile.slow.ts has every length.
      for (let size = 0; size < whole.length; size += size < 200 ? 1 : 97)
        expect({ kind, size, refused: refusalOf(whole.subarray(0, size)) !== null }).toEqual({
          kind,
          size,
          refused: true,
        });
    }
  });

  it("a text that is cut off is refused, or is a log that ends earlier", () => {
    const whole = log("text");
    for (let size = 0; size < whole.length; size += 61) refusalOf(whole.subarray(0, size));
    expect(refusalOf(whole.subarray(0, 0))).toMatch(/is no log/);
  });

  it.each<[what: string, bytes: Uint8Array, sentence: RegExp]>([
    ["a big-endian trace.dat", patched(log("trace.dat"), 12, 1), /big-endian machine; little-endian is read/],
    ["one of a 32-bit machine", patched(log("trace.dat"), 13, 4), /32-bit machine; 64-bit is read/],
    [
      "one by an unknown clock",
      patched(log("trace.dat"), find(log("trace.dat"), "[global]") + 1, 0x71),
      /its clock is "qlobal", expected one of local/,
    ],
    ["a big-endian perf.data", new TextEncoder().encode("2ELIFREP rest"), /big-endian machine; little-endian is read/],
    [
      "a perf.data by an unknown clock",
      patched(patched(log("perf.data"), 128 + 40 + 3, 2), 128 + 92, 3),
      /its clock is 3, expected 0, 1, 4/,
    ],
    [
      "a text whose times run backwards",
      new TextEncoder().encode(
        " a-1 [000] ..... 5.000002: poke: (__text_poke+0x0/0x490) addr=0x10 len=1 b0=0xcc\n a-1 [000] ..... 5.000001: sync_core: (do_sync_core+0x0/0x30)\n",
      ),
      /line 2: its time is before/,
    ],
    ["a text that is none", new TextEncoder().encode("hello\n"), /line 1: a line of a trace was expected/],
  ])("%s", (_, bytes, sentence) => expect(refusalOf(bytes)).toMatch(sentence));

  it("300 damaged files are read or refused", () => {
    const next = random(17);
    for (const [kind, bytes] of Object.entries(logs))
      for (let i = 0; i < 100; i++) expect(() => refusalOf(damaged(bytes, next)), `${kind} ${i}`).not.toThrow();
  });
});
