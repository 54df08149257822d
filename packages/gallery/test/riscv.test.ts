import { createSimulation, type Scenario } from "@cmodx/core";
import { type GalleryEntry, gallery, judge, simulationOf } from "@cmodx/gallery";
import { fetchModels, riscv } from "@cmodx/riscv";
import { describe, expect, it, test } from "vitest";
import { answer, type Key, seen, story } from "./story.js";

const entries = gallery.filter((each) => each.architecture().id === "riscv");

const all = new Map(await Promise.all(entries.map(async (each) => [each.id, await judge(each)] as const)));

const counterexample = (id: string) => {
  const verdict = all.get(id)?.wrong;
  if (verdict?.verdict !== "unsafe") throw new Error(`Entry ${id} has no counterexample.`);
  return verdict;
};

const AT = riscv().base;

/** The interleavings as the sources tell them. */
const stories: { readonly [id: string]: readonly Key[] } = {
  "21": [
    [0, "execute", seen("execute", { text: "nop" })],
    // The stopper's thread preempts it there.
    [0, "take-stopper"],
    [0, "write"],
    [0, "exit-stopper"],
    // t0 was never written, so the JALR goes to what it adds to 0.
    [0, "execute", seen("execute", { text: "jalr t0, 1600(t0)", next: 0x640n })],
  ],
  "22": [
    [0, "stop", seen("queue-stop")],
    [1, "stop", seen("ack-stop", { stage: "disable-irq" })],
    [0, "write"],
    [0, "flush", seen("send-ipi")],
  ],
  "23": [
    [0, "write"],
    [0, "returnCall"],
    [0, "irq"],
    [0, "execute", seen("execute", { stale: true })],
  ],
  "25": [
    [0, "write"],
    [0, "write-local", seen("sync-core")],
    [0, "returnCall"],
    [1, "execute", seen("execute", { stale: true })],
  ],
  "26": [
    [0, "map", seen("enterWindow", { inside: 1 })],
    [1, "map", seen("enterWindow", { inside: 2 })],
  ],
  "27": [
    [0, "write", seen("store", { bytes: "6f00" })],
    // A jump to itself: the first half of the new code, the second of the old.
    [1, "execute", seen("execute", { bytes: "6f000000", next: AT + 2n })],
  ],
  "28": [
    [0, "write"],
    [0, "flush", seen("send-ipi")],
    [0, "drain"],
    [0, "returnCall"],
    [1, "step", seen("execute", { stale: true })],
  ],
  "34": [
    [0, "enable"],
    [1, "look", seen("load", { word: "key->enabled" })],
    [1, "count"],
    [1, "returnCall"],
    [2, "execute", seen("execute", { text: "nop" })],
  ],
};

const breaks: { readonly [id: string]: readonly string[] } = {
  "21": ["mid-sequence"],
  "22": ["progress"],
  "23": ["done"],
  "25": ["done"],
  "26": ["exclusive"],
  "27": ["old-or-new", "rule"],
  "28": ["done"],
  "34": ["done"],
};

it("has the entries of RISC-V", () => {
  expect(entries.map(({ id }) => id)).toEqual(Object.keys(stories));
});

describe.each(entries)("$id: $title", (each) => {
  const { id, wrong, fixed, property } = each;
  const judged = () => all.get(id) as NonNullable<ReturnType<typeof all.get>>;

  it("is as expected", () => {
    expect(judged()).toMatchObject({ status: "as expected", complaints: [] });
    expect(judged().wrong).toMatchObject({ verdict: "unsafe", property });
    expect(judged().fixed).toMatchObject({ verdict: "safe", unused: [] });
  });

  it("is found by its own mechanism, and breaks nothing else", () => {
    const { trace, broken } = counterexample(id);
    const keys = stories[id] ?? [];
    expect(story(trace, keys)).toEqual(keys.map(([cpu, name]) => `${cpu} ${name}`));
    expect(broken.map((one) => one.property)).toEqual(breaks[id]);
  });

  it("differs from its fix in the code or in the patching", () => {
    const environment = ({ name: _, sites, patchers, ...rest }: Scenario) => rest;
    expect(environment(wrong)).toEqual(environment(fixed));
  });

  it("is told in short", () => {
    expect(each.title.length).toBeLessThanOrEqual(60);
    for (const text of [each.bug, each.fix]) expect(text).toMatch(/^[A-Z].*\.$/);
  });

  it("its rules keep to what they declare, and without reductions the answers are the same", async () => {
    const simulation = createSimulation({ architecture: each.architecture(), development: true });
    expect(answer(await simulation.check(wrong, { reduce: false }))).toBe(property);
    expect(answer(await simulation.check(fixed, { reduce: false }))).toBe("safe");
  });
});

describe("under which fetch models", () => {
  const under = async (fetch: string, scenario: Scenario): Promise<string> =>
    answer(await createSimulation({ architecture: riscv({ fetch }) }).check(scenario));

  it.each(entries)("$id", async ({ id, wrong, fixed, property }: GalleryEntry) => {
    for (const { id: fetch } of fetchModels) {
      // Under zifencei words tear, whatever else is wrong or right, unless everybody is stopped.
      if (fetch === "zifencei" && id !== "22") continue;
      // Under Ziccid a FENCE.I makes the hart's own stores visible, and there is one before the request.
      const expected = id === "28" && fetch === "ziccid" ? "safe" : property;
      expect(await under(fetch, wrong), fetch).toBe(expected);
      expect(await under(fetch, fixed), fetch).toBe("safe");
    }
  });
});

test("28 is a bug of the request through the firmware: what the kernel sends itself follows an atomic access", async () => {
  const entry = entries.find(({ id }) => id === "28") as GalleryEntry;
  const { nosync } = await import("@cmodx/riscv");
  const sent: Scenario = {
    ...entry.wrong,
    patchers: entry.wrong.patchers.map((patcher) => ({ ...patcher, strategy: nosync({ dataFence: false }) })),
  };
  expect(answer(await simulationOf(entry).check(sent))).toBe("safe");
});
