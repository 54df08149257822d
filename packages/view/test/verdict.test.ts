import { type Scenario, store, syncCores } from "@cmodx/core";
import { counterexampleToJson, renderTimeline, toPlain, verdictText, verdictToJson } from "@cmodx/view";
import { describe, expect, it } from "vitest";
import { createSimulation } from "../../core/src/index.js";
import { toy } from "../../core/test/toy/architecture.js";
import { AT, first, scenario, site, strategy } from "../../core/test/toy/scenario.js";

const patching = strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")]);
const one = scenario(patching, { sites: [site("nop", "ret")] });
const broken = scenario(patching, { sites: [site("nop", "ret")], patcher: { drop: ["sync"] } });

const ask = async (of: Scenario) => {
  const simulation = createSimulation({ architecture: toy() });
  return { machine: simulation.machine(of), verdict: await simulation.check(of) };
};

describe("a verdict as text", () => {
  it("shows the run that breaks a scenario, and the values that it is about", async () => {
    const { machine, verdict } = await ask(broken);
    const text = verdictText(machine, verdict);
    expect(text).toMatch(/^unsafe: done\n\n +CPU 0[\s\S]*\n\ndone: The CPU/);
    expect(text).toContain("the patch call returns");
    expect(text).toContain("may fetch: ret, ~nop");
    expect(text).toContain("  returned: step ");
    expect(text.endsWith("\n")).toBe(true);
    for (const line of verdictText(machine, verdict, { width: 60 }).split("\n")) expect(line.length).toBeLessThan(61);
  });

  it("is coloured by whoever prints it", async () => {
    const { machine, verdict } = await ask(broken);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    const mark = (text: string): string => `<${text}>`;
    const paint = { bold: mark, cyan: mark, dim: mark, red: mark, yellow: mark };
    expect(renderTimeline(machine, verdict.trace, { paint })).toContain("<");
    expect(renderTimeline(machine, verdict.trace)).not.toContain("<");
  });

  it("is a word where nothing broke, with the reason where it says nothing", async () => {
    const safe = await ask(one);
    expect(verdictText(safe.machine, safe.verdict)).toBe("safe\n");
    const nobody = await ask({ ...one, executors: [] });
    expect(verdictText(nobody.machine, nobody.verdict)).toMatch(/^vacuous\. ./);
  });
});

describe("a verdict as JSON", () => {
  it("is plain data, though addresses are 64-bit numbers", async () => {
    const { machine, verdict } = await ask(broken);
    const document = verdictToJson(machine, verdict);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(document).toMatchObject({ verdict: "unsafe", property: "done" });
    expect(document.counterexample?.steps.at(-1)?.observed[0]).toMatchObject({
      what: "execute",
      detail: { at: "0x1010" },
    });
    expect(document.broken[0]?.values.map(({ name }) => name)).toContain("returned");
  });

  it("counts steps from 1, also that from which on they repeat", async () => {
    const { machine, verdict } = await ask(broken);
    if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
    const { loop, steps } = counterexampleToJson(machine, verdict.trace, 2);
    expect([loop, steps[0]?.number]).toEqual([3, 1]);
    expect(toPlain({ at: 16n, none: undefined, list: [undefined, 1n] })).toEqual({ at: "0x10", list: [null, "0x1"] });
  });
});
