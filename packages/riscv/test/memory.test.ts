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
  type PatchStrategy,
  set,
  type WindowState,
  when,
} from "@cmodx/core";
import { nosync, riscv, rvwmoFor, ziccid, ziccif, zifencei } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";
import { answer, check, LINE, scenario } from "./check.js";
import { outcomes } from "./outcomes.js";

/** Whether a hart that looks at Y and then at X can find Y's new value with X's old one. */
const overtakes = (writer: string, reader = "lw a0, 0(s1)+fence r, r+lw a1, 0(s0)", fetch?: string): boolean =>
  outcomes([writer, reader], ["a0", "a1"], fetch === undefined ? {} : { fetch }).includes("1 0");

describe("stores of one hart", () => {
  it("become visible in any order, unless a fence w,w keeps them apart", () => {
    expect(overtakes("sw t1, 0(s0)+sw t1, 0(s1)")).toBe(true);
    for (const fence of ["fence w, w", "fence rw, w", "fence rw, rw", "fence.tso", "fence"])
      expect(overtakes(`sw t1, 0(s0)+${fence}+sw t1, 0(s1)`), fence).toBe(false);
    for (const fence of ["fence r, w", "fence w, r", "fence r, r", "fence w, o", "fence o, w"])
      expect(overtakes(`sw t1, 0(s0)+${fence}+sw t1, 0(s1)`), fence).toBe(true);
  });

  it("to one place keep their order", () => {
    const found = outcomes(["sw t1, 0(s0)+sw t2, 0(s0)", "lw a0, 0(s0)+fence r, r+lw a1, 0(s0)"], ["a0", "a1"]);
    expect(found).toEqual(["0 0", "0 1", "0 2", "1 1", "1 2", "2 2"]);
  });

  it("are seen late by others and at once by its own loads", () => {
    expect(outcomes(["sw t1, 0(s0)+lw a0, 0(s0)"], ["a0"])).toEqual(["1"]);
    // Each stores and then looks at the other's place; 5 tells that the other found nothing.
    const stored = (fence: string) =>
      outcomes(
        [
          `sw t1, 0(s1)${fence}+lw a0, 0(s0)+addi a0, a0, 5+sw a0, 8(s0)`,
          `sw t1, 0(s0)${fence}+lw a0, 0(s1)+fence+lw a1, 8(s0)`,
        ],
        ["a0", "a1"],
      );
    expect(stored("")).toContain("0 5");
    expect(stored("+fence w, w")).toContain("0 5");
    expect(stored("+fence w, r")).not.toContain("0 5");
  });

  it("an atomic operation comes after them where it says so", () => {
    expect(overtakes("sw t1, 0(s0)+amoswap.w zero, t1, (s1)")).toBe(true);
    expect(overtakes("sw t1, 0(s0)+amoswap.w.aq zero, t1, (s1)")).toBe(true);
    expect(overtakes("sw t1, 0(s0)+amoswap.w.rl zero, t1, (s1)")).toBe(false);
  });

  it.each(["zifencei", "ziccif", "ziccid"])("are visible to all before what is behind a FENCE.I: %s", (fetch) => {
    expect(overtakes("sw t1, 0(s0)+fence.i+sw t1, 0(s1)", undefined, fetch)).toBe(false);
  });
});

describe("loads of one hart", () => {
  const writer = "sw t1, 0(s0)+fence w, w+sw t1, 0(s1)";

  it("take place in any order, unless a fence r,r or a dependency keeps them apart", () => {
    expect(overtakes(writer, "lw a0, 0(s1)+lw a1, 0(s0)")).toBe(true);
    for (const fence of ["fence r, r", "fence rw, rw", "fence r, rw", "fence.tso", "fence"])
      expect(overtakes(writer, `lw a0, 0(s1)+${fence}+lw a1, 0(s0)`), fence).toBe(false);
    for (const fence of ["fence r, w", "fence w, r", "fence w, w", "fence i, r"])
      expect(overtakes(writer, `lw a0, 0(s1)+${fence}+lw a1, 0(s0)`), fence).toBe(true);
    expect(overtakes(writer, "lw a0, 0(s1)+xor a2, a0, a0+add a2, a2, s0+lw a1, 0(a2)")).toBe(false);
    // A branch holds back no load.
    expect(overtakes(writer, "lw a0, 0(s1)+bnez a0, .+8+nop+lw a1, 0(s0)")).toBe(true);
  });

  it("come behind an atomic operation that acquires", () => {
    expect(overtakes(writer, "amoor.w a0, zero, (s1)+lw a1, 0(s0)")).toBe(true);
    expect(overtakes(writer, "amoor.w.rl a0, zero, (s1)+lw a1, 0(s0)")).toBe(true);
    expect(overtakes(writer, "amoor.w.aq a0, zero, (s1)+lw a1, 0(s0)")).toBe(false);
  });

  it("and so do its instructions behind a FENCE.I, which waits for the loads before it", () => {
    for (const fetch of ["zifencei", "ziccif", "ziccid"])
      expect(overtakes(writer, "lw a0, 0(s1)+fence.i+lw a1, 0(s0)", fetch), fetch).toBe(false);
  });

  it("hold back stores whose dependencies they are: of a branch, and of an address before", () => {
    // Each looks at a place and stores to the other's.
    const seen = (between: string) =>
      outcomes(
        [
          `lw a0, 0(s0)${between}+sw t1, 0(s1)+sw a0, 16(s0)`,
          `lw a0, 0(s1)${between}+sw t1, 0(s0)+fence+lw a1, 16(s0)`,
        ],
        ["a0", "a1"],
      );
    expect(seen("")).toContain("1 1");
    expect(seen("+bnez a0, .+4")).not.toContain("1 1");
    expect(seen("+xor a2, a0, a0+add a2, a2, s0+lw a3, 32(a2)")).not.toContain("1 1");
    expect(seen("+fence r, w")).not.toContain("1 1");
  });
});

const cpu: CpuState = {
  order: {
    entries: [],
    posted: [{ is: "write", write: { to: "word", word: "x", value: 1 } }],
    incoming: [],
    begun: [],
    racing: {},
  } satisfies WindowState as unknown as Data,
} as unknown as CpuState;

const strategy = (id: string, main: readonly Line[]): PatchStrategy => ({
  ...nosync(),
  id,
  plan: () => ({ main, words: { x: 0, y: 0 } }),
});

/** Whether one program can see y without x, which another sets before y. */
const separates = async (kind: string): Promise<boolean> => {
  const wrong = ["one", "two"].map((id) => enterWindow(id, "seen"));
  const left = ["three", "four"].map((id) => leaveWindow(id, "seen"));
  const reader = [
    load("first", "y", "a"),
    when("saw", eq(local("a"), 1), [load("second", "x", "b"), when("not", eq(local("b"), 0), [...wrong, ...left])]),
  ];
  const programs = [[set("set-x", "x", 1), fence("fence", kind), set("set-y", "y", 1)], reader];
  const verdict = await createSimulation({ architecture: riscv() }).check({
    name: "message passing",
    sites: programs.map((_, i) => ({ address: LINE + BigInt(4 * i), old: "nop", new: "j" })),
    patchers: programs.map((main, i) => ({ strategy: strategy(`of-the-test-${i}`, main), sites: [i], flips: 1 })),
    executors: [],
    cpus: 2,
    memory: "architectural",
  });
  return answer(verdict) === "safe";
};

describe("which steps of programs wait for a hart's stores, and which keep them apart", () => {
  const barriers: readonly (readonly [string, waits: boolean, apart: boolean])[] = [
    ["w,o", true, true],
    ["fence w,o", true, true],
    ["fence w,r", true, true],
    ["rw,rw", true, true],
    ["iorw,iorw", true, true],
    ["mb", true, true],
    ["w,w", false, true],
    ["fence rw,w", false, true],
    ["fence.tso", false, true],
    ["wmb", false, true],
    ["rmb", false, false],
    ["r,rw", false, false],
    ["o,w", false, false],
  ];

  it.each(barriers)("%s: waits %s, keeps them apart %s", async (kind, waits, apart) => {
    expect(rvwmoFor(ziccif).holdsBack(cpu, kind)).toBe(waits);
    expect(await separates(kind)).toBe(apart);
  });

  it.each([
    ["atomic", true],
    ["event", true],
    ["release", true],
    ["context-synchronisation", false],
  ])("%s: waits %s", (ordering, waits) => {
    expect(rvwmoFor(ziccif).holdsBack(cpu, ordering)).toBe(waits);
  });

  it("a FENCE.I of theirs shows the hart's own fetches what they stored", () => {
    const { fetchable, narrow } = rvwmoFor(ziccif);
    const machine = createSimulation({ architecture: riscv() }).machine(scenario(nosync()));
    const write = { to: "code", address: LINE, bytes: "6f000004" };
    const stored = { ...cpu, stale: {}, order: { ...(cpu.order as object), posted: [{ is: "write", write }] } };
    const asIs = stored as unknown as CpuState;
    expect(fetchable?.(asIs)).toEqual([]);
    expect(fetchable?.(narrow?.(asIs, machine) ?? asIs)).toEqual([{ ...write, fetched: true }]);
  });

  it("a FENCE.I of theirs waits under Ziccid alone", () => {
    expect(rvwmoFor(ziccid).holdsBack(cpu, "context-synchronisation")).toBe(true);
    expect(rvwmoFor(zifencei).holdsBack(cpu, "context-synchronisation")).toBe(false);
  });
});

describe("a request through the firmware", () => {
  const architectural = { memory: "architectural", patcher: { flips: 1 } } as const;

  it("overtakes the store that no fence w,o holds it behind", async () => {
    const without = nosync({ by: "sbi", dataFence: false });
    expect(answer(await check("ziccif", without, architectural))).toBe("unsafe: done");
    expect(answer(await check("ziccif", nosync({ by: "sbi" }), architectural))).toBe("safe");
    // One between stores is not enough.
    const add = [{ after: "write-local", line: fence("wmb", "w,w") }];
    const wmb = { ...architectural, patcher: { flips: 1, add } };
    expect(answer(await check("ziccif", without, wmb))).toBe("unsafe: done");
  });

  it("under Ziccid the local FENCE.I before it is enough", async () => {
    const without = nosync({ by: "sbi", dataFence: false });
    expect(answer(await check("ziccid", without, architectural))).toBe("safe");
    const none = { ...architectural, patcher: { flips: 1, drop: ["write-local", "flush-local"] } } as const;
    expect(answer(await check("ziccid", without, none))).toBe("unsafe: done");
  });
});
