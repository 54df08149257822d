import { stopMachine } from "@cmodx/arm64";
import { describe, expect, it } from "vitest";
import { allBroken, answer, answers, check, environments, everywhere } from "./check.js";

const both = { site: "mov x0, x1:mov x0, x2" };

describe("stop-machine, whose last CPU to arrive patches", () => {
  it.each(environments.filter(([name]) => name !== "NMIs"))(
    "is safe whatever the instructions are, with %s",
    async (_, environment) => {
      for (const site of ["nop:b", "mov x0, x1:mov x0, x2"])
        expect(await answers(stopMachine(), { site, ...environment })).toEqual(everywhere("safe"));
      expect(await answers(stopMachine(), { ...both, cpus: 3, patcher: { flips: 1 }, ...environment })).toEqual(
        everywhere("safe"),
      );
    },
  );

  it("does not stop NMIs: they may run what may not be modified while it is executed", async () => {
    expect(await answers(stopMachine(), { ...both, interrupts: { nmi: true } })).toEqual(everywhere("unsafe: rule"));
    expect(await answers(stopMachine(), { interrupts: { nmi: true } })).toEqual(everywhere("safe"));
  });

  it("needs the others to synchronise: a stopped task that goes on from its switch does not", async () => {
    expect(await answers(stopMachine(), { patcher: { drop: ["isb-others"] } })).toEqual(everywhere("unsafe: done"));
  });

  it("stands and falls with the count of CPUs", async () => {
    const waiting = await check("none", stopMachine(), { patcher: { drop: ["count-done"] } });
    expect(allBroken(waiting)).toContain("progress");
    // Who is the last is told by the count.
    await expect(check("none", stopMachine(), { patcher: { drop: ["count-in"] } })).rejects.toThrow(
      "looks at entered, which no step sets",
    );
    const early = await check("none", stopMachine(), { patcher: { drop: ["wait-done"] } });
    expect(answer(early)).toBe("unsafe: done");
  });

  it("replaces several instructions only where nobody was preempted between them", async () => {
    const several = { site: "nop+nop:bl+nop", properties: ["mid-sequence"] } as const;
    expect(await answers(stopMachine(), several)).toEqual(everywhere("safe"));
    const pair = { ...several, site: "nop+mov x0, x1:bl+mov x0, x2" };
    expect(await answers(stopMachine(), { ...pair, preempt: true })).toEqual(everywhere("unsafe: mid-sequence"));
  });
});

describe("stop-machine, whose first CPU to arrive patches", () => {
  it("is safe as long as nothing between the stop and the callback runs the site", async () => {
    for (const [name, environment] of environments.filter(([name]) => name !== "NMIs"))
      expect(await answers(stopMachine({ master: "first" }), environment), name).toEqual(everywhere("safe"));
    expect(await answers(stopMachine({ master: "first" }), { cpus: 3, patcher: { flips: 1 } })).toEqual(
      everywhere("safe"),
    );
  });

  it("and says so by setting the count, hangs when another CPU counts itself in after that", async () => {
    const set = stopMachine({ master: "first", signal: "minus-one" });
    for (const cpus of [2, 3])
      expect(await answers(set, { cpus, patcher: { flips: 1 } })).toEqual(everywhere("unsafe: progress"));
    expect(await answers(set, { cpus: 1, interrupts: { irq: true } })).toEqual(everywhere("safe"));
  });
});
