import type { Scenario } from "@cmodx/core";
import { x86 } from "@cmodx/x86";
import { describe, expect, test } from "vitest";
import { retarget } from "../retarget.js";
import "./to-be-safe.js";

const TARGETS = [0x7f00_1000_2000n, 0x7f00_2345_6780n] as const;

/** A call at this offset in a line that goes from one target to the other and back without end, on two CPUs that run it. */
const callAt = (offset: number): Scenario => {
  const [old, next] = TARGETS.map((target) => `call 0x${target.toString(16)}`) as [string, string];
  return {
    name: `retarget at offset ${offset}`,
    sites: [{ address: 0x7f00_1000_0000n + BigInt(offset), old, new: next }],
    blocks: TARGETS.map((address) => ({ address, code: "ret" })),
    patchers: [{ strategy: retarget(), sites: [0], flips: "forever" }],
    cpus: 3,
  };
};

/** Places where the four bytes of the displacement, which follow the opcode, lie in one aligned block. */
const within = (block: number) => (offset: number) => (offset + 1) % block <= block - 4;
const offsets = Array.from({ length: 64 }, (_, offset) => offset);

describe("retarget", () => {
  test("is safe by AMD's manual where the displacement lies in one quadword, and nowhere else", async () => {
    const amd = x86({ fetch: "amd" });
    for (const offset of offsets) {
      if (within(8)(offset)) await expect(callAt(offset)).toBeSafeOn(amd);
      else await expect(callAt(offset)).not.toBeSafeOn(amd);
    }
  });

  test("is safe on Zen 5, as measured, where the displacement lies in 32 bytes that are fetched together", async () => {
    const zen5 = x86({ fetch: "coherent" });
    for (const offset of offsets) {
      if (within(32)(offset)) await expect(callAt(offset)).toBeSafeOn(zen5);
      else await expect(callAt(offset)).not.toBeSafeOn(zen5);
    }
  });

  test("is nowhere safe by Intel's manual", async () => {
    for (const offset of offsets) await expect(callAt(offset)).not.toBeSafeOn(x86({ fetch: "intel" }));
  });
});

describe("a failing expectation", () => {
  test("says what went wrong, and shows the interleaving", async () => {
    const failing: Promise<unknown> = expect(callAt(62)).toBeSafeOn(x86({ fetch: "coherent" }));
    const message = await failing.then(String, (error: Error) => error.message);
    expect(message).toContain("retarget at offset 62 on x86, fetch model coherent breaks old-or-new in 4 steps.");
    expect(message.replace(/\s+/g, " ")).toMatch(
      /The CPU executed call 0x[0-9a-f]+ .+, which is neither the old nor the new instruction/,
    );
    // What each CPU did, step by step, in a column of its own.
    expect(message).toMatch(/CPU 0 +CPU 1/);
    expect(message).toMatch(/2 +write\.0: stores [0-9a-f]{2} at \+1/);
    expect(message).toMatch(/4 +executes call 0x[0-9a-f]+/);
  });

  test("does not take a scenario that nobody runs for a safe one", async () => {
    const idle: Scenario = { ...callAt(0), executors: [{ count: 0 }] };
    const amd = x86({ fetch: "amd" });
    const failing: Promise<unknown> = expect(idle).toBeSafeOn(amd);
    await expect(failing).rejects.toThrow("Nobody executed a site during a flip");
    const opposite: Promise<unknown> = expect(idle).not.toBeSafeOn(amd);
    await expect(opposite).rejects.toThrow("Nobody executed a site during a flip");
  });
});
