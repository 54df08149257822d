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

  it("is unsafe with NMIs under all profiles", async () => {
    for (const offset of [0, CROSSING])
      expect(await answers(nmiRedoOf2008(), { offset, ...nmi })).toEqual(everywhere("unsafe: old-or-new"));
  });

  it.each(profiles.flatMap((profile) => [0, CROSSING].map((offset) => [profile, offset] as const)))(
    "what is shown is the race: an NMI handler passed its check before the flag was set (%s, offset %i)",
    async (profile, offset) => {
      const verdict = await check(profile, nmiRedoOf2008(), { offset, ...nmi });
      if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
      const { trace } = verdict;
      const on = (cpu: number) => trace.filter((taken) => taken.cpu === cpu);
      const at = (cpu: number, step: string): number =>
        trace.findIndex((taken) => taken.cpu === cpu && taken.step === step);
      // One NMI, on the CPU that does not write; its handler looks once, before the flag is set, and so writes nothing.
      expect(trace.filter(({ rule }) => rule === "nmi")).toMatchObject([{ cpu: 1 }]);
      expect(on(1).filter(({ step }) => step?.startsWith("nmi-"))).toMatchObject([{ step: "nmi-check" }]);
      expect(at(1, "nmi-check")).toBeLessThan(at(0, "set-flag"));
      expect(at(0, "set-flag")).toBeLessThan(at(0, "write"));
      expect(trace.filter(({ rule }) => rule === "store").every(({ cpu }) => cpu === 0)).toBe(true);
      // The torn code runs inside that NMI, on a CPU that is stopped.
      const torn = trace.at(-1);
      expect(torn).toMatchObject({ cpu: 1, rule: "execute" });
      expect(torn?.before.cpus[1]?.stack.map(({ level }) => level)).toEqual(["task", "stopper", "nmi"]);
    },
  );

  it("that waits for NMI handlers after it set the flag is unsafe: the NMI of its own CPU writes while it waits", async () => {
    // The handler on CPU 1 passed its check, that on CPU 0 sees the flag. So it was merged, 17666f02b118; later kernels set the flag
    // in the moment in which no handler runs.
    const waiting = nmiRedoOf2008({ waitForNmis: "after-flag" });
    for (const offset of [0, CROSSING])
      expect(await answers(waiting, { offset, ...nmi })).toEqual(everywhere("unsafe: old-or-new"));
    const verdict = await check("coherent", waiting, nmi);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    expect(verdict.trace.filter(({ rule }) => rule === "store")).toMatchObject([{ cpu: 0, step: "nmi-write-1" }]);
    expect(verdict.trace.some(({ cpu, step }) => cpu === 1 && step === "nmi-check")).toBe(true);
  });

  /** A wait for a moment without NMI handlers is another matter: see the last test. */
  const quiet = { ...nmi, ignore: ["progress"] } as const;

  it("that sets the flag in a moment without NMI handlers is safe under coherent, elsewhere if they synchronise", async () => {
    for (const offset of [0, CROSSING]) {
      expect(await answers(nmiRedoOf2008({ waitForNmis: "with-flag" }), { offset, ...quiet })).toEqual({
        ...everywhere("unsafe: old-or-new"),
        coherent: "safe",
      });
      const both = nmiRedoOf2008({ waitForNmis: "with-flag", syncInNmi: true });
      expect(await answers(both, { offset, ...quiet })).toEqual(everywhere("safe"));
    }
    // The second wait is then not needed: the next flag waits as well, and no CPU leaves its stop inside an NMI.
    const both = nmiRedoOf2008({ waitForNmis: "with-flag", syncInNmi: true });
    expect(await answers(both, { ...quiet, patcher: { drop: ["wait-after"] } })).toEqual(everywhere("safe"));
  });

  it("that waits for a moment without NMI handlers need never come to one: they may overlap for ever", async () => {
    const both = nmiRedoOf2008({ waitForNmis: "with-flag", syncInNmi: true });
    const verdict = await check("coherent", both, nmi);
    if (verdict.verdict !== "unsafe" || verdict.loop === undefined) throw new Error("There is a loop.");
    expect(verdict.property).toBe("progress");
    expect(
      new Set(verdict.trace.slice(verdict.loop).flatMap(({ rule, cpu }) => (rule === "nmi" ? [cpu] : []))),
    ).toEqual(new Set([0, 1]));
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
    expect(await check("intel", off, nmi)).toMatchObject({ verdict: "safe", unused: [] });
    expect(await answers(off, { offset: CROSSING, ...nmi, patcher: { drop: ["stop-nmi"] } })).toEqual(
      everywhere("unsafe: old-or-new"),
    );
  });
});
