import { nmiRedoOf2008, stopMachine } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answers, CROSSING, check, environments, profiles } from "../protocols/check.js";

const nmi = { interrupts: { nmi: true } } as const;
const everywhere = (verdict: string) => Object.fromEntries(profiles.map((profile) => [profile, verdict]));

describe("nmi-redo-2008", () => {
  it.each(environments.filter(([name]) => name !== "NMIs"))(
    "is safe where no NMI comes, with %s",
    async (_, environment) => {
      expect(await answers(nmiRedoOf2008(), { offset: CROSSING, ...environment })).toEqual(everywhere("safe"));
    },
  );

  it("is unsafe with NMIs under all profiles, and not empty", async () => {
    for (const offset of [0, CROSSING])
      expect(await answers(nmiRedoOf2008(), { offset, ...nmi })).toEqual(everywhere("unsafe: old-or-new"));
    expect(await check("coherent", nmiRedoOf2008(), nmi)).toMatchObject({ vacuous: false });
  });

  it.each(profiles)(
    "what is shown is the race: an NMI handler passed its check before the flag was set (%s)",
    async (profile) => {
      const verdict = await check(profile, nmiRedoOf2008(), { offset: CROSSING, ...nmi });
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      const at = (cpu: number, step: string): number =>
        verdict.trace.findIndex((taken) => taken.cpu === cpu && taken.step === step);
      const torn = verdict.trace.length - 1;
      // The handler neither saw the flag nor wrote; the code is written under it.
      expect(at(1, "nmi-buffer")).toBe(-1);
      expect(at(1, "nmi-check")).toBeGreaterThan(0);
      expect(at(0, "set-flag")).toBeGreaterThan(at(1, "nmi-check"));
      expect(at(0, "write")).toBeGreaterThan(at(0, "set-flag"));
      expect(verdict.trace[torn]).toMatchObject({ cpu: 1, rule: "execute" });
    },
  );

  it("that waits for NMI handlers after it set the flag is unsafe: the NMI of its own CPU writes while it waits", async () => {
    // The handler on CPU 1 passed its check, that on CPU 0 sees the flag: "ftrace: protect running nmi", LKML 2009-03.
    const waiting = nmiRedoOf2008({ waitForNmis: "after-flag" });
    for (const offset of [0, CROSSING])
      expect(await answers(waiting, { offset, ...nmi })).toEqual(everywhere("unsafe: old-or-new"));
    const verdict = await check("coherent", waiting, nmi);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    expect(verdict.trace.filter(({ rule }) => rule === "store")).toMatchObject([{ cpu: 0, step: "nmi-write-1" }]);
    expect(verdict.trace.some(({ cpu, step }) => cpu === 1 && step === "nmi-check")).toBe(true);
  });

  it("that sets the flag in a moment without NMI handlers is safe under coherent, elsewhere if they synchronise", async () => {
    for (const offset of [0, CROSSING]) {
      expect(await answers(nmiRedoOf2008({ waitForNmis: "with-flag" }), { offset, ...nmi })).toEqual({
        ...everywhere("unsafe: old-or-new"),
        coherent: "safe",
      });
      const both = nmiRedoOf2008({ waitForNmis: "with-flag", syncInNmi: true });
      expect(await answers(both, { offset, ...nmi })).toEqual(everywhere("safe"));
    }
    // The second wait is then not needed: the next flag waits as well, and no CPU leaves its stop inside an NMI.
    const both = nmiRedoOf2008({ waitForNmis: "with-flag", syncInNmi: true });
    expect(await answers(both, { ...nmi, patcher: { drop: ["wait-after"] } })).toEqual(everywhere("safe"));
  });
});

describe("NMIs off while the machine is stopped", () => {
  it("cure stop_machine", async () => {
    expect(await answers(stopMachine(), { offset: CROSSING, ...nmi })).toEqual(everywhere("unsafe: old-or-new"));
    for (const offset of [0, CROSSING])
      expect(await answers(nmiRedoOf2008({ disableNmi: true }), { offset, ...nmi })).toEqual(everywhere("safe"));
  });

  it("and it is they that do: NMIs came before and after, and without the step it is unsafe", async () => {
    const off = nmiRedoOf2008({ disableNmi: true });
    expect(await check("intel", off, nmi)).toMatchObject({ verdict: "safe", vacuous: false, unused: [] });
    expect(await answers(off, { offset: CROSSING, ...nmi, patcher: { drop: ["stop-nmi"] } })).toEqual(
      everywhere("unsafe: old-or-new"),
    );
  });
});
