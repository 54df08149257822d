import { armv7, nosync } from "@cmodx/armv7";
import {
  createSimulation,
  type Line,
  maintain,
  type PatchStrategy,
  type Scenario,
  sendIpi,
  stopMachine,
  store,
  syncCore,
  toHex,
  waitIpi,
} from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { answer, check, LINE, scenario } from "./check.js";

const B = armv7().instructionSet.assemble("b .+0x40", LINE);

/** A strategy with this program, which promises everything. */
const strategy = (main: readonly Line[]): PatchStrategy => ({
  ...nosync(),
  id: "of-the-test",
  promises: [...nosync().promises, "done"],
  plan: () => ({ main }),
});

const write = store("write", LINE, B, { width: 4 });
const told = [sendIpi("kick", [], "an empty handler"), waitIpi("wait", "kick")];

const run = async (main: readonly Line[], more: Partial<Scenario> = {}): Promise<string> => {
  const once = { patcher: { flips: 1 }, ...more };
  return answer(await createSimulation({ architecture: armv7() }).check(scenario(strategy(main), once)));
};

describe("cache maintenance", () => {
  const clean = maintain("clean", "dccmvau", LINE);
  const invalidate = maintain("invalidate", "icimvau", LINE);

  it("is a clean, then an invalidation, then a synchronisation of the CPU that fetches", async () => {
    expect(await run([write, clean, invalidate, ...told])).toBe("safe");
    expect(await run([write, clean, invalidate])).toBe("unsafe: done");
    expect(await run([write, invalidate, clean, ...told])).toBe("unsafe: done");
    expect(await run([write, invalidate, ...told])).toBe("unsafe: done");
    expect(await run([write, clean, ...told])).toBe("unsafe: done");
    expect(await run([clean, invalidate, write, ...told])).toBe("unsafe: done");
  });

  it("by address is of one line", async () => {
    const elsewhere = LINE + 32n;
    expect(await run([write, maintain("clean", "dccmvau", elsewhere), invalidate, ...told])).toBe("unsafe: done");
    expect(await run([write, maintain("clean", "dccmvau", LINE + 28n), invalidate, ...told])).toBe("safe");
  });

  it.each(["dccmvac", "dccimvac"])("%s cleans as well", async (operation) => {
    expect(await run([write, maintain("clean", operation, LINE), invalidate, ...told])).toBe("safe");
  });

  it("of all instruction caches reaches the others where it is that of the inner shareable domain", async () => {
    expect(await run([write, clean, maintain("invalidate", "icialluis"), ...told])).toBe("safe");
    expect(await run([write, clean, maintain("invalidate", "iciallu"), ...told])).toBe("unsafe: done");
  });

  it.each(["bpimva", "bpiall", "bpiallis"])("%s is no invalidation", async (operation) => {
    expect(await run([write, clean, maintain("invalidate", operation, LINE), ...told])).toBe("unsafe: done");
  });

  it("by machine code runs without a fault, beside a patcher whose site nobody executes", async () => {
    // r0 has the address.
    const victim = { registers: { r0: LINE, lr: 0x7ff8_0000n, r11: 0x7ff0_0000n, sp: 0x7fef_fffcn } };
    const block = { address: LINE + 0x100n, code: "dccmvau r0+icimvau r0+isb+ldr r1, [pc, #-8]+bx lr" };
    const verdict = await createSimulation({ architecture: armv7() }).check(
      scenario(strategy([write, clean, invalidate]), {
        patcher: { flips: 1 },
        blocks: [block],
        executors: [{ entries: [block.address], ...victim }],
      }),
    );
    expect(answer(verdict)).toBe("vacuous");
  });
});

it("torn halves that are no instruction raise the undefined-instruction exception, which is the probes' own", async () => {
  const verdict = await check("t32", nosync(), { site: "mov.w r0, r1:lsl.w r0, r1, r2", properties: ["trap-owned"] });
  if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
  expect(verdict.why).toBe("The und trap at 0xc0100000 was caused by a patcher's byte, and no handler claimed it.");
  const torn = verdict.trace.flatMap(({ observed }) => observed).find(({ what }) => what === "execute");
  expect(torn?.detail).toMatchObject({ text: "(bad)", vector: "und" });
});

describe("context synchronisation", () => {
  const maintained = [write, maintain("clean", "dccmvau", LINE), maintain("invalidate", "icimvau", LINE)];
  const stopped = (secondaries: readonly Line[]) => [stopMachine("stop", { run: maintained, secondaries })];

  it("is an ISB, the entry of an exception and the return from one", async () => {
    expect(await run(stopped([syncCore("isb")]))).toBe("safe");
    expect(await run(stopped([]))).toBe("unsafe: done");
    const { synchronizes } = armv7().cpu;
    for (const without of ["irq-entry", "irq-return"] as const) {
      const cpu = { ...armv7().cpu, synchronizes: synchronizes.filter((event) => event !== without) };
      const simulation = createSimulation({ architecture: { ...armv7(), cpu } });
      const kicked = scenario(strategy([...maintained, ...told]), { patcher: { flips: 1 } });
      expect(answer(await simulation.check(kicked)), without).toBe("safe");
    }
    const cpu = { ...armv7().cpu, synchronizes: synchronizes.filter((event) => !event.startsWith("irq")) };
    const simulation = createSimulation({ architecture: { ...armv7(), cpu } });
    const kicked = scenario(strategy([...maintained, ...told]), { patcher: { flips: 1 } });
    expect(answer(await simulation.check(kicked))).toBe("unsafe: done");
  });

  it("lists them", () => {
    expect([...armv7().cpu.synchronizes].sort()).toEqual([
      "irq-entry",
      "irq-return",
      "isb",
      "nmi-entry",
      "nmi-return",
      "resume-preempted",
      "trap-entry",
      "trap-return",
      "user-return",
    ]);
  });

  it("a breakpoint's entry and return are two of them: who trapped fetches the new instruction", async () => {
    const { accepts } = armv7().cpu;
    expect(accepts("irq", ["task"], false)).toBe(true);
    expect(accepts("irq", ["task"], true)).toBe(false);
    expect(accepts("irq", ["task", "irq"], false)).toBe(false);
    expect(accepts("nmi", ["task", "irq"], true)).toBe(true);
    expect(accepts("nmi", ["task", "nmi"], true)).toBe(false);
    expect(armv7().cpu.breakpoints).toEqual(["und", "bkpt"]);
    expect(toHex(B)).toBe("0e0000ea");
  });
});
