import {
  createSimulation,
  freeCode,
  isImpossible,
  type Line,
  mapCode,
  type PatchStrategy,
  type PlanContext,
  type Scenario,
  waitRcuTasks,
} from "@cmodx/core";
import { flushIcacheAll, nosync, riscv } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";

/* Text that is given back, and mapped again, on RISC-V: who is in it has to leave, and what was fetched from it has to go. */

const AT = riscv().base;
const SLOT = AT + 0x100n;
const slot = `0x${SLOT.toString(16)}`;

type Lines = (context: PlanContext) => readonly Line[];
const none: Lines = () => [];

const patching = (before: Lines, after: Lines): PatchStrategy => ({
  ...nosync(),
  id: "with-slot",
  plan(flip, context) {
    const plan = nosync().plan(flip, context);
    return isImpossible(plan) ? plan : { ...plan, main: [...before(context), ...plan.main, ...after(context)] };
  },
});

const free = freeCode("free", SLOT, 8);

describe.each(["sequential", "architectural"] as const)("%s memory", (memory) => {
  const answer = async (strategy: PatchStrategy, site: string, more: Partial<Scenario> = {}): Promise<string> => {
    const [old = "", next = ""] = site.split(":");
    const verdict = await createSimulation({ architecture: riscv({ fetch: "ziccif" }) }).check({
      name: "a slot",
      sites: [{ address: AT, old, new: next }],
      patchers: [{ strategy, sites: [0], flips: 1 }],
      blocks: [{ address: SLOT, code: "nop+ret" }],
      cpus: 2,
      memory,
      ...more,
    });
    return verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;
  };

  it("a trampoline is freed when nobody is in it any more", async () => {
    const leaving = `j ${slot}:nop`;
    const wait = waitRcuTasks("wait");
    expect(
      await answer(
        patching(none, () => [free]),
        leaving,
      ),
    ).toBe("unsafe: lifetime");
    expect(
      await answer(
        patching(none, () => [wait, free]),
        leaving,
      ),
    ).toBe("safe");
    const reuse = mapCode("reuse", SLOT, "addi a0, a0, 1+ret");
    expect(
      await answer(
        patching(none, () => [reuse]),
        leaving,
      ),
    ).toBe("unsafe: lifetime");
    expect(
      await answer(
        patching(none, () => [wait, free, reuse]),
        leaving,
      ),
    ).toBe("safe");
  });

  it("a program that is mapped where another one was needs a fence.i on all harts", async () => {
    const arriving = `nop:j ${slot}`;
    const map = [free, mapCode("map", SLOT, "addi a0, a0, 1+ret")];
    expect(
      await answer(
        patching(() => map, none),
        arriving,
      ),
    ).toBe("unsafe: lifetime");
    const flushed: Lines = () => [...map, ...flushIcacheAll("flush-slot", "the new program")];
    expect(await answer(patching(flushed, none), arriving)).toBe("safe");
  });

  it("what a victim stores over read-only text faults, and over writable text is judged where it is executed", async () => {
    const storing = (access: "r-x" | "rwx"): Partial<Scenario> => ({
      patchers: [],
      blocks: [
        { address: SLOT, code: "nop+ret" },
        { address: SLOT + 0x100n, code: "sw a1, 0(a0)" },
      ],
      executors: [
        { entries: [SLOT + 0x100n], count: 1, once: true, registers: { a0: SLOT, a1: 0x00100073n } },
        { entries: [SLOT], count: 1 },
      ],
      text: [{ address: SLOT, size: 8, access }],
    });
    // EBREAK, which is none of the code that was laid out.
    expect(await answer(nosync(), "nop:nop", storing("rwx"))).toBe("unsafe: old-or-new");
    expect(await answer(nosync(), "nop:nop", storing("r-x"))).toBe("unsafe: fault");
  });

  it("text that may not be executed faults", async () => {
    const nx = { text: [{ address: SLOT, size: 8, access: "rw-" as const }] };
    expect(await answer(patching(none, none), `nop:j ${slot}`, nx)).toBe("unsafe: fault");
  });
});
