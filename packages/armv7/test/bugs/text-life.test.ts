import { armv7, plainStore } from "@cmodx/armv7";
import {
  createSimulation,
  freeCode,
  isImpossible,
  type Line,
  mapCode,
  type PatchStrategy,
  type PlanContext,
  type Scenario,
  syncCores,
  waitRcuTasks,
} from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { flushIcacheRange } from "../../src/strategies/patch-text.js";
import { targetOf } from "../../src/strategies/target.js";

/* Text that is given back, and mapped again, on ARMv7: who is in it has to leave, and what was fetched from it has to go. */

const AT = armv7().base;
const SLOT = AT + 0x100n;
const slot = `0x${SLOT.toString(16)}`;

type Lines = (context: PlanContext) => readonly Line[];
const none: Lines = () => [];

const patching = (before: Lines, after: Lines): PatchStrategy => ({
  ...plainStore(),
  id: "with-slot",
  plan(flip, context) {
    const plan = plainStore().plan(flip, context);
    return isImpossible(plan) ? plan : { ...plan, main: [...before(context), ...plan.main, ...after(context)] };
  },
});

const free = freeCode("free", SLOT, 8);

describe.each(["sequential", "architectural"] as const)("%s memory", (memory) => {
  const answer = async (strategy: PatchStrategy, site: string, more: Partial<Scenario> = {}): Promise<string> => {
    const [old = "", next = ""] = site.split(":");
    const verdict = await createSimulation({ architecture: armv7({ fetch: "a32" }) }).check({
      name: "a slot",
      sites: [{ address: AT, old, new: next }],
      patchers: [{ strategy, sites: [0], flips: 1 }],
      blocks: [{ address: SLOT, code: "nop+bx lr" }],
      cpus: 2,
      memory,
      ...more,
    });
    return verdict.verdict === "unsafe" ? `unsafe: ${verdict.property}` : verdict.verdict;
  };

  it("a trampoline is freed when nobody is in it any more", async () => {
    const leaving = `b ${slot}:nop`;
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
    const reuse = mapCode("reuse", SLOT, "mov r0, r1+bx lr");
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

  it("a program that is mapped where another one was needs its caches maintained, and the other CPUs synchronised", async () => {
    const arriving = `nop:b ${slot}`;
    const map = [free, mapCode("map", SLOT, "mov r0, r1+bx lr")];
    const maintained: Lines = (context) => [...map, ...flushIcacheRange("flush", SLOT, 8, targetOf(context))];
    expect(
      await answer(
        patching(() => map, none),
        arriving,
      ),
    ).toBe("unsafe: lifetime");
    expect(
      await answer(
        patching((context) => [...maintained(context), syncCores("kick")], none),
        arriving,
      ),
    ).toBe("safe");
  });

  it("what a victim stores over read-only text faults, and over writable text is judged where it is executed", async () => {
    const storing = (access: "r-x" | "rwx"): Partial<Scenario> => ({
      patchers: [],
      blocks: [
        { address: SLOT, code: "nop+bx lr" },
        { address: SLOT + 0x100n, code: "str r1, [r0]" },
      ],
      executors: [
        { entries: [SLOT + 0x100n], count: 1, once: true, registers: { r0: SLOT, r1: 0xe320f002n } },
        { entries: [SLOT], count: 1 },
      ],
      text: [{ address: SLOT, size: 8, access }],
    });
    // WFE, which is none of the code that was laid out.
    expect(await answer(plainStore(), "nop:nop", storing("rwx"))).toBe("unsafe: old-or-new");
    expect(await answer(plainStore(), "nop:nop", storing("r-x"))).toBe("unsafe: fault");
  });

  it("text that may not be executed faults", async () => {
    const nx = { text: [{ address: SLOT, size: 8, access: "rw-" as const }] };
    expect(await answer(patching(none, none), `nop:b ${slot}`, nx)).toBe("unsafe: fault");
  });
});
