import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { damage, damaged, readAll, whole } from "./damage.js";

// damage.slow.ts does the same thousands of times.
describe.each(Object.entries(whole))("%s", (_, file) => {
  test("is read whole, and damaged refused in one sentence or read", async () => {
    expect(await readAll(file)).toBe("read");
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        await readAll(damaged(file, how));
      }),
      { numRuns: 4, seed: 15 },
    );
  });
});
