import { describe, expect, it } from "vitest";
import { damaged, logs, random, refusalOf } from "./hostile.js";

describe("damaged logs", () => {
  // A trace.dat takes long to read: of its lengths every one of the header's, and every seventh behind.
  it.each([
    ["trace.dat", 7],
    ["perf.data", 1],
  ])("a %s is refused at every length but its own", (kind, step) => {
    const whole = logs[kind] as Uint8Array;
    for (let size = 0; size < whole.length; size += size < 500 ? 1 : step)
      if (refusalOf(whole.subarray(0, size), false) === null)
        throw new Error(`${size} bytes of ${whole.length} are read.`);
  });

  // 100,000 in all.
  it.each([
    ["text", 30_000],
    ["trace.dat", 5_000],
    ["perf.data", 65_000],
  ])("as %s, %i are read or refused in one sentence", (kind, count) => {
    const next = random(1717);
    let refused = 0;
    for (let i = 0; i < count; i++)
      if (refusalOf(damaged(logs[kind] as Uint8Array, next), i % 20 === 0) !== null) refused++;
    expect(refused).toBeGreaterThan(count / 10);
  });
});
