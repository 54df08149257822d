import { nosync } from "@cmodx/armv7";
import { syncCores, waitRcuTasks } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { answer, check, type State } from "../check.js";

/** Who waits for tasks to switch, which on ARMv7 synchronises nothing. */
describe.each([
  ["a32", "nop:b", 0],
  ["t32", "nop.w:b.w", 2],
] as const)("%s: that all tasks have switched, %s at offset %i", (state: State, site, offset) => {
  const wait = { after: "unlock", line: waitRcuTasks("wait") };
  const sync = { after: "unlock", line: syncCores("sync") };
  const verdict = async (add: readonly (typeof wait)[], memory: "sequential" | "architectural") =>
    answer(await check(state, nosync(), { site, offset, patcher: { flips: 1, add }, properties: ["done"], memory }));

  it.each(["sequential", "architectural"] as const)("is not that they fetch again, %s memory", async (memory) => {
    expect(await verdict([wait], memory)).toBe("unsafe: done");
    expect(await verdict([wait, sync], memory)).toBe("safe");
  });
});
