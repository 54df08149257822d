import { probe } from "@cmodx/armv7";
import { createSimulation, type TraceStep } from "@cmodx/core";
import { entriesOf, type GalleryEntry, judge, simulationOf } from "@cmodx/gallery";
import { describe, expect, it } from "vitest";
import { answer } from "./story.js";

const entries = entriesOf("33");

const entry = (id: string): GalleryEntry => {
  const found = entries.find((each) => each.id === id);
  if (found === undefined) throw new Error(`There is no entry ${id}.`);
  return found;
};

const names = (trace: readonly TraceStep[]): readonly string[] =>
  trace.map(({ cpu, step, rule }) => `${cpu} ${step ?? rule}`);

describe.each(entries)("$id: $title", (each) => {
  it("is found, and cured by its fix", async () => {
    expect((await judge(each)).complaints).toEqual([]);
  });

  it("keeps to what its rules declare, and without reductions the answers are the same", async () => {
    const simulation = createSimulation({ architecture: each.architecture(), development: true });
    expect(answer(await simulation.check(each.wrong, { reduce: false }))).toBe(each.property);
    expect(answer(await simulation.check(each.fixed, { reduce: false }))).toBe("safe");
  });

  it("its fix is safe with `rule` looked at as well, there and back", async () => {
    const { ignore: _, ...counted } = each.fixed;
    const verdict = await simulationOf(each).check({
      ...counted,
      patchers: [{ strategy: probe(), sites: [0], flips: 2 }],
    });
    expect(verdict).toMatchObject({ verdict: "safe" });
  });

  it("is told in short", () => {
    expect(each.title.length).toBeLessThanOrEqual(60);
    for (const text of [each.bug, each.fix]) expect(text).toMatch(/^[A-Z].*\.$/);
  });
});

it("33 goes as its source says: the trap, the removal, the handler's own load", async () => {
  const verdict = await simulationOf(entry("33")).check(entry("33").wrong);
  if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
  const story = ["0 arm-write", "1 execute", "1 enter-trap", "0 remove-write", "1 handler-read", "1 unclaimed"];
  const told = names(verdict.trace);
  expect(story.filter((step) => told.includes(step))).toEqual(story);
  const places = story.map((step) => told.lastIndexOf(step));
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

it("33-half: the handler, too, can read one halfword of each", async () => {
  const { wrong } = entry("33-half");
  const { ignore: _, ...counted } = wrong;
  const verdict = await simulationOf(entry("33-half")).check({ ...counted, properties: ["trap-owned"] });
  if (verdict.verdict !== "unsafe") throw new Error("It is unsafe.");
  expect(verdict.property).toBe("trap-owned");
});
