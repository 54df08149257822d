import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { damage, damaged, readAll, whole } from "./damage.js";

/** The most memory that reading a damaged file may take, in bytes. */
const MOST = 2 ** 30;

describe.each(Object.entries(whole))("%s", (_, file) => {
  test("damaged, is refused in one sentence or read, without much memory", async () => {
    const results = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        results[await readAll(damaged(file, how))]++;
        expect(process.memoryUsage().rss).toBeLessThan(MOST);
      }),
      // Of a whole kernel most is searched for, which takes longer.
      { numRuns: file.length > 20_000 ? 100 : 600, seed: 15 },
    );
    // Most bytes of a kernel are code that may say anything.
    expect(results.refused).toBeGreaterThan(file.length > 20_000 ? 0 : 10);
  });
});
