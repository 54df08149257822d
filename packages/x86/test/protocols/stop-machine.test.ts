import { stopMachine, stopMachineLinux } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { allBroken, answer, answers, CROSSING, check, environments, type Options, profiles } from "./check.js";

const everywhere = (verdict: string): { readonly [profile: string]: string } =>
  Object.fromEntries(profiles.map((profile) => [profile, verdict]));
const withoutNmi = environments.filter(([name]) => name !== "NMIs");
const nmi: Options = { interrupts: { nmi: true } };

describe("stop-machine, whose secondaries synchronise", () => {
  describe.each(withoutNmi)("with %s", (_, environment) => {
    it.each([0, CROSSING])(
      "is safe for one old instruction under all profiles, at offset %i of its line",
      async (offset) => {
        expect(await answers(stopMachine(), { offset, ...environment })).toEqual(everywhere("safe"));
      },
    );
  });

  it("is unsafe with an NMI on a stopped CPU wherever the store is more than one piece under the profile, and safe otherwise", async () => {
    expect(await answers(stopMachine(), nmi)).toEqual({
      ...everywhere("unsafe: old-or-new"),
      amd: "safe",
      "amd-ordered": "safe",
      coherent: "safe",
    });
    expect(await answers(stopMachine(), { ...nmi, offset: CROSSING })).toEqual(everywhere("unsafe: old-or-new"));
    expect(await answers(stopMachine(), { ...nmi, offset: 7 })).toMatchObject({
      amd: "unsafe: old-or-new",
      coherent: "safe",
    });
  });

  it("the CPU that runs the torn code is stopped", async () => {
    const verdict = await check("intel", stopMachine(), nmi);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    const last = verdict.trace.at(-1);
    expect(last?.before.cpus[last.cpu]?.stack.map(({ level }) => level)).toEqual(
      expect.arrayContaining(["stopper", "nmi"]),
    );
  });

  it("needs the synchronisation of the secondaries, and that of the writer", async () => {
    for (const profile of ["intel", "amd"]) {
      expect(
        allBroken(await check(profile, stopMachine(), { patcher: { drop: ["sync-secondaries"] } })),
        profile,
      ).toContain("done");
    }
    const ofWriter = { patcher: { drop: ["sync-writer"] }, cpus: 1, interrupts: { irq: true } };
    expect(allBroken(await check("amd", stopMachine(), ofWriter))).toContain("done");
    expect(
      answer(await check("coherent", stopMachine(), { patcher: { drop: ["sync-secondaries", "sync-writer"] } })),
    ).toBe("safe");
  });

  it("tasks stop at their voluntary switches, so several old instructions are safe until one is preempted between them", async () => {
    const several = { site: "nop+nop+nop+nop+nop:call", properties: ["mid-sequence"] } as const;
    expect(await answers(stopMachine(), several)).toEqual(everywhere("safe"));
    expect(await answers(stopMachine(), { ...several, preempt: true })).toEqual(everywhere("unsafe: mid-sequence"));
  });
});

describe("stop-machine-linux, whose secondaries leave as multi_cpu_stop leaves", () => {
  it("is unsafe wherever what was overwritten stays fetchable: no stopped CPU serialises on its way out", async () => {
    expect(await answers(stopMachineLinux())).toEqual({
      intel: "unsafe: old-or-new",
      "intel-otc": "unsafe: old-or-new",
      amd: "unsafe: done",
      "amd-ordered": "unsafe: done",
      coherent: "safe",
    });
    expect(await answers(stopMachineLinux(), { offset: CROSSING })).toEqual({
      ...everywhere("unsafe: old-or-new"),
      coherent: "safe",
    });
  });

  it("with preemption a stopped task goes on through an IRET, one at its switch does not", async () => {
    expect(await answers(stopMachineLinux(), { preempt: true })).toMatchObject({
      amd: "unsafe: done",
      coherent: "safe",
    });
  });

  it("with NMIs is as unsafe as the other", async () => {
    expect(await answers(stopMachineLinux(), { ...nmi, offset: CROSSING })).toEqual(everywhere("unsafe: old-or-new"));
    expect(answer(await check("coherent", stopMachineLinux(), nmi))).toBe("safe");
  });
});
