import { describe, expect, it } from "vitest";
import { damaged, logs, random, refusalOf } from "./hostile.js";

describe("damaged logs", () => {
  it.each(["trace.dat", "perf.data"])("a %s is refused at every length but its own", (kind) => {
    const whole = logs[kind] as Uint8Array;
    for (let size = 0; size < whole.length; size++)
      if (refusalOf(whole.subarray(0, size), false) === null)
        throw new Error(`${size} bytes of ${whole.length} are read.`);
  });

  it.each(Object.entries(logs))("33,334 as %s are read or refused in one sentence", (_, bytes) => {
    const next = random(1717);
    let refused = 0;
    for (let i = 0; i < 33_334; i++) if (refusalOf(damaged(bytes, next), i % 20 === 0) !== null) refused++;
    expect(refused).toBeGreaterThan(1000);
  });
});
