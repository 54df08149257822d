import { arm64, nosync } from "@cmodx/arm64";
import { createSimulation, type PatchStrategy, stopMachine, syncCores, waitRcuTasks } from "@cmodx/core";
import { expect, it } from "vitest";
import { answer, check } from "./check.js";

const waits: PatchStrategy = {
  id: "waits-in-stop",
  summary: "waits inside stop_machine for tasks that cannot run then",
  source: "nobody does this",
  architectures: ["arm64"],
  defaultSite: "nop:b",
  promises: ["progress"],
  plan: () => ({ main: [stopMachine("stop", { run: [waitRcuTasks("grace")] })] }),
};

it.each(["sequential", "architectural"] as const)(
  "a stopper that waits for a task that was taken off in code that nobody writes waits for ever, %s memory",
  async (memory) => {
    const architecture = arm64({ fetch: "idc+dic" });
    const [old, next, after] = ["nop", "nop", "ret"];
    // The site is never executed: the task stands in code that nobody writes or nowhere.
    const elsewhere = architecture.base + 0x400n;
    const verdict = await createSimulation({ architecture }).check({
      name: "a grace period inside stop_machine",
      sites: [{ address: architecture.base, old, new: next, after }],
      patchers: [{ strategy: waits, sites: [0], flips: 1 }],
      blocks: [{ address: elsewhere, code: "nop+ret" }],
      executors: [{ entries: [elsewhere] }],
      cpus: 2,
      preempt: true,
      memory,
    });
    expect(verdict).toMatchObject({ verdict: "unsafe", property: "progress" });
  },
);

it.each(["sequential", "architectural"] as const)(
  "that all tasks have switched is not that they fetch again, %s memory",
  async (memory) => {
    const wait = { after: "unlock", line: waitRcuTasks("wait") };
    const sync = { after: "unlock", line: syncCores("sync") };
    const verdict = async (add: readonly (typeof wait)[]) =>
      answer(await check("none", nosync(), { patcher: { flips: 1, add }, properties: ["done"], memory }));
    expect(await verdict([wait])).toBe("unsafe: done");
    expect(await verdict([wait, sync])).toBe("safe");
  },
);
