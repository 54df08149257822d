import { describe, expect, it } from "vitest";
import { damaged, logs, random, refusalOf } from "./hostile.js";

describe("damaged logs", () => {
  it.each(["trace.dat", "perf.data"])("a %s is refused at every length but its own", (kind) => {
    const whole = logs[kind] as Uint8Array;
    expect(refusalOf(whole)).toBeNull();
    for (let size = 0; size < whole.length; size++)
      if (refusalOf(whole.subarray(0, size), false) === null)
        throw new Error(`${size} bytes of ${whole.length} are read.`);
  });

  // A text has no end of its own: a line that is cut is refused or reads as a shorter one, and the log before it is judged.
  it("a text is refused or judged at every length", () => {
    const whole = logs.text as Uint8Array;
    let refused = 0;
    for (let size = 0; size <= whole.length; size++) if (refusalOf(whole.subarray(0, size)) !== null) refused++;
    expect(refused).toBeGreaterThan(whole.length / 3);
    expect(refused).toBeLessThan(whole.length);
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
