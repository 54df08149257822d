import { syncCores, waitRcuTasks } from "@cmodx/core";
import { nosync } from "@cmodx/riscv";
import { expect, it } from "vitest";
import { answer, check } from "../check.js";

it.each(["sequential", "architectural"] as const)(
  "that all tasks have switched is not that they fetch again, %s memory",
  async (memory) => {
    const wait = { after: "unlock", line: waitRcuTasks("wait") };
    const sync = { after: "unlock", line: syncCores("sync") };
    const verdict = async (add: readonly (typeof wait)[]) => {
      const patcher = { flips: 1, drop: ["flush"], add };
      return answer(await check("zifencei", nosync(), { site: "nop:j", patcher, properties: ["done"], memory }));
    };
    expect(await verdict([wait])).toBe("unsafe: done");
    expect(await verdict([wait, sync])).toBe("safe");
  },
);
