import { armv7, nosync } from "@cmodx/armv7";
import {
  type CpuState,
  createSimulation,
  type Data,
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
  type WindowState,
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
const isLate = async (...lines: readonly Line[]): Promise<string> => {
  const bytes = armv7().instructionSet.assemble("b .+0x40", LINE);
  const main = [store("write", LINE, bytes, { width: 4 }), ...lines, sendIpi("kick", []), waitIpi("wait", "kick")];
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

  describe("a clean comes behind the stores of its line, and is complete after a DSB, as an invalidation is", () => {
    const clean = maintain("clean", "dccmvau", LINE);
    const invalidate = maintain("invalidate", "icialluis");
    const [cleaned, invalidated] = ["cleaned", "invalidated"].map((id) => fence(id, "dsb ish")) as [Line, Line];
    const all = [clean, cleaned, invalidate, invalidated];

    it("the manual's own sequence", async () => {
      expect(await isLate(...all)).toBe("safe");
      for (const kind of ["dsb ishst", "mb"])
        expect(await isLate(clean, fence("cleaned", kind), invalidate, fence("invalidated", kind)), kind).toBe("safe");
    });

    it.each(all)("without $id", async (line) => {
      expect(await isLate(...all.filter((each) => each !== line))).toBe("unsafe: done");
    });

    it("with less", async () => {
      expect(await isLate()).toBe("unsafe: done");
      for (const kind of ["dmb ishst", "isb"])
        expect(await isLate(clean, fence("cleaned", kind), invalidate, invalidated), kind).toBe("unsafe: done");
      for (const kind of ["dmb ish", "dmb ishst", "isb"])
        expect(await isLate(clean, cleaned, invalidate, fence("invalidated", kind)), kind).toBe("unsafe: done");
      expect(await isLate(maintain("clean", "dccmvau", LINE + 32n), cleaned, invalidate, invalidated)).toBe(
        "unsafe: done",
      );
      expect(await isLate(maintain("clean", "bpiallis"), cleaned, invalidate, invalidated)).toBe("unsafe: done");
    });
  });

  it("an ISB shows a CPU's own fetches nothing of its pending stores", () => {
    const machine = createSimulation({ architecture: armv7() }).machine({
      name: "own fetches",
      sites: [{ address: LINE, old: "nop", new: "b" }],
      patchers: [],
      cpus: 1,
      memory: "architectural",
    });
    const posted = waiting("write");
    expect(
      machine.order.narrow?.({ ...machine.initial().cpus[0], order: posted.order } as CpuState, machine).order,
    ).toEqual(posted.order);
  });
});

type Kind = "write" | "clean" | "invalidate";

/** A CPU that has posted one thing. */
const waiting = (is: Kind): CpuState => {
  const window: WindowState = {
    entries: [],
    posted: [
      is === "write"
        ? { is, write: { to: "code", address: LINE, bytes: "00" } }
        : { is, operation: is === "clean" ? "dccmvau" : "icimvau", address: LINE },
    ],
    incoming: [],
    begun: [],
    racing: {},
  };
  return { order: window as unknown as Data } as unknown as CpuState;
};

describe("what waits for stores, cleans and invalidations", () => {
  const table: readonly (readonly [string, ...(readonly Kind[])])[] = [
    ["dmb sy", "write", "clean"],
    ["dmb ish", "write", "clean"],
    ["rmb", "write", "clean"],
    ["dmb st"],
    ["dmb ishst"],
    ["wmb"],
    ["dsb sy", "write", "clean", "invalidate"],
    ["dsb ish", "write", "clean", "invalidate"],
    ["dsb ishst", "write", "clean", "invalidate"],
    ["mb", "write", "clean", "invalidate"],
    ["isb"],
    ["context-synchronisation"],
    ["dccmvau"],
    ["atomic", "write", "clean"],
    ["release", "write", "clean"],
    ["event", "write", "clean", "invalidate"],
  ];

  it.each(table)("%s", (ordering, ...kinds) => {
    const order = armv7().memory;
    const held = (["write", "clean", "invalidate"] as const).filter((is) => order?.holdsBack(waiting(is), ordering));
    expect(held).toEqual(kinds);
  });
});
