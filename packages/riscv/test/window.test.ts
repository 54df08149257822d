import {
  type CodeBlock,
  createSimulation,
  fence,
  type Line,
  type PatchStrategy,
  rule,
  type Scenario,
  step,
  storeData,
  waitRcuTasks,
} from "@cmodx/core";
import { directCall, nosync, riscv, stopMachine } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";
import { answer, check, LINE } from "./check.js";
import { codeOf, outcomes, X, Y } from "./outcomes.js";

const quad = (value: bigint): readonly number[] =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

const strategy = (main: readonly Line[], more: Partial<PatchStrategy> = {}): PatchStrategy => ({
  ...nosync(),
  id: "of-the-test",
  ...more,
  plan: () => ({ main }),
});

describe("what came too early or was guessed wrong is done again", () => {
  const begins = "lui s0, 0x9+addi s1, s0, 0x40+addi t1, zero, 1";

  /** Whether harts that go round in this code get to its end each time, while another stores and waits for them. */
  const goesOn = async (harts: readonly string[], main: readonly Line[] = []): Promise<string> => {
    const scenario: Scenario = {
      name: "goes on",
      sites: [{ address: LINE, old: "nop", new: "j" }],
      patchers: [{ strategy: strategy([...main, waitRcuTasks("wait")]), sites: [0], flips: 1 }],
      blocks: harts.map((code, i) => ({ address: codeOf(i), code: `${begins}+${code}+ret` })),
      executors: harts.map((_, i) => ({ entries: [codeOf(i)], count: 1 })),
      data: [{ address: X, bytes: quad(Y) }],
      cpus: harts.length + 1,
      memory: "architectural",
      properties: ["progress"],
    };
    return answer(await createSimulation({ architecture: riscv(), development: true }).check(scenario));
  };
  it("behind a branch", async () => {
    expect(await goesOn(["lw a0, 0(s1)+bnez a0, .+8+nop"], [storeData("store", Y, quad(1n))])).toBe("safe");
  });

  it("a load ahead of an own store whose address is known late", async () => {
    expect(await goesOn(["ld a1, 0(s0)+sw t1, 0(a1)+lw a0, 0(s1)"])).toBe("safe");
  });

  it("a load ahead of an older one that turns out to be of the same place", async () => {
    const loads = "ld a1, 0(s0)+lw a2, 0(a1)+lw a0, 0(s1)";
    expect(await goesOn([loads, "sw t1, 0(s1)"])).toBe("safe");
  });

  it("a load ahead of one of the same place, whatever a program stored there in between", () => {
    const reader = "ld a1, 0(s0)+lw a2, 0(a1)+lw a0, 0(s1)+sw zero, 64(s1)";
    const data = [{ address: X, bytes: quad(Y) }];
    const patcher = strategy([storeData("store", Y, [1])]);
    expect(outcomes([reader], ["a2", "a0"], { data, patcher })).toEqual(["0 0", "0 1", "1 1"]);
  });

  it("and what an interrupt threw away, which need not be thrown away for ever", async () => {
    const asked = { memory: "architectural", interrupts: { irq: true } } as const;
    expect(answer(await check("ziccif", stopMachine(), asked))).toBe("safe");
  });

  it("in direct-call, whose tracer goes where it loaded from", async () => {
    expect(answer(await check("ziccif", directCall(), { memory: "architectural" }))).toBe("safe");
  });
});

describe("an instruction that turns out to raise an exception", () => {
  it("has nothing behind it take place", () => {
    // What the first load finds is no address; the store of the other hart says that it is one.
    const data = [{ address: X, bytes: quad(1n << 62n) }];
    const traps = "ld a1, 0(s0)+lw a0, 0(a1)+sw t1, 0(s1)";
    expect(outcomes([traps, "lw a0, 0(s1)"], ["a0"], { data })).toEqual(["0"]);
    expect(outcomes([traps, "sd s0, 0(s0)+fence+lw a0, 0(s1)"], ["a0"], { data })).toEqual(["0", "1"]);
  });
});

describe("a FENCE.I that the firmware has other harts execute", () => {
  it("waits for what they did ahead, which is not done twice", () => {
    const ahead = "lw a0, 0(s0)+sw t1, 0(s1)";
    const looks = "lw a0, 0(s1)+fence+sw t2, 0(s1)+fence+lw a1, 0(s1)";
    const found = outcomes([ahead, looks], ["a0", "a1"], { patcher: nosync({ by: "sbi" }) });
    expect(found).toEqual(["0 1", "0 2", "1 2"]);
  });
});

describe("data that nobody writes", () => {
  const reader = "ld a1, 0(s0)+ld a2, 0(a1)+lw a0, 0(s1)";
  const data = [
    { address: X, bytes: quad(X + 8n) },
    { address: X + 8n, bytes: quad(7n) },
  ];
  const run = (main: readonly Line[], more: Partial<PatchStrategy> = {}) =>
    outcomes([reader], ["a1", "a2", "a0"], { data, patcher: strategy(main, more) });

  it("is found all the same by loads that take place at once", () => {
    const write = storeData("write", Y, [1], { width: 1 });
    const quiet = run([write]);
    expect(quiet).toEqual(["9008 7 0", "9008 7 1"]);
    // A store of what is there makes no other difference than that somebody writes.
    expect(run([write, storeData("same", X, quad(X + 8n)), storeData("other", X + 8n, quad(7n))])).toEqual(quiet);
  });

  const looks = "lw a0, 0(s1)+lw a1, 0(s0)";

  it("is not what a program writes", () => {
    const main = [storeData("x", X, [1]), fence("fence", "w,w"), storeData("y", Y, [1])];
    expect(outcomes([looks], ["a0", "a1"], { patcher: strategy(main) })).toContain("1 0");
  });

  it("is not what other code writes", () => {
    expect(outcomes(["sw t1, 0(s0)+fence w, w+sw t1, 0(s1)", looks], ["a0", "a1"])).toContain("1 0");
  });

  it("is not what a site's new code writes", () => {
    const isNeverWritten = (code: string): boolean => {
      const machine = createSimulation({ architecture: riscv() }).machine({
        name: "never written",
        sites: [{ address: LINE, old: "nop", new: code }],
        patchers: [{ strategy: strategy([]), sites: [0], flips: 1 }],
        cpus: 2,
      });
      return machine.isNeverWritten(X);
    };
    expect(isNeverWritten("j .+8")).toBe(true);
    expect(isNeverWritten("sd ra, -8(sp)")).toBe(true);
    expect(isNeverWritten("sd ra, 0(s0)")).toBe(false);
  });

  it("is nothing where a program does what is not known", () => {
    const poke = rule({
      id: "poke",
      source: "this test",
      reads: ["cpu", "memory"],
      writes: ["cpu", "memory"],
      apply: ({ cpu, memory }, { address }: { readonly address: bigint }, machine) => [
        {
          set: {
            cpu: machine.advance(cpu),
            memory: { ...memory, data: { ...memory.data, [address.toString(16)]: "01" } },
          },
        },
      ],
    });
    const main = [
      step("x", "poke" as "lock", { address: X } as never),
      step("y", "poke" as "lock", { address: Y } as never),
    ];
    expect(outcomes([looks], ["a0", "a1"], { patcher: strategy(main, { rules: [poke] }) })).toContain("1 0");
  });
});

describe("where an indirect branch is guessed to go", () => {
  const [TABLE, HERE, THERE] = [0x9100n, codeOf(0), codeOf(1)] as const;
  const code: readonly CodeBlock[] = [HERE, THERE].map((address) => ({ address, code: "nop+ret" }));
  const targets = (more: Partial<Scenario>) =>
    createSimulation({ architecture: riscv() })
      .machine({
        name: "targets",
        sites: [{ address: LINE, old: "nop", new: "j" }],
        patchers: [],
        blocks: code,
        executors: [HERE, THERE].map((entry) => ({ entries: [entry], count: 1 })),
        cpus: 2,
        ...more,
      })
      .targets.map(({ address }) => address);

  it("is what is held in data, in a register or in code", () => {
    expect(targets({})).toEqual([]);
    expect(targets({ data: [{ address: TABLE, bytes: quad(THERE) }] })).toEqual([THERE]);
    expect(targets({ executors: [{ entries: [HERE], count: 2, registers: { t0: HERE } }] })).toEqual([HERE]);
    expect(targets({ blocks: [...code, { address: LINE + 0x800n, code: quad(LINE) }] })).toEqual([LINE]);
    const main = [storeData("publish", TABLE, quad(THERE))];
    expect(targets({ patchers: [{ strategy: strategy(main), sites: [0], flips: 1 }], cpus: 3 })).toEqual([THERE]);
  });

  it("is in blocks as in sites and entries, and in what runs once as in what runs for ever", () => {
    const blocks = [...code, { address: codeOf(2), code: "nop+ret" }];
    const data = [{ address: TABLE, bytes: quad(codeOf(2) + 4n) }];
    const once = [HERE, THERE].map((entry) => ({ entries: [entry], once: true as const, count: 1 }));
    expect(targets({ blocks, data })).toEqual([codeOf(2) + 4n]);
    expect(targets({ blocks, data, executors: once })).toEqual([codeOf(2) + 4n]);
  });

  it("is what code works out from where it stands, and where its calls return to", () => {
    const at = codeOf(2);
    // The half of an address that AUIPC leaves is one too.
    const works = `auipc t0, %pcrel_hi(${HERE})+addi t0, t0, %pcrel_lo(${HERE})+jal ra, .+8+nop+ret`;
    expect(targets({ blocks: [...code, { address: at, code: works }] })).toEqual([HERE, at, at + 12n]);
  });
});
