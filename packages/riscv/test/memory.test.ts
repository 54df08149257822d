import { type CpuState, createSimulation, type PatchStrategy, type Scenario } from "@cmodx/core";
import { nosync, riscv, rvwmoFor, ziccid, ziccif, zifencei } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";
import { answer, check, LINE } from "./check.js";

const X = 0x9000n;
const Y = 0x9040n;
const WRITER = LINE + 0x100n;
const READER = LINE + 0x200n;

/** Two harts with code of their own; whether the second can end with `a0` and `a1` as given. */
const allows = async (writer: string, reader: string, a0: bigint, a1: bigint, fetch = "zifencei"): Promise<boolean> => {
  const others = [0n, 1n, 2n].flatMap((x) => [0n, 1n, 2n].map((y) => [x, y]));
  const length = (code: string): bigint => {
    const { instructionSet } = riscv();
    return code.split("+").reduce((sum, line) => sum + BigInt(instructionSet.assemble(line, LINE + sum).length), 0n);
  };
  const observe: PatchStrategy = {
    ...nosync(),
    id: "observe",
    promises: ["pair"],
    plan: () => ({
      main: [],
      pairs: [
        {
          at: READER + length(reader),
          registers: ["a0", "a1"],
          published: others.filter(([x, y]) => x !== a0 || y !== a1) as (readonly bigint[])[],
        },
      ],
    }),
  };
  const registers = { s0: X, s1: Y, t1: 1n, t2: 2n };
  const scenario: Scenario = {
    name: "two harts",
    sites: [{ address: LINE, old: "nop", new: "j" }],
    patchers: [{ strategy: observe, sites: [0], flips: 1 }],
    blocks: [
      { address: WRITER, code: `${writer}+ecall` },
      { address: READER, code: `${reader}+ecall` },
    ],
    executors: [WRITER, READER].map((entry) => ({ entries: [entry], once: true, count: 1, registers })),
    cpus: 3,
    memory: "architectural",
    properties: ["pair"],
  };
  const verdict = await createSimulation({ architecture: riscv({ fetch }), development: true }).check(scenario);
  return answer(verdict) === "unsafe: pair";
};

describe("stores of one hart", () => {
  const read = "lw a0, 0(s1)+lw a1, 0(s0)";

  it("become visible in any order, unless a fence w,w keeps them apart", async () => {
    expect(await allows("sw t1, 0(s0)+sw t1, 0(s1)", read, 1n, 0n)).toBe(true);
    for (const fence of ["fence w, w", "fence rw, w", "fence rw, rw", "fence w, o", "fence.tso", "fence"])
      expect(await allows(`sw t1, 0(s0)+${fence}+sw t1, 0(s1)`, read, 1n, 0n), fence).toBe(false);
    for (const fence of ["fence r, w", "fence w, r+nop", "fence r, r", "fence o, w"]) {
      // A fence from writes to reads waits here until they are visible, which is more than it has to.
      const waits = fence.startsWith("fence w");
      expect(await allows(`sw t1, 0(s0)+${fence}+sw t1, 0(s1)`, read, 1n, 0n), fence).toBe(!waits);
    }
  });

  it("to one place keep their order", async () => {
    expect(await allows("sw t1, 0(s0)+sw t2, 0(s0)", "lw a0, 0(s0)+lw a1, 0(s0)", 2n, 1n)).toBe(false);
    expect(await allows("sw t1, 0(s0)+sw t2, 0(s0)", "lw a0, 0(s0)+lw a1, 0(s0)", 1n, 2n)).toBe(true);
  });

  it("are seen late by others and at once by its own loads", async () => {
    expect(await allows("nop", "sw t1, 0(s0)+lw a0, 0(s0)+lw a1, 0(s1)", 0n, 0n)).toBe(false);
    const other = (fence: string) => `sw t1, 0(s1)${fence}+lw a0, 0(s0)+sw a0, 8(s0)`;
    // Each stores and then looks at the other's place.
    const mine = (fence: string) => `sw t1, 0(s0)${fence}+lw a0, 0(s1)+lw a1, 8(s0)`;
    expect(await allows(other(""), mine(""), 0n, 0n)).toBe(true);
  });

  it("an atomic operation comes after them", async () => {
    expect(await allows("sw t1, 0(s0)+amoswap.w zero, t1, (s1)", read, 1n, 0n)).toBe(false);
  });

  it("FENCE.I makes them visible to all under Ziccid alone", async () => {
    for (const [fetch, allowed] of [
      ["zifencei", true],
      ["ziccif", true],
      ["ziccid", false],
    ] as const)
      expect(await allows("sw t1, 0(s0)+fence.i+sw t1, 0(s1)", read, 1n, 0n, fetch), fetch).toBe(allowed);
  });
});

describe("which steps a hart's stores hold up", () => {
  const cpu = { order: [{ to: "word", word: "x", value: 1 }] } as unknown as CpuState;
  const table: readonly (readonly [string, "waits" | "separates" | "nothing"])[] = [
    ["w,o", "waits"],
    ["fence w,o", "waits"],
    ["rw,rw", "waits"],
    ["iorw,iorw", "waits"],
    ["mb", "waits"],
    ["atomic", "waits"],
    ["event", "waits"],
    ["release", "waits"],
    ["w,w", "separates"],
    ["fence rw,w", "separates"],
    ["fence.tso", "separates"],
    ["wmb", "separates"],
    ["rmb", "nothing"],
    ["r,rw", "nothing"],
    ["o,w", "nothing"],
    ["fence.i", "nothing"],
    ["context-synchronisation", "nothing"],
  ];

  it.each(table)("%s: %s", (ordering, what) => {
    const order = rvwmoFor(ziccif);
    expect(order.holdsBack(cpu, ordering)).toBe(what === "waits");
    const left = (order.leaves?.(cpu, ordering) ?? cpu).order as readonly unknown[];
    expect(left.length > 1).toBe(what === "separates");
  });

  it("FENCE.I under Ziccid", () => {
    for (const ordering of ["fence.i", "context-synchronisation"]) {
      expect(rvwmoFor(ziccid).holdsBack(cpu, ordering)).toBe(true);
      expect(rvwmoFor(zifencei).holdsBack(cpu, ordering)).toBe(false);
    }
  });
});

describe("a request through the firmware", () => {
  const architectural = { memory: "architectural", patcher: { flips: 1 } } as const;

  it("overtakes the store that no fence w,o holds it behind", async () => {
    const without = nosync({ by: "sbi", dataFence: false });
    expect(answer(await check("ziccif", without, architectural))).toBe("unsafe: done");
    expect(answer(await check("ziccif", nosync({ by: "sbi" }), architectural))).toBe("safe");
    // One between stores is not enough.
    const add = [{ after: "write-local", line: { id: "wmb", op: "fence", args: { kind: "w,w" } } }];
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
