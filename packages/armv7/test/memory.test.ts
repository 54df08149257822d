import { armv7, nosync } from "@cmodx/armv7";
import {
  createSimulation,
  enterWindow,
  eq,
  fence,
  type Line,
  leaveWindow,
  load,
  local,
  maintain,
  type PatchStrategy,
  sendIpi,
  set,
  store,
  syncCore,
  waitIpi,
  when,
} from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { answer, LINE } from "./check.js";

const strategy = (id: string, main: readonly Line[]): PatchStrategy => ({
  ...nosync(),
  id,
  plan: () => ({ main, words: { x: 0, y: 0 } }),
});

/** Whether one program can see y without x, which another sets before y. */
const overtakes = async (between: readonly Line[]): Promise<boolean> => {
  const wrong = [
    enterWindow("one", "seen"),
    enterWindow("two", "seen"),
    leaveWindow("three", "seen"),
    leaveWindow("four", "seen"),
  ];
  const reader = [
    load("first", "y", "a"),
    when("saw", eq(local("a"), 1), [load("second", "x", "b"), when("not", eq(local("b"), 0), wrong)]),
  ];
  const programs = [[set("set-x", "x", 1), ...between, set("set-y", "y", 1)], reader];
  const verdict = await createSimulation({ architecture: armv7() }).check({
    name: "message passing",
    sites: programs.map((_, i) => ({ address: LINE + BigInt(4 * i), old: "nop", new: "b" })),
    patchers: programs.map((main, i) => ({ strategy: strategy(`of-the-test-${i}`, main), sites: [i], flips: 1 })),
    executors: [],
    cpus: 2,
    memory: "architectural",
  });
  return answer(verdict) === "unsafe: exclusive";
};

/** Whether a CPU that was interrupted can still fetch what was stored over before. */
const isLate = async (between: readonly Line[]): Promise<string> => {
  const bytes = armv7().instructionSet.assemble("b .+0x40", LINE);
  const main = [
    store("write", LINE, bytes, { width: 4 }),
    ...between,
    maintain("invalidate", "icialluis"),
    sendIpi("kick", []),
    waitIpi("wait", "kick"),
  ];
  const done = { ...strategy("of-the-test", main), promises: [...nosync().promises, "done" as const] };
  const verdict = await createSimulation({ architecture: armv7() }).check({
    name: "a store and an interrupt",
    sites: [{ address: LINE, old: "nop", new: "b" }],
    patchers: [{ strategy: done, sites: [0], flips: 1 }],
    cpus: 2,
    memory: "architectural",
  });
  return answer(verdict);
};

describe("the memory order", () => {
  it("stores overtake each other", async () => {
    expect(await overtakes([])).toBe(true);
  });

  it.each(["dmb sy", "dmb ish", "dmb ishst", "dmb st", "dsb sy", "dsb ishst", "wmb", "mb", "rmb"])(
    "%s holds them apart",
    async (kind) => {
      expect(await overtakes([fence("fence", kind)])).toBe(false);
    },
  );

  it("an ISB does not", async () => {
    expect(await overtakes([syncCore("isb")])).toBe(true);
    expect(await overtakes([fence("isb", "isb")])).toBe(true);
  });

  it("cleaning by address waits for the stores before it; an interrupt waits for none", async () => {
    expect(await isLate([maintain("clean", "dccmvau", LINE)])).toBe("safe");
    expect(await isLate([])).toBe("unsafe: done");
    // The store is still in the buffer when the operation that is no clean takes place.
    expect(await isLate([maintain("clean", "bpiallis")])).toBe("unsafe: done");
  });

  it("an ISB shows a CPU's own fetches nothing of its pending stores", () => {
    expect(armv7().memory?.synchronise).toBeUndefined();
  });

  it("DMB ST lets later loads go, and leaves only a barrier between stores", () => {
    const order = armv7().memory;
    const cpu = { order: [{ to: "word", word: "x", value: 1 }] } as never;
    expect(order?.holdsBack(cpu, "dmb ishst")).toBe(false);
    expect(order?.holdsBack(cpu, "dmb ish")).toBe(true);
    expect(order?.holdsBack(cpu, "dsb ishst")).toBe(true);
    expect(order?.holdsBack(cpu, "isb")).toBe(false);
    expect(order?.holdsBack(cpu, "atomic")).toBe(true);
  });
});
